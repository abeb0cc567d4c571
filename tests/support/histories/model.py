"""Follows a history beside the estate, and knows of every attachment, identity and assignment who
made it, and of which living resource the policy wants it. What is not as promised it `finds`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from lanyard.record.held import Entry
from simulator.azure import Azure
from simulator.state import Resource, RoleAssignment
from tests.support.histories.accounts import (
    ANOTHER,
    INSTALLATIONS,
    LANYARD,
    Accounts,
    Judges,
    Taken,
    attached,
    principal_of,
    system_principal,
)
from tests.support.histories.circumstances import Circumstances
from tests.support.histories.evidence import Looks
from tests.support.histories.places import PLACES, RIGHTS, SYSTEM, Place
from tests.support.histories.policies import TAGS, Due, Need, Policy, asking, due

_HOUR = 3600.0
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


class Model:
    """One estate under its policies. `lanyard`: the object id of the app's own identity."""

    def __init__(self, azure: Azure, names: dict[str, str], lanyard: str, policy: Policy) -> None:
        self.azure = azure
        self.accounts = Accounts(
            azure,
            names,
            Judges(self._judge, self._attached, self._overwritten, self._given, self._made),
        )
        self.policy = policy
        #: The second installation's, while there is one.
        self.policy_of_another: Policy | None = None
        self.orders = Orders()
        self.circumstances = Circumstances()
        self.findings: list[Finding] = []
        #: What Lanyard took since the last look.
        self.taken: list[Taken] = []
        #: What Lanyard saw and was told, and the second installation.
        self.looks = {LANYARD: Looks(azure, self.accounts.born, lanyard)}
        #: Whether Resource Graph ever lagged or lied: then its listing deceives, too.
        self.graph_lied = False
        #: What the last sweep could see: assignments and attachments.
        self.known = 0
        #: Entries that a person released, by their ids.
        self.released: dict[str, Entry] = {}
        self._since: dict[tuple[str, str | Need], float] = {}
        self._last_wanted: dict[Thing, float] = {}
        #: The numbers of the rules that ever asked for it.
        self._asking: defaultdict[Thing, set[int]] = defaultdict(set)
        #: What is not wanted, and was not while a rule that may have given it took things back.
        self._may_go: set[Thing] = set()
        #: What a resource was due at any time, in any of its lives.
        self._ever: defaultdict[str, set[Need]] = defaultdict(set)
        #: What its present life was due, by the resource and the moment when that was born.
        self._of_life: defaultdict[tuple[str, float], set[Need]] = defaultdict(set)
        self._spent: Counter[tuple[str, int]] = Counter()
        self._share: Counter[int] = Counter()

    def policies(self) -> dict[str, Policy]:
        """Of each installation."""
        another = self.policy_of_another
        return {LANYARD: self.policy} | ({} if another is None else {ANOTHER: another})

    def admit_another(self, app: str, policy: Policy) -> None:
        """A second installation begins, with this identity (object id)."""
        events = self.looks[LANYARD].events
        self.looks[ANOTHER] = Looks(self.azure, self.accounts.born, app, events)
        self.accounts.names[app] = ANOTHER
        self.policy_of_another = policy

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
            self._note_rules(place, resource)
        self._may_go |= {
            thing
            for thing, at in self._last_wanted.items()
            if at != now and not self._is_careful(thing)
        }
        self._may_go -= {thing for thing, at in self._last_wanted.items() if at == now}
        self._since = {key: at for key, at in self._since.items() if key in wanted}

    def _note_rules(self, place: Place, resource: Resource) -> None:
        for number, thing in asking(self.policy, resource):
            if isinstance(thing, Need):
                self._asking["revoke", "", self.principal(thing, resource), thing].add(number)
            else:
                self._asking["detach", place.id, thing, None].add(number)
                self._asking["delete", "", thing, None].add(number)

    def _is_careful(self, thing: Thing) -> bool:
        """Whether every rule that ever asked for it is in a mode in which it takes nothing back."""
        rules, numbers = self.policy.rules, self._asking[thing]
        return bool(numbers) and all(
            number < len(rules) and rules[number].how != "full" for number in numbers
        )

    def look(self) -> None:
        """What was due at one moment has been worked on, or a step is over."""
        for place, resource in self.living():
            lost = [each for each in self.taken if self._is_loss(each, place)]
            missing = self.missing(place, resource)
            if lost and missing and place.id not in self.orders.released:
                moved = place.id in self.circumstances.moved
                promise = self.circumstances.taken("16.1 make before break", moved=moved)
                self._find(promise, f"{lost[0]}, while {place.name} has no {_words(missing)}")
        self.taken.clear()

    @contextmanager
    def moving(self, moves: dict[str, str]) -> Iterator[None]:
        """Resources (lower-case ids) are moved meanwhile: what is known of them goes with them."""
        resources = self.azure.state.resources
        there = {old for old in moves if old in resources}
        self.accounts.moving = moves
        yield
        self.accounts.moving = {}
        for old in there:
            if old not in resources:
                self._moved(old, moves[old])

    def _moved(self, old: str, new: str) -> None:
        before, now = (old, self.accounts.born.get(old, 0.0)), (new, self._now())
        self._of_life[now] |= self._of_life.pop(before, set())
        self._ever[new] |= self._ever.pop(old, set())
        for kind, resource, about, need in [key for key in self._last_wanted if key[1] == old]:
            at = self._last_wanted[kind, resource, about, need]
            self._last_wanted[kind, new, about, need] = at
            self._asking[kind, new, about, need] |= self._asking[kind, resource, about, need]
        self.circumstances.move(old, new)
        orders = self.orders
        orders.released |= {new} if old in orders.released else set()
        orders.dismissed.pop(old, None)

    def counts(self) -> tuple[Counter[tuple[str, int]], Counter[int]]:
        """How much of the budget is used, as a copy."""
        return self._spent.copy(), self._share.copy()

    def set_counts(self, counts: tuple[Counter[tuple[str, int]], Counter[int]]) -> None:
        """The budget is as it was then."""
        self._spent, self._share = counts[0].copy(), counts[1].copy()

    def swept(self) -> None:
        """A sweep has read all: an own identity that only its resource has is known again."""
        self.circumstances.relearning = False
        if self.graph_lied:
            return
        holders: defaultdict[str, list[Place]] = defaultdict(list)
        for place, resource in self.living():
            for identity in attached(resource):
                holders[identity].append(place)
        self.circumstances.unknown_identities -= {
            identity
            for identity, places in holders.items()
            if [place.own for place in places] == [identity]
        }

    def resumed(self) -> None:
        """A person went on: the share of this hour counts anew."""
        self.orders.pause = ""
        self._share.clear()

    def living(self) -> Iterator[tuple[Place, Resource]]:
        """The resources of the history that are there."""
        for place in PLACES.values():
            if (found := self.azure.state.resources.get(place.id)) is not None:
                yield place, found

    def missing(
        self, place: Place, resource: Resource, of: str = LANYARD, *, conditions: bool = False
    ) -> list[str | Need]:
        """What the policy of an installation wants for a resource that is not there, dismissed
        things aside; with `conditions` also what is there on another one.
        """
        gives, has = due(self.policies()[of], resource).gives, attached(resource)
        lacking: list[str | Need] = [
            each
            for each in sorted(gives.identities)
            if has.get(each, "none") not in ("", principal_of(self.azure, each))
        ]
        if gives.system and not system_principal(resource):
            lacking.append(SYSTEM)
        lacking += [
            each
            for each in sorted(gives.needs)
            if not self.stands(each, resource)
            or (conditions and self._condition(each, resource) not in gives.on(each))
        ]
        dismissed = self.orders.dismissed[place.id] if of == LANYARD else set()
        return [each for each in lacking if not any(is_about(key, each) for key in dismissed)]

    def kept(self, place: Place, resource: Resource, of: str = LANYARD) -> set[str | Need]:
        """What a resource has of a rule that excludes it, or because its body names it."""
        keeps, has = due(self.policies()[of], resource).keeps, attached(resource)
        found: set[str | Need] = {each for each in keeps.identities if each in has}
        found |= {each for each in keeps.needs if each.identity in has or each.identity == SYSTEM}
        named = _named_by_body(resource)
        stay = {named} & has.keys() | self._left_with(place, keeps.identities, has)
        return found | stay | {each for each in self._ever[place.id] if each.identity in stay}

    def _left_with(self, place: Place, keeps: Collection[str], has: Mapping[str, str]) -> set[str]:
        """Own identities of earlier places of what moved and is excluded: it gets no other."""
        if place.id not in self.circumstances.moved or place.own not in keeps or place.own in has:
            return set()
        return {each.own for each in PLACES.values()} & has.keys()

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

    def stands(self, need: Need, resource: Resource) -> bool:
        """Whether it is given, on whatever condition."""
        return (self.principal(need, resource), need.role, need.scope) in self.standing()

    def _condition(self, need: Need, resource: Resource) -> str:
        principal = self.principal(need, resource)
        found = (
            each.condition or ""
            for each in self.azure.state.role_assignments.values()
            if (each.principal_id, each.scope.lower()) == (principal, need.scope)
            and each.role_definition_id.lower().endswith(need.role)
        )
        return next(found, "")

    def _things(self, place: Place, resource: Resource, told: Due) -> Iterator[Thing]:
        kept = self.kept(place, resource)
        for identity in told.gives.identities | {each for each in kept if isinstance(each, str)}:
            yield "detach", place.id, identity, None
            yield "delete", "", identity, None
        usable = {need for need in told.gives.needs if _can_use(resource, need)}
        for need in usable | {each for each in kept if isinstance(each, Need)}:
            yield "revoke", "", self.principal(need, resource), need

    # The judgement of what Lanyard takes, in the moment in which it does so.

    def _judge(self, taken: Taken) -> None:
        if taken.by == ANOTHER:
            for promise, seen in self._objections_to_another(taken):
                self._find(promise, f"{taken} by {taken.by}{seen}")
            return
        self.taken.append(taken)
        moved = self._was_moved(taken)
        for promise, seen in self._objections(taken):
            self._find(self.circumstances.taken(promise, moved=moved), f"{taken}{seen}")

    def _was_moved(self, taken: Taken) -> bool:
        """Whether it may be about something that came by a move."""
        moved = self.circumstances.moved
        if taken.resource:
            return taken.resource in moved
        places = [place for place in PLACES.values() if place.id in moved]
        if taken.need is None:
            return any(taken.identity in (each.own, _own_before(each)) for each in places)
        return any(taken.need in self._ever[each.id] for each in places)

    def _attached(self, resource: Resource, identity: str, by: str) -> None:
        told = due(self.policies()[by], resource)
        if identity in told.observed and not self.accounts.had(resource.id.lower(), identity):
            name = identity.rpartition("/")[2]
            self._find("27.1 observed", f"{name} was attached to {resource.name}: it is observed")
        if identity not in told.gives.identities:
            name = identity.rpartition("/")[2]
            self._find("given", f"{name} was attached to {resource.name}, which no rule gives")
        owner = next((place for place in PLACES.values() if place.own == identity), None)
        if owner is None or identity in self.accounts.contested or owner.id in self.accounts.moving:
            return
        maker = self.accounts.identities.get(identity)
        if maker != by or owner.id != resource.id.lower():
            name = identity.rpartition("/")[2]
            seen = f"{name}, which {maker} had made, was attached to {resource.name}"
            self._find("18.1 made for it", seen)

    def _made(self, identity: Resource) -> None:
        own = any(place.own == identity.id.lower() for place in PLACES.values())
        if own and not TAGS.items() <= identity.tags.items():
            self._find("18.5 tags", f"{identity.name} was made with the tags {identity.tags}")

    def _given(
        self, need: Need, before: RoleAssignment | None, after: RoleAssignment, by: str
    ) -> None:
        if need.role == RIGHTS:
            self._find("18.3 privileged", f"{need} was given")
        if before is None:
            self._not_only_observed(need, after.principal_id, by)
        had, has = ((each and each.condition) or "" for each in (before, after))
        if before is None or had == has or self.graph_lied or self.circumstances.lost:
            return
        for place, resource in self.living():
            told = due(self.policies()[by], resource)
            if self.principal(need, resource) != after.principal_id:
                continue
            if had in told.gives.on(need) | told.keeps.on(need):
                self._find("18.2 one condition", f"{place.name} had {need} on {had or 'none'}")

    def _not_only_observed(self, need: Need, principal: str, by: str) -> None:
        told = [
            due(self.policies()[by], resource)
            for _, resource in self.living()
            if self.principal(need, resource) == principal
        ]
        asked = [each for each in told if need in each.gives.needs]
        if asked and all(need in each.observed for each in asked):
            self._find("27.1 observed", f"{need} was given: it is observed")

    def _overwritten(self, need: Need, whose: str) -> None:
        self._find("17.2 read before write", f"{whose}'s assignment of {need} was written over")

    def _objections_to_another(self, taken: Taken) -> Iterator[tuple[str, str]]:
        """The second installation has storage, budget and graces of its own: not looked at."""
        yield from self._whose(taken)
        if not taken.dead and not self._is_excused(taken):
            for place, resource in self.living():
                yield from self._used(taken, place, resource)

    def _objections(self, taken: Taken) -> Iterator[tuple[str, str]]:
        yield from self._whose(taken)
        if taken.kind == "revoke" and self.circumstances.relearning and not taken.dead:
            yield "17.3 relearning", " before a sweep has read everything"
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
        doubts = self.accounts
        if (taken.resource, taken.identity) in doubts.in_doubt or (
            taken.kind == "delete" and taken.identity in doubts.contested
        ):
            return
        if taken.maker != taken.by and not taken.dead:
            seen = f", which {taken.maker or 'Azure'} had made"
            yield self._kind_of_theirs(taken), seen
        elif taken.editor and not taken.dead:
            promise = "27.2 released" if taken.released else "17.1 edited"
            yield promise, f", which {taken.editor} had changed"

    def _kind_of_theirs(self, taken: Taken) -> str:
        if taken.released:
            return "27.2 released"
        if taken.maker in INSTALLATIONS:
            return "17.1 two installations"
        if taken.need is not None and (taken.principal, taken.need) in self.accounts.handed_over:
            return "17.1 handed over"
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
        about = taken.principal if taken.kind == "revoke" else taken.identity
        thing = (taken.kind, taken.resource, about, taken.need)
        # What is left of an identity that is gone is cleaned up by the policy's mode.
        left = taken.kind == "revoke" and taken.dead
        if not (released or left) and thing not in self._may_go and self._is_careful(thing):
            yield "27.1 given by", ", which only careful rules ever asked for"
        if self.orders.pause:
            paused = f" while {self.orders.pause} was paused"
            yield "16.6 repair" if repair else "16.6 pause", paused
        if not self.orders.reported:
            yield "16.6 repair" if repair else "reported", " before a sweep"
        # That is another removal.
        for resource, keys in self.orders.dismissed.items():
            if not left and any(takes(key, resource, taken) for key in keys):
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
        told, has = due(self.policies()[taken.by], resource), attached(resource)
        if taken.need is not None and self.principal(taken.need, resource) != taken.principal:
            return
        usable = {need for need in told.gives.needs if _can_use(resource, need)}
        if about in told.gives.identities | usable:
            yield self._kind_of_need(taken, place), f", and {place.name} is due it"
        elif taken.kind == "delete" and taken.identity in has:
            yield "17.4 in use", f", and {place.name} has it"
        if self.is_released(taken) or about not in self.kept(place, resource, taken.by):
            return
        named = taken.identity == _named_by_body(resource)
        promise = "16.4 used elsewhere" if named else "16.5 exclude"
        yield promise, f", and {place.name} {'names' if named else 'keeps'} it"

    def _kind_of_need(self, taken: Taken, place: Place) -> str:
        if self.looks[taken.by].evidence(place).misses:
            return "16.2 gone"
        about: str | Need = taken.need or taken.identity
        since = self._since.get((place.id, about), self._now())
        return "needed" if self.looks[LANYARD].was_read(place.id, since) else "17.3 unseen"

    def _is_excused(self, taken: Taken) -> bool:
        """Whether Lanyard had all evidence that one is gone that wants it, and was deceived."""
        about: str | Need = taken.need or taken.identity
        for place, resource in self.living():
            told = due(self.policies()[taken.by], resource)
            kept = self.kept(place, resource, taken.by)
            wanted = {*told.gives.identities, *told.gives.needs, *kept}
            wanted |= self._ever[place.id] | {place.own}
            if about in wanted and self.looks[taken.by].evidence(place).complete(self.graph_lied):
                return True
        return False

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
        if self.circumstances.lost:
            return False  # whose it was is not known any more
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


def _can_use(resource: Resource, need: Need) -> bool:
    """Nobody misses the role of an identity that it has not got: it is given with the identity."""
    return need.identity == SYSTEM or need.identity in attached(resource)


def _own_before(place: Place) -> str:
    """The identity that a moved resource had for itself where it was before."""
    return PLACES[place.elsewhere].own if place.elsewhere else ""


def _named_by_body(resource: Resource) -> str:
    named = resource.properties.get("keyVaultReferenceIdentity")
    return named.lower() if isinstance(named, str) else ""


def _words(missing: list[str | Need]) -> str:
    first = missing[0]
    if isinstance(first, str):
        return first.rpartition("/")[2]
    return f"role {first.role[:8]}… for {first.identity.rpartition('/')[2]}"
