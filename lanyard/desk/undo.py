"""A removal, taken back: the assignment that the record kept is put back as it was, and claimed for
the person who asked, so that nothing removes it again.

It is done with the rights of whoever asks, not the app's: the record alone gives nobody access.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lanyard.ports.azure import Assignments, Directory
from lanyard.record.claims import Claims
from lanyard.record.decisions import Decision, Decisions, Recorded
from lanyard.values.errors import Permanent
from lanyard.values.grants import Grant
from lanyard.values.resource_id import folded, last_name

_NEEDED = ("scope", "roleDefinitionId", "principalId")


@dataclass(frozen=True, slots=True)
class Removed:
    """An assignment that was removed, as the record kept it."""

    decision_id: str
    resource: str
    assignment: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """Whether everything is there that makes an assignment."""
        properties = self.assignment.get("properties")
        if not isinstance(properties, dict):
            return False
        needed = (self.assignment.get("id"), *(properties.get(name) for name in _NEEDED))
        return all(isinstance(value, str) and value for value in needed) and isinstance(
            properties.get("condition"), str | None
        )

    @property
    def id(self) -> str:
        """The id of the assignment."""
        return str(self.assignment["id"])

    @property
    def grant(self) -> Grant:
        """What it gave."""
        properties = self.assignment["properties"]
        return Grant(
            str(properties["scope"]),
            last_name(str(properties["roleDefinitionId"])),
            folded(str(properties["principalId"])),
            properties.get("condition"),
        )


class Services(Protocol):
    """What is asked and changed to put an assignment back."""

    @property
    def directory(self) -> Directory:
        """Whether a principal exists."""

    @property
    def assignments(self) -> Assignments:
        """With the rights of the person."""

    @property
    def claims(self) -> Claims:
        """What keeps it from being removed again."""

    @property
    def decisions(self) -> Decisions:
        """The record, in which removals are kept whole."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Puts assignments back. `by`: the person."""

    services: Services
    by: str

    async def find(self, decision_id: str) -> Removed:
        """The removal with this id. Raises Permanent for a decision that removed nothing."""
        recorded = await self.services.decisions.read(decision_id)
        return _removed(recorded)

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[Removed]:
        """The removals of a time, oldest first; both ends with a zone."""
        async for recorded in self.services.decisions.between(since, until):
            if recorded.decision.assignment is not None:
                yield _removed(recorded)

    async def put_back(self, removed: Removed) -> str:
        """Put it back and claim it; returns what was done. Raises Temporary, Permanent.

        Nothing is done where its principal no longer exists: it would be an orphan at once.
        """
        services, grant = self.services, removed.grant
        if not await services.directory.existing([grant.principal_id]):
            message = f"principal {grant.principal_id} no longer exists: nothing to put back for it"
            raise Permanent(message)
        there = await services.assignments.read(removed.id)
        ours = folded(removed.id) == folded(grant.assignment_id)
        await services.claims.keep(grant, removed.decision_id, self.by, ours=ours)
        if there is None:
            await self._restore(removed)
        did = "put back" if there is None else "it is there; kept from now on"
        reason = f"undo of {removed.decision_id} by {self.by}: {did}"
        await services.decisions.add(
            Decision(removed.resource, f"put back {removed.id}", "done", reason)
        )
        return did

    async def _restore(self, removed: Removed) -> None:
        try:
            await self.services.assignments.restore(removed.assignment)
        except Permanent:  # the person may not: then nothing of theirs is to be kept
            await self.services.claims.let_go(removed.grant, removed.decision_id)
            raise

    async def withdraw(self, removed: Removed) -> None:
        """The person needs it no longer: it is removed again when nothing else claims it."""
        await self.services.claims.let_go(removed.grant, removed.decision_id)
        reason = f"the undo of {removed.decision_id} is withdrawn by {self.by}"
        await self.services.decisions.add(
            Decision(removed.resource, f"let go of {removed.id}", "done", reason)
        )


def _removed(recorded: Recorded) -> Removed:
    decision = recorded.decision
    if decision.assignment is None:
        raise Permanent(
            f"decision {recorded.id} removed no assignment: {decision.action}, {decision.outcome}; "
            "'lanyard history --removals' lists those that did"
        )
    removed = Removed(recorded.id, decision.resource, decision.assignment)
    if not removed.whole:
        raise Permanent(
            f"decision {recorded.id} does not keep the whole assignment: it cannot be put back"
        )
    return removed
