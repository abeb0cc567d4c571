"""Which of the listed resources are not as desired, as far as the listing and the ledger show."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from lanyard.planning.desired import Desired
from lanyard.planning.givers import givers
from lanyard.planning.grace import still_dedicated
from lanyard.planning.guard import guard
from lanyard.planning.kept_conditions import beside_what_is_kept
from lanyard.planning.plan import Owned, Plan, plan
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.reconcile.principals import AskedOnce, Principals, RecordedOnce
from lanyard.reconcile.refusals import postponed, unfulfilled
from lanyard.reconcile.services import Services
from lanyard.reconcile.taken_grants import CountedOnce, times_taken
from lanyard.reconcile.unconfirmed import unconfirmed
from lanyard.reconcile.wanted import had_of, wanted_for
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import unseen_attachments
from lanyard.record.repairs import counted
from lanyard.sweep.survey import Survey
from lanyard.values.compute import ComputeResource, PrincipalRef
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import ResourceId


@dataclass(slots=True)
class Drift:
    """Of one sweep. Many resources share an identity and its grants: the ledger and ARM are asked
    once for each.
    """

    policy: Policy
    services: Services
    #: What would be done, by the names of the actions.
    planned: Counter[str] = field(init=False, default_factory=Counter)
    #: Resources that a rule excludes, and that have something of Lanyard's.
    excluded: int = field(init=False, default=0)
    #: Resources that another service manages.
    managed: int = field(init=False, default=0)
    #: What could not be read, for people.
    unread: list[str] = field(init=False, default_factory=list)
    _recorded: RecordedOnce = field(init=False)
    _read: AskedOnce = field(init=False)
    _taken: CountedOnce = field(init=False)

    def __post_init__(self) -> None:
        self._recorded = RecordedOnce(self.services.identity_ledger)
        self._read = AskedOnce(self.services.identities)
        self._taken = CountedOnce(self.services.claims)

    @property
    def failures(self) -> list[str]:
        """All that could not be read so far."""
        return [*map(str, self._read.unread.values()), *self.unread]

    async def shows(self, resource: ComputeResource, record: ResourceRecord, found: Survey) -> bool:
        """Whether anything would be done to it. One that cannot be looked at is left to whoever
        looks at it alone, and puts it on record.
        """
        try:
            return await self._needs_a_look(resource, record, found)
        except Permanent as failure:
            self.unread.append(f"{resource.id}: {failure}")
            return True

    async def _needs_a_look(
        self, resource: ComputeResource, record: ResourceRecord, found: Survey
    ) -> bool:
        """Whether anything would be done, as far as the listing and the ledger show."""
        present = resource.identity.system_principal_id
        known = present is None or present in record.system_principals
        if not known or unseen_attachments(record, resource):
            return True
        owned = record.owned()
        wanted = wanted_for(self.policy, record, resource)

        async def is_dedicated(owner: str, identity: ResourceId) -> bool:
            if not owner.startswith("/"):
                return True  # as for a reconcile
            return identity in found.records.of(ResourceId.parse(owner)).dedicated

        installation = self.services.assignments.installation
        behind = await Principals(self._read, self._recorded, installation).known(wanted, resource)
        self._count_kept(wanted, resource, record)
        # No plan has what nobody would give anew: whether it stands is asked.
        asks = bool(unconfirmed(record, wanted, resource, behind.principals))
        had = await had_of(wanted, owned, self.services.claims)
        wanted = beside_what_is_kept(wanted, had, behind.principals)
        owned = owned.without_intended(wanted.contradicted(behind.principals), had)
        listed = Principals(found.resources, self._recorded, installation, is_dedicated, found.left)
        actual = await listed.actual(resource, wanted, behind, record.dedicated)
        todo = plan(wanted, actual, owned)
        taken = await times_taken(wanted, behind.principals, record, self._taken)
        repairs = counted(record) | taken
        situation = self._situation(wanted, resource, owned, repairs, behind.principals, found)
        verdict = guard(todo, situation)
        self.planned.update(type(action).__name__ for action in verdict.allowed)
        held = {refusal.key for refusal in unfulfilled(verdict.held, todo, wanted)}
        return (
            bool(verdict.allowed or postponed(verdict.held, todo))
            or self._is_listed_wrongly(record, held, found.listed.get(resource.id, set()))
            or still_dedicated(record.dedicated, self.policy, wanted) != record.dedicated
            or _is_due_no_more(record, todo)
            or asks
            or self._is_given_otherwise(wanted, behind.principals, owned)
        )

    def _situation(
        self,
        wanted: Desired,
        resource: ComputeResource,
        owned: Owned,
        repairs: Mapping[str, int],
        principals: Mapping[PrincipalRef, str],
        found: Survey,
    ) -> Situation:
        return Situation(
            self.policy,
            wanted,
            resource,
            roles=found.roles,
            granted=owned.grants,
            given_by=owned.given_by,
            repairs=repairs,
            not_done=found.not_done.get(resource.id, frozenset()),
            principals=principals,
            own_principal=self.services.own_principal,
        )

    def _is_given_otherwise(
        self, wanted: Desired, principals: Mapping[PrincipalRef, str], owned: Owned
    ) -> bool:
        """Whether it is on record who gave what, where that decides about what may go."""
        careful = self.policy.careful
        return bool(careful) and givers(self.policy, wanted, principals, owned) != owned.given_by

    def _count_kept(
        self, wanted: Desired, resource: ComputeResource, record: ResourceRecord
    ) -> None:
        self.managed += bool(resource.managed_by and wanted.kept.excluding)
        self.excluded += bool(wanted.kept.excluding) and not record.empty

    def _is_listed_wrongly(self, record: ResourceRecord, held: Set[str], listed: Set[str]) -> bool:
        """Whether something is held that nobody can see, or listed that is held no more."""
        if bool(held) != bool(record.held) or held - listed:
            return True
        return bool(held) and record.held_under != self.services.author.policy


def _is_due_no_more(record: ResourceRecord, todo: Plan) -> bool:
    """Whether a removal is on record as due that is not planned any more, and nobody looked since:
    were it planned again, it would seem to have been due all the time.
    """
    return bool(record.due_since.keys() - {action.key for action in todo.actions})
