"""How far the actions of one plan have come: what they changed, and the record as it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lanyard.planning.actions import AssignRole
from lanyard.planning.givers import Givers
from lanyard.planning.outcomes import Effects, Outcome
from lanyard.planning.plan import Owned
from lanyard.reconcile.removals import Removals
from lanyard.record.ledger import Ledger, ResourceRecord
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource, PrincipalRef
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


def _as_before(_principals: Mapping[PrincipalRef, str], owned: Owned) -> Givers:
    """Where no policy is asked."""
    return owned.given_by


@dataclass(slots=True, kw_only=True)
class Progress:
    """One a reconcile. Additions and removals work on it in turn."""

    ledger: Ledger
    #: As it was read last; None for one that is gone.
    resource: ComputeResource | None
    #: The version on file.
    record: ResourceRecord
    #: Of the identities that exist, as far as they are known.
    principals: dict[PrincipalRef, str]
    removals: Removals
    #: The grants that the policy wants for it, of identities that exist.
    due: frozenset[Grant] = frozenset()
    #: Which rules gave what it has by now: see givers.py.
    givers: Callable[[Mapping[PrincipalRef, str], Owned], Givers] = _as_before
    #: What led to it.
    change: Change
    #: Whether the resource was on record before.
    seen_before: bool = False
    #: Identities that were not on record as attached before this reconcile set out to attach them.
    newly_attached: set[ResourceId] = field(default_factory=set)
    outcomes: list[Outcome] = field(default_factory=list)
    #: The additions that failed and that a removal waits for.
    waited_for: list[Outcome] = field(default_factory=list)
    #: What is claimed and assigned now.
    granted: dict[AssignRole, Grant] = field(default_factory=dict)
    #: Of them, those whose role assignment did not exist before.
    made: set[AssignRole] = field(default_factory=set)
    #: Identities that turned out not to exist, to be reconciled themselves.
    gone_identities: list[ResourceId] = field(default_factory=list)

    async def save(self, record: ResourceRecord, *, anew: bool = False) -> None:
        """Write the record where it differs from the one on file, or `anew` whether it does or not.

        Raises Conflict where somebody wrote it since it was read.
        """
        if anew or record != self.record:
            self.record = await self.ledger.save(record)

    @property
    def effects(self) -> Effects:
        """What was changed so far, beside what the outcomes show."""
        return Effects(
            granted=self.granted,
            made=frozenset(self.made),
            principals=self.principals,
            removed=self.removals.recorded,
        )
