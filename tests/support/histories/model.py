"""Follows a history beside the estate, and knows of every attachment, identity and assignment who
made it, and of which living resource the policy wants it. What is not as promised it `finds`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from lanyard.record.held import Entry
from simulator.azure import Azure
from simulator.state import Resource
from tests.support.histories.accounts import (
    LANYARD,
    Accounts,
    Judges,
    Taken,
    attached,
    principal_of,
    system_principal,
)
from tests.support.histories.places import PLACES, SYSTEM, Place
from tests.support.histories.policies import Due, Need, Policy, due

_HOUR = 3600.0
#: Seconds between two reads that answer 404, that they count as two.
_SECOND_LOOK = 60.0
#: So many removals in an hour are never too large a share.
_ALWAYS = 10
#: Something that can be wanted: (kind, resource or "", identity or principal, need or None).
type Thing = tuple[str, str, str, Need | None]


@dataclass
class Orders:
    """What people ordered, as they know it."""

    #: "" for no pause, else "removals" or "everything".
    pause: str = ""
    #: Resources (lower-case ids) of which something was released.
    released: set[str] = field(default_factory=set)
    #: Keys of dismissed entries, by resource.
    dismissed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Whether the difference that the policy makes is on record.
    reported: bool = True


@dataclass(frozen=True)
class Finding:
    """What is not as promised: the promise's name, and what was seen."""

    promise: str
    seen: str


@dataclass(frozen=True)
class Evidence:
    """That a resource is gone. `misses`: when reads answered 404. `deleted`: a delete event says
    so, after which no write was told, and of this life Lanyard has seen nothing yet.
    """

    misses: tuple[float, ...]
    deleted: bool

    def complete(self, graph_lied: bool) -> bool:
        """Whether it is as much as was promised to be asked for."""
        if not self.misses:
            return False
        return self.deleted or graph_lied or self.misses[-1] - self.misses[0] >= _SECOND_LOOK


