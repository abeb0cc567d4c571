"""The removals of one plan, carried out: last, and each looked at again right before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from lanyard.planning.actions import Action, DeleteIdentity, ReleaseGrant, RemoveOrphans
from lanyard.planning.deletion import unused_left
from lanyard.planning.life import LISTING_LAG, SECOND_LOOK
from lanyard.planning.outcomes import attempt, failed, only
from lanyard.reconcile.deleted_identities import as_kept, is_deletable
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.record.claims import Result
from lanyard.values.errors import Because, NotYet, Permanent, Refused, Temporary

#: A resource that is back, or an identity that was recreated, is planned again this soon (seconds).
REPLAN_DELAY = 2.0
# An identity that is still attached is not deleted; it is looked at again so much later (seconds).
_ATTACHED_DELAY = 3600.0
_UNUSED = (
    "nothing has it: by the ledger, by two listings of Resource Graph and by Azure's own count",
    "it has no federated credential, and is the one that was made for this resource",
)


@dataclass(frozen=True, slots=True)
class RemovalSteps:
    """Carries removals out that write no identity block; `progress` has what became of them."""

    services: Services
    progress: Progress

    async def run(self, actions: Sequence[Action]) -> None:
        """One after the other. One that fails stops no other."""
        if not actions:
            return
        outcomes = self.progress.outcomes
        try:
            await self._still_gone()
        except (Temporary, Permanent) as failure:
            outcomes += failed(actions, failure)
            return
        releases = only(ReleaseGrant, actions)
        await self._intend_releases(releases)
        for release in releases:
            outcomes.append(await attempt(release, self._release(release)))
        for deletion in only(DeleteIdentity, actions):
            outcomes.append(await attempt(deletion, self._delete_identity(deletion)))
        for orphans in only(RemoveOrphans, actions):
            outcomes.append(await attempt(orphans, self._remove_orphans(orphans)))

    async def _intend_releases(self, releases: Sequence[ReleaseGrant]) -> None:
        """Write ahead that these claims go: whoever looked at an older record stops here, and after
        a crash a claim that is wanted again is made again.
        """
        record = self.progress.record
        going = {action.grant for action in releases} - set(self.progress.granted.values())
        await self.progress.save(
            replace(record, grants=record.grants - going, pending=record.pending | going)
        )

    async def _still_gone(self) -> None:
        """Read again right before removing what a resource had that was not there a moment ago."""
        resource = self.progress.record.id
        if self.progress.resource is not None:
            return
        if await self.services.compute.read(resource) is not None:
            raise Temporary(f"{resource} is there again", REPLAN_DELAY)

    async def _release(self, action: ReleaseGrant) -> str:
        if action.grant.name in {grant.name for grant in self.progress.granted.values()}:
            # Planned while its identity was thought missing, and it turned out to be there.
            return "kept: it was assigned in this very plan"
        result = await self.services.revocation.drop(
            action.grant,
            self.progress.record.id,
            partial(self.progress.removals.removing, action),
            self.progress.record.due_since.get(action.key, self.services.now()),
        )
        return "its last claim is gone" if result is Result.REVOKED else str(result)

    async def _delete_identity(self, action: DeleteIdentity) -> str:
        """Who uses it was looked at a moment ago (own_identities.py). That it was without use for
        long enough, and is the one that was made, is looked at again.

        What its assignments were is looked after when the event of its deletion comes.
        """
        services, resource, record = self.services, self.progress.resource, self.progress.record
        own, current = record.dedicated[action.id], await services.identities.details(action.id)
        if current is None:
            await services.identity_presence.ensure_gone(action.id)
            return "it is gone already"
        is_it = is_deletable(own, current, record.id, services)
        if is_it == bool(own.away_since):
            raise NotYet(f"{action.id}: ARM shows one and the other in its place", SECOND_LOOK)
        if not is_it:
            return "it is another one now: kept"
        if resource is not None and action.id in resource.identity.user_assigned:
            reason = f"waits for: detach identity {action.id.name}"
            fix = "detach it, or see what holds that"
            raise Refused(Because.WAITS, reason, _ATTACHED_DELAY, fix, releasable=False)
        if unused_left(own, services.now()) > 0:
            raise NotYet("it was in use a moment ago", LISTING_LAG)
        removed = await as_kept(action.id, current, record.id, services)
        async with self.progress.removals.removing(action, removed, _UNUSED):
            await services.identities.delete(action.id)
        return "nothing uses it"

    async def _remove_orphans(self, action: RemoveOrphans) -> str:
        services, record = self.services, self.progress.record
        holder = await services.identity_ledger.holder(action.principal_id)
        if holder not in ("", record.id.key):
            return f"kept: it is the identity of {holder} now"
        removed = await services.orphans.remove(
            action.principal_id,
            record.gone_at[action.principal_id],
            record.id.subscription,
            partial(self.progress.removals.removing, action),
        )
        await services.identity_ledger.forget_holder(action.principal_id)
        return f"{len(removed)} removed"
