"""A removal, taken back: what the record kept is put back as it was, and nothing removes it again:
an assignment is claimed for the person who asked, an attachment is theirs from then on.

It is done with the rights of whoever asks, not the app's: the record alone gives nobody access.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from lanyard.desk.undo_identities import Estate, attach_again, attachable, how_to_make_again
from lanyard.ports.azure import Assignments, Directory
from lanyard.record.claims import Claims
from lanyard.record.decisions import Decision, Decisions, Recorded
from lanyard.record.removal_history import PastRemoval, removals
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import RoleAssignment
from lanyard.values.removed import (
    Became,
    Removed,
    RemovedAssignment,
    RemovedAttachment,
    RemovedIdentity,
)
from lanyard.values.stamps import Stamp

#: What became of a removal is on record by then.
_AFTERWARDS = timedelta(hours=1)
_NOTHING_WAS_TAKEN = (Became.FAILED, Became.GIVEN_BACK)


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was removed, as the record kept it, and when. `resource`: the id of what the decision is
    about.
    """

    decision_id: str
    at: datetime
    resource: str
    removed: Removed


class Services(Estate, Protocol):
    """What is asked and changed to put something back, with the rights of the person."""

    @property
    def directory(self) -> Directory:
        """Whether a principal exists."""

    @property
    def assignments(self) -> Assignments:
        """Where one is put back."""

    @property
    def claims(self) -> Claims:
        """What keeps it from being removed again."""

    @property
    def decisions(self) -> Decisions:
        """The record, in which removals are kept whole."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Puts back what was removed. `by`: the person."""

    services: Services
    by: str

    async def find(self, decision_id: str) -> Undoable:
        """The removal with this id. Raises Permanent for a decision that removed nothing."""
        return _undoable(await self.services.decisions.read(decision_id))

    async def between(
        self, since: datetime, until: datetime, *, undone: bool = False
    ) -> AsyncIterator[Undoable]:
        """The removals of a time that may have taken something away, oldest first; both ends with
        a zone. `undone`: of role assignments, and only those that a person had put back.
        """
        record = self.services.decisions
        for removal in await removals(record, since, until, until + _AFTERWARDS):
            if undone and not _may_be_withdrawn(removal):
                continue
            if removal.became not in _NOTHING_WAS_TAKEN:
                yield _undoable(removal.recorded)

    async def put_back(self, undoable: Undoable) -> str:
        """Put it back and keep it; returns what was done. Raises Temporary, Permanent.

        Nothing is done where it would be an orphan at once: its principal or resource is gone.
        """
        match undoable.removed:
            case RemovedAssignment() as assignment:
                did = await self._assign_again(undoable.decision_id, assignment)
            case RemovedAttachment() as attachment:
                did = await attach_again(attachment, undoable.at, self.services)
            case RemovedIdentity() as identity:
                raise Permanent(how_to_make_again(identity))
        reason = f"undo of {undoable.decision_id} by {self.by}: {did}"
        await self._record(undoable, "put back", reason, Became.UNDONE)
        return did

    async def foresee(self, undoable: Undoable) -> str:
        """What `put_back` would do, in words. Raises what that would, but for a missing right."""
        match undoable.removed:
            case RemovedAssignment() as assignment:
                there = await self._standing(assignment)
                return "would be put back" if there is None else "is there; would be kept"
            case RemovedAttachment() as attachment:
                resource, identity = await attachable(attachment, undoable.at, self.services)
                there_already = identity in resource.identity.user_assigned
                return "is there; would be left to you" if there_already else "would be attached"
            case RemovedIdentity() as identity:
                raise Permanent(how_to_make_again(identity))

    async def withdraw(self, undoable: Undoable) -> None:
        """The person needs it no longer: it is removed again when nothing else claims it. Raises
        Permanent for what is theirs for good, and for what nobody had undone.
        """
        assignment = await self.withdrawable(undoable)
        await self._let_go(undoable.decision_id, assignment)
        reason = f"the undo of {undoable.decision_id} is withdrawn by {self.by}"
        await self._record(undoable, "let go of", reason, Became.WITHDRAWN)

    async def withdrawable(self, undoable: Undoable) -> RemovedAssignment:
        """What `withdraw` lets go of. It raises what that would."""
        removed, named = undoable.removed, f"decision {undoable.decision_id}"
        if not isinstance(removed, RemovedAssignment):
            message = f"{named} removed no assignment"
            raise Permanent(f"{message}: what was put back is yours, take it away where you like")
        if not await self._is_undone(undoable.decision_id, removed):
            raise Permanent(f"{named}: its removal is not undone, so there is nothing to withdraw")
        return removed

    async def _is_undone(self, decision_id: str, removed: RemovedAssignment) -> bool:
        """By the person's claim; or, where the tables were lost, by the stamp of what stands."""
        services = self.services
        if await services.claims.keeps(removed.grant, decision_id):
            return True
        there = await self._there(removed)
        stamp = None if there is None else Stamp.of(there.description)
        if stamp is None or stamp.installation != services.assignments.installation:
            return False
        return stamp.put_back

    async def _standing(self, removed: RemovedAssignment) -> RoleAssignment | None:
        """The assignment as it is now. Raises Permanent where its principal is gone."""
        services, principal = self.services, removed.grant.principal_id
        if not await services.directory.existing([principal]):
            raise Permanent(f"principal {principal} no longer exists: nothing to put back for it")
        return await self._there(removed)

    async def _assign_again(self, decision_id: str, removed: RemovedAssignment) -> str:
        services, grant = self.services, removed.grant
        there = await self._standing(removed)
        await services.claims.keep(grant, decision_id, self.by)
        try:
            if there is None:
                await services.assignments.restore(removed)
            elif services.assignments.is_ours(there):
                # As it stands: its stamp says from now on that a person keeps it, tables or none.
                await services.assignments.restore(RemovedAssignment(there.raw))
        except (Temporary, Permanent):  # it is not there, or not theirs: nothing is to be kept
            await services.claims.let_go(grant, decision_id)
            raise
        standing = grant if there is None else replace(grant, condition=there.condition)
        await services.claims.stands(standing, removed.id, ours=False)
        return "put back" if there is None else "it is there; kept from now on"

    async def _let_go(self, decision_id: str, removed: RemovedAssignment) -> None:
        """What was ours is ours again, unless a person keeps it by another undo."""
        services, grant = self.services, removed.grant
        await services.claims.let_go(grant, decision_id)
        if services.assignments.is_ours(removed) and not await services.claims.kept(grant):
            there = await self._there(removed)
            id_ = removed.id if there is None else there.id
            ours = await services.assignments.withdraw(id_)
            await services.claims.stands(grant, id_, ours=ours)

    async def _there(self, removed: RemovedAssignment) -> RoleAssignment | None:
        """What gives by now what was removed, maybe under another name: Azure takes one of it."""
        assignments = self.services.assignments
        return await assignments.read(removed.id) or await assignments.giving(removed.grant)

    async def _record(self, undoable: Undoable, verb: str, reason: str, became: Became) -> None:
        await self.services.decisions.add(
            Decision(
                undoable.resource,
                f"{verb} {undoable.removed}",
                "done",
                reason,
                became={undoable.decision_id: became},
            )
        )


def _may_be_withdrawn(removal: PastRemoval) -> bool:
    is_assignment = isinstance(removal.recorded.decision.removed, RemovedAssignment)
    return is_assignment and removal.became is Became.UNDONE


def _undoable(recorded: Recorded) -> Undoable:
    decision, removed = recorded.decision, recorded.decision.removed
    if removed is None:
        raise Permanent(
            f"decision {recorded.id} removed nothing: {decision.action}, {decision.outcome}; "
            "'lanyard history --removals' lists those that did"
        )
    if isinstance(removed, RemovedAssignment) and not removed.whole:
        raise Permanent(
            f"decision {recorded.id} does not keep the whole assignment: it cannot be put back"
        )
    return Undoable(recorded.id, recorded.at, decision.resource, removed)