class Model:
    """One estate under its policies. `lanyard`: the object id of the app's own identity."""

    def __init__(self, azure: Azure, names: dict[str, str], lanyard: str, policy: Policy) -> None:
        self.azure = azure
        self.accounts = Accounts(
            azure, names, Judges(self._judge, self._attached, self._overwritten)
        )
        self.policy = policy
        self.orders = Orders()
        self.findings: list[Finding] = []
        #: What Lanyard took since the last look.
        self.taken: list[Taken] = []
        #: Every event that was delivered: (id of the resource, "write" or "delete", its time).
        self.events: list[tuple[str, str, float]] = []
        #: Whether Resource Graph ever lagged or lied: then its listing deceives, too.
        self.graph_lied = False
        #: What the last sweep could see: assignments and attachments.
        self.known = 0
        #: Entries that a person released, by their ids.
        self.released: dict[str, Entry] = {}
        self._lanyard = lanyard
        self._since: dict[tuple[str, str | Need], float] = {}
        self._last_wanted: dict[Thing, float] = {}
        #: What a resource was due at any time, in any of its lives.
        self._ever: defaultdict[str, set[Need]] = defaultdict(set)
        #: What its present life was due, by the resource and the moment when that was born.
        self._of_life: defaultdict[tuple[str, float], set[Need]] = defaultdict(set)
        self._spent: Counter[tuple[str, int]] = Counter()
        self._share: Counter[int] = Counter()

    # The course of a step.

    def note(self) -> None:
        """Take down what is wanted now: at the start of a step, and when its people have acted."""
        now = self._now()
        wanted: set[tuple[str, str | Need]] = set()
        for place, resource in self.living():
            told = due(self.policy, resource)
            things: list[str | Need] = [*told.gives.identities, *told.gives.needs]
            for key in [(place.id, each) for each in things]:
                wanted.add(key)
                self._since.setdefault(key, now)
            self._ever[place.id] |= told.gives.needs
            self._of_life[self._life(place)] |= told.gives.needs
            for thing in self._things(place, resource, told):
                self._last_wanted[thing] = now
        self._since = {key: at for key, at in self._since.items() if key in wanted}

    def look(self) -> None:
        """What was due at one moment has been worked on, or a step is over."""
        for place, resource in self.living():
            lost = [each for each in self.taken if self._is_loss(each, place)]
            missing = self.missing(place, resource)
            if lost and missing and place.id not in self.orders.released:
                seen = f"{lost[0]}, while {place.name} has no {_words(missing)}"
                self._find("16.1 make before break", seen)
        self.taken.clear()

    def resumed(self) -> None:
        """A person went on: the share of this hour counts anew."""
        self.orders.pause = ""
        self._share.clear()

    def living(self) -> Iterator[tuple[Place, Resource]]:
        """The resources of the history that are there."""
        for place in PLACES.values():
            if (found := self.azure.state.resources.get(place.id)) is not None:
                yield place, found

    def missing(self, place: Place, resource: Resource) -> list[str | Need]:
        """What the policy wants for a resource that is not there, dismissed things aside."""
        gives, has = due(self.policy, resource).gives, attached(resource)
        lacking: list[str | Need] = [
            each
            for each in sorted(gives.identities)
            if has.get(each, "none") not in ("", principal_of(self.azure, each))
        ]
        if gives.system and not system_principal(resource):
            lacking.append(SYSTEM)
        lacking += [each for each in sorted(gives.needs) if not self._stands(each, resource)]
        dismissed = self.orders.dismissed[place.id]
        return [each for each in lacking if not any(is_about(key, each) for key in dismissed)]

    def kept(self, place: Place, resource: Resource) -> set[str | Need]:
        """What a resource has of a rule that excludes it, or because its body names it."""
        keeps, has = due(self.policy, resource).keeps, attached(resource)
        found: set[str | Need] = {each for each in keeps.identities if each in has}
        found |= {each for each in keeps.needs if each.identity in has or each.identity == SYSTEM}
        named = _named_by_body(resource)
        if named in has:
            found |= {named} | {each for each in self._ever[place.id] if each.identity == named}
        return found

    def principal(self, need: Need, resource: Resource) -> str:
        """Whose a need is, when it is this resource's; "" where there is none."""
        if need.identity == SYSTEM:
            return system_principal(resource)
        return principal_of(self.azure, need.identity)

    def standing(self) -> set[tuple[str, str, str]]:
        """(principal, role, scope) of every assignment."""
        return {
            (each.principal_id, each.role_definition_id.rpartition("/")[2], each.scope.lower())
            for each in self.azure.state.role_assignments.values()
        }

    def _stands(self, need: Need, resource: Resource) -> bool:
        return (self.principal(need, resource), need.role, need.scope) in self.standing()

    def _things(self, place: Place, resource: Resource, told: Due) -> Iterator[Thing]:
        kept = self.kept(place, resource)
        for identity in told.gives.identities | {each for each in kept if isinstance(each, str)}:
            yield "detach", place.id, identity, None
            yield "delete", "", identity, None
        for need in told.gives.needs | {each for each in kept if isinstance(each, Need)}:
            yield "revoke", "", self.principal(need, resource), need

    # The judgement of what Lanyard takes, in the moment in which it does so.

    def _judge(self, taken: Taken) -> None:
        self.taken.append(taken)
        for promise, seen in self._objections(taken):
            self._find(promise, f"{taken}{seen}")

    def _attached(self, resource: Resource, identity: str) -> None:
        if identity not in due(self.policy, resource).gives.identities:
            name = identity.rpartition("/")[2]
            self._find("given", f"{name} was attached to {resource.name}, which no rule gives")

    def _overwritten(self, need: Need, whose: str) -> None:
        self._find("17.2 read before write", f"{whose}'s assignment of {need} was written over")

    def _objections(self, taken: Taken) -> Iterator[tuple[str, str]]:
        yield from self._whose(taken)
        yield from self._ordered(taken)
        if not self.is_released(taken):
            yield from self._counted(taken)
        if taken.dead or self._is_excused(taken):
            return
        if not self.is_released(taken):
            yield from self._too_early(taken)
        for place, resource in self.living():
            yield from self._used(taken, place, resource)

    def _whose(self, taken: Taken) -> Iterator[tuple[str, str]]:
        if taken.maker != LANYARD and not taken.dead:
            seen = f", which {taken.maker or 'Azure'} had made"
            yield self._kind_of_theirs(taken), seen
        elif taken.editor and not taken.dead:
            yield "17.1 edited", f", which {taken.editor} had changed"

    def _kind_of_theirs(self, taken: Taken) -> str:
        if taken.kind == "delete":
            remade = self.accounts.is_remade(taken.identity)
            return "17.1 made again" if remade else "18.1 made for it"
        if taken.kind == "detach" and (taken.resource, taken.identity) in self.accounts.again:
            return "17.1 attached again"
        return "theirs"

    def _ordered(self, taken: Taken) -> Iterator[tuple[str, str]]:
        mode, released = self.policy.mode, self.is_released(taken)
        repair = taken.kind == "detach" and taken.dead
        if mode == "observe" or (mode == "add-only" and not released):
            yield "16.6 repair" if repair else "16.6 mode", f" in mode {mode}"
        if self.orders.pause:
            paused = f" while {self.orders.pause} was paused"
            yield "16.6 repair" if repair else "16.6 pause", paused
        if not self.orders.reported:
            yield "16.6 repair" if repair else "reported", " before a sweep"
        for resource, keys in self.orders.dismissed.items():
            if any(takes(key, resource, taken) for key in keys):
                yield "16.7 dismissal", ", which was dismissed"

    def _counted(self, taken: Taken) -> Iterator[tuple[str, str]]:
        hour, limit = int(taken.at // _HOUR), self.policy.per_hour
        self._spent["all", hour] += 1
        self._share[hour] += 1
        if taken.kind == "revoke":
            self._spent["revoke", hour] += 1
        revoked, everything = self._spent["revoke", hour], self._spent["all", hour]
        if revoked > limit:
            yield "16.6 budget", f": assignment {revoked} of {limit} in this hour"
        elif everything > limit:
            yield "16.6 every removal", f": removal {everything} of {limit} in this hour"
        share = max(_ALWAYS, self.known * self.policy.percent / 100)
        if self.policy.percent < 100 and self._share[hour] > share:
            yield "16.6 percent", f": removal {self._share[hour]}, of {share:g} that may go"

    def _too_early(self, taken: Taken) -> Iterator[tuple[str, str]]:
        about = taken.principal if taken.kind == "revoke" else taken.identity
        last = self._last_wanted.get((taken.kind, taken.resource, about, taken.need))
        if last is None:
            return
        waited = taken.at - last
        grace, promise = self.policy.grace_minutes * 60.0, "16.3 grace"
        if taken.kind == "delete":
            grace = self.policy.delete_after_hours * _HOUR
            alive = any(place.own == taken.identity for place, _ in self.living())
            promise = "16.3 own identity" if alive else "17.4 gone"
        if waited < grace:
            yield promise, f" {waited / 60:.1f} minutes after it was wanted"

    def _used(self, taken: Taken, place: Place, resource: Resource) -> Iterator[tuple[str, str]]:
        if taken.kind == "detach" and taken.resource != place.id:
            return
        about: str | Need = taken.need or taken.identity
        told, has = due(self.policy, resource), attached(resource)
        if taken.need is not None and self.principal(taken.need, resource) != taken.principal:
            return
        if about in {*told.gives.identities, *told.gives.needs}:
            yield self._kind_of_need(about, place, has), f", and {place.name} is due it"
        elif taken.kind == "delete" and taken.identity in has:
            yield "17.4 in use", f", and {place.name} has it"
        if self.is_released(taken) or about not in self.kept(place, resource):
            return
        named = taken.identity == _named_by_body(resource)
        promise = "16.4 used elsewhere" if named else "16.5 exclude"
        yield promise, f", and {place.name} {'names' if named else 'keeps'} it"

    def _kind_of_need(self, about: str | Need, place: Place, has: dict[str, str]) -> str:
        if self._evidence(place).misses:
            return "16.2 gone"
        since = self._since.get((place.id, about), self._now())
        identity = about.identity if isinstance(about, Need) else about
        served = self._was_read(place.id, since) and (identity in has or identity == SYSTEM)
        return "needed" if served else "17.3 unseen"

    def _is_excused(self, taken: Taken) -> bool:
        """Whether Lanyard had all evidence that one is gone that wants it, and was deceived."""
        about: str | Need = taken.need or taken.identity
        for place, resource in self.living():
            told = due(self.policy, resource)
            wanted = {*told.gives.identities, *told.gives.needs, *self.kept(place, resource)}
            wanted |= self._ever[place.id] | {place.own}
            if about in wanted and self._evidence(place).complete(self.graph_lied):
                return True
        return False

    def _evidence(self, place: Place) -> Evidence:
        """What Lanyard has seen of a living resource since it last saw it."""
        born, seen = self.accounts.born.get(place.id, 0.0), 0.0
        misses: list[float] = []
        for call in self.azure.calls:
            if (call.method, call.path.lower(), call.caller) != ("GET", place.id, self._lanyard):
                continue
            if call.status == 200:
                misses, seen = [], call.at
            elif call.status == 404 and call.at >= born:
                misses.append(call.at)
        told = [each for each in self.events if place.id == each[0] or _is_below(place, each[0])]
        written = max((at for _, verb, at in told if verb == "write"), default=-1.0)
        deleted = max((at for _, verb, at in told if verb == "delete"), default=-1.0)
        return Evidence(tuple(misses), deleted > max(written, -0.5) and seen < born)

    def _was_read(self, resource: str, since: float) -> bool:
        """Whether Lanyard read the resource after `since`: it could know what it needs."""
        return any(
            call.at >= since
            and (call.method, call.path.lower()) == ("GET", resource)
            and (call.caller, call.status) == (self._lanyard, 200)
            for call in reversed(self.azure.calls)
        )

    def is_deceived(self, place: Place) -> bool:
        """Whether ARM ever told Lanyard that this life of a resource was not there: then its record
        may have ended, and what is on the resource is nobody's that it knows.
        """
        born = self.accounts.born.get(place.id, 0.0)
        return any(
            (call.method, call.path.lower(), call.caller) == ("GET", place.id, self._lanyard)
            and call.status == 404
            and call.at >= born
            for call in self.azure.calls
        )

    def is_released(self, taken: Taken) -> bool:
        """Whether a person may have released it: anything of its resource."""
        released = self.orders.released
        if taken.resource:
            return taken.resource in released
        if taken.need is None:
            return any(place.own == taken.identity for place in map_places(released))
        asked = {place.id for place in map_places(released)}
        return bool(released - asked) or any(taken.need in self._ever[each] for each in asked)

    def _is_loss(self, taken: Taken, place: Place) -> bool:
        """Whether it was taken from this very resource; of others only what nobody else had."""
        if taken.dead or taken.maker != LANYARD:
            return False
        if taken.kind == "detach":
            return taken.resource == place.id
        if taken.kind == "delete":
            return taken.identity == place.own
        wanted_by = [each for each, needs in self._ever.items() if taken.need in needs]
        return wanted_by == [place.id] and taken.need in self._of_life[self._life(place)]

    def _life(self, place: Place) -> tuple[str, float]:
        return place.id, self.accounts.born.get(place.id, 0.0)

    def _find(self, promise: str, seen: str) -> None:
        self.findings.append(Finding(promise, seen))

    def _now(self) -> float:
        return self.azure.clock.now()


def map_places(ids: set[str]) -> list[Place]:
    """The places among these resource ids."""
    return [place for place in PLACES.values() if place.id in ids]


def is_about(key: str, thing: str | Need) -> bool:
    """Whether a held entry's key is about something that is wanted, or about what it waits for."""
    if isinstance(thing, str):
        return key.startswith("enable system") if thing == SYSTEM else f"|{thing}" in key
    return f"{thing.scope}|{thing.role}" in key or is_about(key, thing.identity)


def takes(key: str, resource: str, taken: Taken) -> bool:
    """Whether the action with this key, held for a resource, is what was taken."""
    if taken.kind == "detach":
        return taken.resource == resource and key == f"detach identity|{taken.identity}"
    if taken.need is None:
        return key == f"delete identity|{taken.identity}"
    return key.endswith(f"|{taken.need.scope}|{taken.need.role}|{taken.principal}")


def _is_below(place: Place, group: str) -> bool:
    return place.id.startswith(f"{group}/")


def _named_by_body(resource: Resource) -> str:
    named = resource.properties.get("keyVaultReferenceIdentity")
    return named.lower() if isinstance(named, str) else ""


def _words(missing: list[str | Need]) -> str:
    first = missing[0]
    if isinstance(first, str):
        return first.rpartition("/")[2]
    return f"role {first.role[:8]}… for {first.identity.rpartition('/')[2]}"
