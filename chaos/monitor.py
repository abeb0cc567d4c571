"""Watches the state of the local Azure while the storm goes on, and every removal in it.

It knows what each living resource needs from which moment on, so that it can tell whether a thing
that Lanyard takes away was needed just then. What it cannot tell at once - whether Lanyard had
given it already - is told by the decisions on record, afterwards (chaos/verdict.py).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import NamedTuple

from chaos.oracle import (
    NOTHING,
    SYSTEM,
    Need,
    Wants,
    attached,
    is_compute,
    is_dedicated,
    own_of,
    system_principal,
    wants,
)
from chaos.policy import DELETE_AFTER, FIRST, GRACE, Edition
from simulator.arm.pipeline import acting, acting_since
from simulator.azure import Azure
from simulator.identity import UAMI_TYPE
from simulator.state import Resource, RoleAssignment


@dataclass(frozen=True, order=True)
class Violation:
    """A promise that was broken: which kind, about what, and the evidence."""

    kind: str
    subject: str
    text: str


class Span(NamedTuple):
    """A resource needed something: from a moment on, until another or still (`inf`)."""

    resource: str
    since: float
    until: float = inf


@dataclass(frozen=True)
class Removal:
    """An assignment that Lanyard deleted. `needed_by`: every time that the policy gave a resource
    just this.
    """

    at: float
    assignment: RoleAssignment
    need: Need | None
    needed_by: tuple[Span, ...]


#: So many seconds after a write a 404 leaves open whether a site is still the one it was.
_DOUBTED = 61.0
#: Lanyard reads a resource at most so many seconds before it sends a write.
_READ_BEFORE = 45.0
#: Stands for the time in which a resource is excluded; and for that in which it lacks an identity.
_EXCLUDED, _LACKS = "excluded", "lacks "


@dataclass
class _Living:
    """`since`: of what it wants, of its own principal, of its exclusion and of what it lacks;
    `foreign`: what people attached; `born`: when it was made.
    """

    wants: Wants
    since: dict[Hashable, float]
    born: float
    foreign: set[str] = field(default_factory=set)


class Monitor:
    """Observes from now on. `lanyard`: the object id of the app's own identity."""

    def __init__(self, azure: Azure, lanyard: str) -> None:
        self._azure = azure
        self._lanyard = lanyard
        self._edition = FIRST
        self._ended: defaultdict[Hashable, list[Span]] = defaultdict(list)
        self._living: dict[str, _Living] = {}
        self._identity_of: dict[str, tuple[str, float]] = {}  # principal → identity, born at
        self._made: set[str] = set()  # identities that Lanyard made
        self._ours: set[str] = set()  # assignments that Lanyard made, by lower-case id
        self._needs: dict[str, Need] = {}  # what they were for, also when they are gone
        self.violations: list[Violation] = []
        self.removals: list[Removal] = []
        self.orphans = 0
        self.known_principals: set[str] = set()  # of resources that Lanyard read, and then wrote
        self._left: tuple[Resource, str, set[str]] | None = None  # what went last, its foreign ones
        self._doubted: defaultdict[str, set[str]] = defaultdict(set)  # resource → attached to it
        self.moved: dict[str, str] = {}  # by the id it had: the one that it has since
        self.late = 0  # writes that came before the resource that they acted on
        self.late_attached: set[tuple[str, str]] = set()  # (resource, identity) by these
        # Since the tables were lost no sweep ended: what Lanyard had made for these resources.
        self._unlearnt: defaultdict[str, set[str]] = defaultdict(set)
        # Of sites, by anybody: when, and what they had then.
        self._writes: defaultdict[str, list[tuple[float, set[str]]]] = defaultdict(list)
        self._gone: dict[str, float] = {}  # when the one before went, by its id
        self._taken_off: dict[tuple[str, str], float] = {}  # foreign ones, by people, and when
        self.unowned: set[str] = set()  # identities that Lanyard cannot know as its own any more
        azure.state.resources.observe(self._resource)
        azure.state.role_assignments.observe(self._assignment)

    def is_ours(self, assignment: RoleAssignment) -> bool:
        """Whether Lanyard made it."""
        return assignment.id.lower() in self._ours

    def need_of(self, assignment_id: str) -> Need | None:
        """What an assignment that Lanyard made at any time was for."""
        return self._needs.get(assignment_id.lower())

    @property
    def edition(self) -> Edition:
        """Of the policy that is in force."""
        return self._edition

    def adopt(self, edition: Edition) -> None:
        """Another edition of the policy is in force from now on."""
        self._edition = edition
        for key, living in list(self._living.items()):
            self._live(key, self._azure.state.resources[key], living.foreign)

    def lose(self) -> None:
        """Lanyard's tables are lost, or of an older moment: in doubt nothing is its own.

        An identity of one resource is known again by its tag where that very resource shows it,
        and not where one does that was moved since, or another one.
        """
        known: set[str] = set()
        for key in self._living:
            resource = self._azure.state.resources[key]
            shown = attached(resource).keys()
            self._doubted[key] |= shown
            own = own_of(resource)
            its = {each for each in shown if not is_dedicated(each) or each == own}
            self._unlearnt[key] |= its & self._made
            known |= its
        self.unowned |= self._made - known
        self.known_principals.clear()

    def relearnt(self) -> None:
        """A sweep has read everything since the tables were lost."""
        self._unlearnt.clear()

    def foreign_on(self, resource: str) -> set[str]:
        """The identities that people attached to a living resource and did not take off."""
        return self._living[resource].foreign if resource in self._living else set()

    def doubted_on(self, resource: str) -> set[str]:
        """The identities that were attached when Lanyard's tables were lost, or by a write that was
        meant for the resource before it, or when ARM missed a site within a minute of a write: it
        shows no creation, and may be another one since.
        """
        doubted = set(self._doubted[resource])
        for written, had in self._writes[resource]:
            if any(0 <= at - written <= _DOUBTED for at in self._missed[resource]):
                doubted |= had
        return doubted

    @cached_property
    def _missed(self) -> Mapping[str, list[float]]:
        """When ARM answered Lanyard 404, by path: for after the storm."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for call in self._azure.calls_of(self._lanyard):
            if (call.method, call.status) == ("GET", 404):
                found[call.path.lower()].append(call.at)
        return found

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
        for span in self._just_ended(identity, DELETE_AFTER):
            self._tell("identity deleted within its time", identity, f"needed: {span}")

    def _compute(self, key: str, before: Resource | None, after: Resource | None) -> None:
        if after is None:
            assert before is not None
            self.unowned |= self._unlearnt.pop(key, set())
            self._gone[key] = self._now()
            if gone := self._living.pop(key, None):
                self._end(key, gone, set())
                self._left = (before, key, gone.foreign)
            return
        if self._by_lanyard() and before is not None:
            self._check_identities(key, before, after)
            self._note_known(key, system_principal(before))
        if before is None and self._left and self._left[0].properties is after.properties:
            # It was moved: who attached what stays as it was.
            _, source, foreign = self._left
            self.moved[source] = key
            self._doubted[key] = self._doubted.pop(source, set())
        else:
            old = self._living.get(key)
            foreign = self._foreign(old.foreign if old else set(), before, after)
            self._doubted[key] |= self._put_back_late(key, before, after)
        self._doubted[key] &= attached(after).keys()
        if after.type.lower() == "microsoft.web/sites":
            self._writes[key].append((self._now(), set(attached(after))))
        self._live(key, after, foreign)

    def _live(self, key: str, resource: Resource, foreign: set[str]) -> None:
        """What it wants from now on."""
        wanted, now = wants(resource, self._edition), self._now()
        old = self._living.get(key, _Living(NOTHING, {}, now))
        every: set[Hashable] = {*wanted.identities, *wanted.needs, system_principal(resource)}
        if wanted.excluded:
            every.add(_EXCLUDED)
        else:
            every |= {_LACKS + each for each in wanted.identities - attached(resource).keys()}
        self._end(key, old, every)
        since = {each: old.since.get(each, now) for each in every}
        self._living[key] = _Living(wanted, since, old.born, foreign)

    def _end(self, key: str, old: _Living, kept: set[Hashable]) -> None:
        for each in old.since.keys() - kept:
            self._ended[each].append(Span(key, old.since[each], self._now()))

    def _just_ended(self, what: Hashable, grace: float, resource: str = "") -> Iterator[Span]:
        """When it was needed, as Lanyard read, where that ended less than `grace` ago."""
        for span in self._ended[what]:
            recent = self._now() < span.until + grace and resource in ("", span.resource)
            if recent and self._was_read(span.resource, span.since, span.until):
                yield span

    def _note_known(self, key: str, principal: str) -> None:
        """Lanyard puts on record what it reads before it writes."""
        if principal and self._was_read(key, self._living[key].since[principal]):
            self.known_principals.add(principal)

    def _foreign(self, old: set[str], before: Resource | None, after: Resource) -> set[str]:
        """What people attached."""
        had, has = attached(before).keys(), attached(after).keys()
        kept = old & has
        return kept if self._by_lanyard() else kept | (has - had)

    def _put_back_late(self, key: str, before: Resource | None, after: Resource) -> set[str]:
        """What a write of Lanyard's attaches again that people took off since it was sent: a write
        of a type without an ETag repeats what was read.
        """
        had, has = attached(before).keys(), attached(after).keys()
        if not self._by_lanyard():
            self._taken_off |= {(key, one): self._now() for one in had - has}
            return set()
        sent = acting_since.get() - _READ_BEFORE
        return {one for one in has - had if self._taken_off.get((key, one), 0.0) > sent}

    def _check_identities(self, key: str, before: Resource, after: Resource) -> None:
        """Of one write of Lanyard's to an identity block. One that came before the resource was
        made, or was sent by who had not read it since, was meant for the one before it, and Azure
        counts the versions of both alike: whose it is, Lanyard cannot know.
        """
        living = self._living[key]
        if acting_since.get() < living.born or self._meant_the_one_before(key, living.born):
            self.late += 1
            added = attached(after).keys() - attached(before).keys()
            self.late_attached |= {(key, identity) for identity in added}
            self._doubted[key] |= added
            return
        self._check_system(key, system_principal(before), system_principal(after))
        if attached(after).keys() - attached(before).keys() and self._knows(key, _EXCLUDED):
            self._tell("identity attached to what is excluded", key, str(living.wants))
        for lost, principal in attached(before).items():
            if lost not in attached(after) and self._is_current(lost, principal):
                self._check_detach(key, lost, after)

    def _meant_the_one_before(self, key: str, born: float) -> bool:
        """Whether nobody read the resource since it was made, and another one under its id went so
        lately that it may have been read for this write.
        """
        gone = self._gone.get(key, -inf)
        return gone > acting_since.get() - _READ_BEFORE and not self._was_read(key, born)

    def _check_system(self, key: str, before: str, after: str) -> None:
        """One that was switched on after Lanyard's last look is beyond what it can know."""
        if before and not after and self._knows(key, before):
            self._tell("system-assigned identity switched off", key, "nobody asked for that")
        elif before and not after:
            self.late += 1

    def _check_detach(self, key: str, lost: str, after: Resource) -> None:
        living = self._living[key]
        if lost in living.foreign:
            self._tell("foreign identity detached", key, lost)
        elif lost in living.since:
            if self._knows(key, lost):
                self._tell("identity detached that was needed", key, lost)
            return
        for span in self._just_ended(lost, GRACE, key):
            self._tell("identity detached within its grace", key, f"{lost}: {span}")
        for missing in living.wants.identities - attached(after).keys():
            if self._knows(key, _LACKS + missing):
                self._tell("detached before all was attached", key, f"{lost} before {missing}")

    def _knows(self, key: str, what: str) -> bool:
        """Whether something is so of a resource, and Lanyard read it since."""
        since = self._living[key].since.get(what)
        return since is not None and self._was_read(key, since)

    def _is_current(self, identity: str, principal: str) -> bool:
        """Whether it exists with this principal: what is dead or was recreated may go."""
        found = self._azure.state.resources.get(identity)
        return found is not None and principal in ("", found.properties["principalId"])

    def _was_read(self, resource: str, since: float, until: float = inf) -> bool:
        """Whether Lanyard read the resource after `since`: it could know what it needs."""
        for call in reversed(self._azure.calls):
            if call.at < since:
                return False
            read = (call.method, call.path.lower(), call.caller, call.status)
            if call.at < until and read == ("GET", resource, self._lanyard, 200):
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
        # Of one that no resource shows, and no record knows, nobody can say who is due its roles.
        unknown = need.identity in self.unowned
        needed_by = () if unknown else tuple(self._needing(owners, need, born))
        self.removals.append(Removal(self._now(), gone, need, needed_by))

    def _need(self, assignment: RoleAssignment) -> Need:
        """By the principal's own names, which outlive what it belonged to."""
        names = self._azure.state.principals[assignment.principal_id].alternative_names
        explicit, identity = names if len(names) == 2 else ("", "somebody else")
        named = SYSTEM if explicit == "isExplicit=False" else identity.lower()
        role = assignment.role_definition_id.rpartition("/")[2].lower()
        return Need(named, assignment.scope.lower(), role)

    def _needing(self, resources: Iterable[str], need: Need, born: float) -> Iterator[Span]:
        """When resources needed it, the identity being the one that is there now."""
        among = set(resources)
        for resource in among & self._living.keys():
            since = self._living[resource].since.get(need)
            if since is not None:
                yield Span(resource, max(since, born))
        for span in self._ended[need]:
            if (span.resource in among or need.identity != SYSTEM) and span.until > born:
                yield span._replace(since=max(span.since, born))

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
