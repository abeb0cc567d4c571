"""Watches the state of the local Azure while the storm goes on, and every removal in it.

It knows what each living resource needs from which moment on, so that it can tell whether a thing
that Lanyard takes away was needed just then. What it cannot tell at once - whether Lanyard had
given it already - is told by the decisions on record, afterwards (chaos/verdict.py).
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from chaos.oracle import (
    NOTHING,
    SYSTEM,
    Need,
    Wants,
    attached,
    is_compute,
    system_principal,
    wants,
)
from simulator.arm.pipeline import acting
from simulator.azure import Azure
from simulator.identity import UAMI_TYPE
from simulator.state import Resource, RoleAssignment


@dataclass(frozen=True, order=True)
class Violation:
    """A promise that was broken: which kind, about what, and the evidence."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class Removal:
    """An assignment that Lanyard deleted. `needed_by`: living resources that the policy gives just
    this, each with the moment since when.
    """

    at: float
    assignment: RoleAssignment
    need: Need | None
    needed_by: tuple[tuple[str, float], ...]


@dataclass
class _Living:
    """`since`: of what it wants, and of its own principal; `foreign`: what people attached."""

    wants: Wants
    since: dict[Hashable, float]
    foreign: set[str] = field(default_factory=set)


class Monitor:
    """Observes from now on. `lanyard`: the object id of the app's own identity."""

    def __init__(self, azure: Azure, lanyard: str) -> None:
        self._azure = azure
        self._lanyard = lanyard
        self._living: dict[str, _Living] = {}
        self._identity_of: dict[str, tuple[str, float]] = {}  # principal → identity, born at
        self._made: set[str] = set()  # identities that Lanyard made
        self._ours: set[str] = set()  # assignments that Lanyard made, by lower-case id
        self._needs: dict[str, Need] = {}  # what they were for, also when they are gone
        self.violations: list[Violation] = []
        self.removals: list[Removal] = []
        self.orphans = 0
        self.known_principals: set[str] = set()  # of resources that Lanyard read, and then wrote
        self.carried: dict[str, set[str]] = {}  # moved resource → what Lanyard had attached to it
        azure.state.resources.observe(self._resource)
        azure.state.role_assignments.observe(self._assignment)

    def is_ours(self, assignment: RoleAssignment) -> bool:
        """Whether Lanyard made it."""
        return assignment.id.lower() in self._ours

    def need_of(self, assignment_id: str) -> Need | None:
        """What an assignment that Lanyard made at any time was for."""
        return self._needs.get(assignment_id.lower())

    def foreign_on(self, resource: str) -> set[str]:
        """The identities that people attached to a living resource and did not take off."""
        return self._living[resource].foreign if resource in self._living else set()

    # Resources and their identities.

    def _resource(self, key: str, before: Resource | None, after: Resource | None) -> None:
        found = after or before
        assert found is not None
        if found.type.lower() == UAMI_TYPE:
            self._identity(key, before, after)
        elif is_compute(found):
            self._compute(key, before, after)

    def _identity(self, key: str, before: Resource | None, after: Resource | None) -> None:
        if before is not None and after is None:
            del self._identity_of[before.properties["principalId"]]
            if self._by_lanyard():
                self._check_deletion(key)
        elif before is None and after is not None:
            self._identity_of[after.properties["principalId"]] = (key, self._now())
            if self._by_lanyard():
                self._made.add(key)

    def _check_deletion(self, identity: str) -> None:
        for resource, living in self._living.items():
            since = living.since.get(identity)
            if since is not None and self._was_read(resource, since):
                self._tell("identity deleted that was needed", identity, f"by {resource}")

    def _compute(self, key: str, before: Resource | None, after: Resource | None) -> None:
        if after is None:
            self._living.pop(key, None)
            return
        if self._by_lanyard() and before is not None:
            self._check_identities(key, before, after)
            self._note_known(key, system_principal(before))
        if before is None and not acting.get():  # nobody created it: it was moved here
            self.carried[key] = set(attached(after).keys() & self._made)
        old = self._living.get(key, _Living(NOTHING, {}))
        wanted, now = wants(after), self._now()
        every: set[Hashable] = {*wanted.identities, *wanted.needs, system_principal(after)}
        since = {each: old.since.get(each, now) for each in every}
        self._living[key] = _Living(wanted, since, self._foreign(old, before, after))

    def _note_known(self, key: str, principal: str) -> None:
        """Lanyard puts on record what it reads before it writes."""
        if principal and self._was_read(key, self._living[key].since[principal]):
            self.known_principals.add(principal)

    def _foreign(self, old: _Living, before: Resource | None, after: Resource) -> set[str]:
        """What people attached. A move brings along what Lanyard attached, which is not theirs."""
        had, has = attached(before).keys(), attached(after).keys()
        kept = old.foreign & has
        return kept if self._by_lanyard() else kept | (has - had - self._made)

    def _check_identities(self, key: str, before: Resource, after: Resource) -> None:
        """Of one write of Lanyard's to an identity block."""
        living = self._living[key]
        if system_principal(before) and not system_principal(after):
            self._tell("system-assigned identity switched off", key, "nobody asked for that")
        for lost, principal in attached(before).items():
            if lost in attached(after) or not self._is_current(lost, principal):
                continue
            since = living.since.get(lost)
            if lost in living.foreign:
                self._tell("foreign identity detached", key, lost)
            elif since is not None and self._was_read(key, since):
                self._tell("identity detached that was needed", key, lost)

    def _is_current(self, identity: str, principal: str) -> bool:
        """Whether it exists with this principal: what is dead or was recreated may go."""
        found = self._azure.state.resources.get(identity)
        return found is not None and principal in ("", found.properties["principalId"])

    def _was_read(self, resource: str, since: float) -> bool:
        """Whether Lanyard read the resource after `since`: it could know what it needs."""
        for call in reversed(self._azure.calls):
            if call.at < since:
                return False
            read = (call.method, call.path.lower(), call.caller, call.status)
            if read == ("GET", resource, self._lanyard, 200):
                return True
        return False

    # Role assignments.

    def _assignment(
        self, key: str, before: RoleAssignment | None, after: RoleAssignment | None
    ) -> None:
        if after is not None:
            if self._by_lanyard():
                self._ours.add(key)
                self._needs[key] = self._need(after)
            return
        if before is not None and self._by_lanyard():
            self._check_removal(before)
        self._ours.discard(key)

    def _check_removal(self, gone: RoleAssignment) -> None:
        holder = self._holder(gone.principal_id)
        if holder is None:
            self.orphans += not self.is_ours(gone)
            self.removals.append(Removal(self._now(), gone, None, ()))
            return
        identity, born = holder
        if not self.is_ours(gone):
            self._tell("foreign assignment removed", gone.id, f"of {identity}, which is alive")
            return
        need = self._need(gone)
        owners = [identity] if need.identity == SYSTEM else list(self._living)
        needed_by = tuple(self._needing(owners, need, born))
        self.removals.append(Removal(self._now(), gone, need, needed_by))

    def _need(self, assignment: RoleAssignment) -> Need:
        """By the principal's own names, which outlive what it belonged to."""
        names = self._azure.state.principals[assignment.principal_id].alternative_names
        explicit, identity = names if len(names) == 2 else ("", "somebody else")
        named = SYSTEM if explicit == "isExplicit=False" else identity.lower()
        role = assignment.role_definition_id.rpartition("/")[2].lower()
        return Need(named, assignment.scope.lower(), role)

    def _needing(
        self, resources: Iterable[str], need: Need, born: float
    ) -> Iterable[tuple[str, float]]:
        for resource in resources:
            since = self._living[resource].since.get(need)
            if since is not None:
                yield resource, max(since, born)

    def _holder(self, principal: str) -> tuple[str, float] | None:
        """The living identity or resource that has a principal, and since when; None: dead."""
        if principal in self._identity_of:
            return self._identity_of[principal]
        found = self._azure.state.principals.get(principal)
        if found is None or found.deleted_at is not None:
            return None
        for resource in self._living:
            if system_principal(self._azure.state.resources.get(resource)) == principal:
                return resource, 0.0
        return "somebody else", 0.0

    def _by_lanyard(self) -> bool:
        return acting.get() == self._lanyard

    def _now(self) -> float:
        return self._azure.clock.now()

    def _tell(self, kind: str, subject: str, text: str) -> None:
        self.violations.append(Violation(kind, subject, text))
