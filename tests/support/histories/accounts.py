"""Who did what, by the state of the local Azure itself, seen as it happens."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.arm.pipeline import acting
from simulator.azure import Azure
from simulator.identity import UAMI_TYPE
from simulator.state import Resource, RoleAssignment
from tests.support.histories.places import SYSTEM, place_of
from tests.support.histories.policies import Need

#: Seconds for which ARM's replicas may not show an attachment: a look that does not is no proof.
_REPLICA_LAG = 300.0
#: The installation that a history is about, and the second one beside it.
LANYARD, ANOTHER = "Lanyard", "another installation"
INSTALLATIONS = (LANYARD, ANOTHER)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Something that an installation of Lanyard took away."""

    #: On the clock.
    at: float
    #: "detach", "revoke" or "delete" (an identity).
    kind: str
    #: Which of `INSTALLATIONS` did it.
    by: str = LANYARD
    #: The resource (lower-case id) that lost an identity; "" for the other kinds.
    resource: str = ""
    #: The identity (lower-case id, or `SYSTEM`) that is about.
    identity: str = ""
    #: What a revoked assignment gave; None for the other kinds.
    need: Need | None = None
    #: Of a revoked assignment: its principal (object id).
    principal: str = ""
    #: Who had made it: one of `INSTALLATIONS`, or a person's name.
    maker: str
    #: Who, besides its maker, changed it since; "" for nobody.
    editor: str = ""
    #: It was adopted once, and released again.
    released: bool = False
    #: The identity behind it is gone, or was made again since: nobody could use what was taken.
    dead: bool = False

    def __str__(self) -> str:
        name = self.identity.rpartition("/")[2]
        if self.kind == "detach":
            return f"{name} was detached from {_short(self.resource)}"
        if self.need is not None:
            role = self.need.role[:8]
            return f"role {role}… at {_short(self.need.scope)} was revoked from {name}"
        return f"identity {name} was deleted"


@dataclass
class Given:
    """A role assignment. `editor`: who changed it after it was made, "" for nobody. `drifted`:
    somebody changed no more than its condition.
    """

    maker: str
    need: Need
    editor: str = ""
    drifted: bool = False


@dataclass(frozen=True)
class Judges:
    """Who is told of what Lanyard does, before it is done."""

    #: Something was taken.
    taken: Callable[[Taken], None]
    #: An identity was attached: the resource as it was, the identity's lower-case id, by which of
    #: `INSTALLATIONS`.
    attached: Callable[[Resource, str, str], None]
    #: An assignment was written over: what it gave, and whose it was.
    overwritten: Callable[[Need, str], None]
    #: An assignment was made or changed: what it gives, as it was (None: it is new), as it is, and
    #: by which of `INSTALLATIONS`.
    given: Callable[[Need, RoleAssignment | None, RoleAssignment, str], None]
    #: An identity was made, by the first installation.
    made: Callable[[Resource], None]


class Accounts:
    """Observes an Azure from now on. `names`: who is who, by object ids; Azure itself is ""."""

    def __init__(self, azure: Azure, names: dict[str, str], judges: Judges) -> None:
        self._azure = azure
        #: Who is who, by object ids.
        self.names = names
        self._judges = judges
        #: Since when each resource lives, on the clock.
        self.born: dict[str, float] = {}
        self.attached: dict[tuple[str, str], str] = {}  # (resource, identity) → who attached it
        self.given: dict[str, Given] = {}  # by lower-case id
        self.identities: dict[str, str] = {}  # id → who made it
        #: Contents that somebody else's assignment gave at some time.
        self.foreign_needs: set[tuple[str, str, str]] = set()
        #: (principal, need) that somebody else gave in the place of an installation's assignment.
        self.handed_over: set[tuple[str, Need]] = set()
        #: (resource, identity) where somebody else attached what Lanyard had attached before.
        self.again: set[tuple[str, str]] = set()
        #: Identities that two installations made in one moment: the later one's tags are on them.
        self.contested: set[str] = set()
        #: … so soon after it that a look in between was no proof that it had gone.
        self.in_doubt: set[tuple[str, str]] = set()
        #: Of adopted assignments (lower-case ids): who had made each, and how it was described.
        self.adopted: dict[str, tuple[str, str | None]] = {}
        #: What was adopted, and released again: assignments, and (resource, identity).
        self.released: set[str | tuple[str, str]] = set()
        #: How often somebody took away, or changed, what an installation gave.
        self.takings = 0
        self._attached_at: dict[tuple[str, str], float] = {}
        self._ever: set[tuple[str, str]] = set()
        self._taken_from_us: set[tuple[str, Need]] = set()
        self._named: set[str] = set()  # identities that Lanyard made at any time
        #: What is being moved: from which id to which (lower case).
        self.moving: dict[str, str] = {}
        self._carried: dict[str, dict[str, tuple[str, bool, bool]]] = {}
        azure.state.resources.observe(self._resource)
        azure.state.role_assignments.observe(self._assignment)

    def who(self) -> str:
        """Whose request is being answered."""
        return self.names.get(acting.get(), acting.get())

    def had(self, resource: str, identity: str) -> bool:
        """Whether Lanyard ever attached an identity to a resource (lower-case ids)."""
        return (resource, identity) in self._ever

    def is_remade(self, identity: str) -> bool:
        """Whether somebody else made an identity under a name that Lanyard had used."""
        return identity in self._named

    def adopt(self, key: str, described: str | None) -> None:
        """A person had an assignment adopted, which was described so."""
        was = self.given[key]
        self.adopted[key] = was.maker, described
        self.released.discard(key)
        self.given[key] = Given(LANYARD, was.need)

    def release(self, key: str, described: str | None) -> bool:
        """A person released it; whether it is described as before."""
        maker, before = self.adopted.pop(key)
        self.released.add(key)
        self.given[key] = Given(maker, self.given[key].need, editor="Anna")
        return described == before

    def take_over(self, here: tuple[str, str], *, back: bool) -> None:
        """A person had an attachment adopted; `back`: released."""
        if back:
            self.released.add(here)
            self.attached[here] = "Anna"
        else:
            self.released.discard(here)
            self._ever.add(here)
            self.attached[here] = LANYARD
            self._attached_at[here] = self._azure.clock.now()

    def _resource(self, key: str, before: Resource | None, after: Resource | None) -> None:
        found = after or before
        assert found is not None
        if found.type.lower() == UAMI_TYPE:
            self._identity(key, before, after)
        elif place_of(key) is not None:
            self._attachments(key, before, after)

    def _identity(self, key: str, before: Resource | None, after: Resource | None) -> None:
        if after is None:
            maker = self.identities.pop(key)
            if self.who() in INSTALLATIONS:
                self._take(kind="delete", identity=key, maker=maker)
        elif before is None:
            self.identities[key] = self.who()
            if self.who() == LANYARD:
                self._named.add(key)
                self._judges.made(after)
        elif self.who() in INSTALLATIONS and self.who() != self.identities[key]:
            self.contested.add(key)

    def _attachments(self, key: str, before: Resource | None, after: Resource | None) -> None:
        had, has = attached(before), attached(after)
        if before is None:
            self.born[key] = self._azure.clock.now()
        if after is None and key in self.moving:
            self._leave(key, had)
            return
        if key in self._carried:
            self._arrive(key)
            return
        for identity in had.keys() - has.keys():
            maker = self.attached.pop((key, identity))
            self.takings += maker in INSTALLATIONS and self.who() not in INSTALLATIONS
            if self.who() in INSTALLATIONS and after is not None:
                dead = had[identity] not in ("", principal_of(self._azure, identity))
                released = (key, identity) in self.released
                self._take(
                    kind="detach",
                    resource=key,
                    identity=identity,
                    maker=maker,
                    released=released,
                    dead=dead,
                )
            self.released.discard((key, identity))
        for identity in has.keys() - had.keys():
            here = key, identity
            self.attached[here] = self.who()
            if self.who() in INSTALLATIONS:
                assert before is not None, "Lanyard makes no resource"
                self._judges.attached(before, identity, self.who())
                self._attached_at[here] = self._azure.clock.now()
                self.in_doubt.discard(here)
            if self.who() == LANYARD:
                self._ever.add(here)
            elif here in self._ever:
                self._attached_again(here)

    def _attached_again(self, here: tuple[str, str]) -> None:
        self.again.add(here)
        if self._azure.clock.now() - self._attached_at.get(here, 0.0) < _REPLICA_LAG:
            self.in_doubt.add(here)

    def _leave(self, key: str, had: dict[str, str]) -> None:
        """A resource is moved away: who attached what goes with it."""
        self._carried[self.moving[key]] = {
            identity: (
                self.attached.pop((key, identity)),
                (key, identity) in self._ever,
                (key, identity) in self.again,
            )
            for identity in had
        }

    def _arrive(self, key: str) -> None:
        for identity, (maker, ever, again) in self._carried.pop(key).items():
            here = key, identity
            self.attached[here] = maker
            self._ever |= {here} if ever else set()
            self.again |= {here} if again else set()

    def _assignment(
        self, key: str, before: RoleAssignment | None, after: RoleAssignment | None
    ) -> None:
        if before is None and after is not None:
            self._note_given(key, after)
        elif before is not None and after is not None:
            self._written_over(self.given.get(key), before, after)
        elif before is not None:
            made = self.given.pop(key, None)
            self.adopted.pop(key, None)
            if made is not None and self.who() in INSTALLATIONS:
                self._revoked(before, made, released=key in self.released)
            elif made is not None and made.maker in INSTALLATIONS:
                self.takings += 1
                self._taken_from_us.add((before.principal_id, made.need))
            self.released.discard(key)

    def _written_over(
        self, made: Given | None, before: RoleAssignment, after: RoleAssignment
    ) -> None:
        who = self.who()
        if made is None:
            return
        whose = made.editor or made.maker
        if who in INSTALLATIONS and whose != who:
            self._judges.overwritten(made.need, whose)
        elif who in INSTALLATIONS:
            if not made.drifted:
                self._judges.given(made.need, before, after, who)
            made.drifted = False
        elif before.description == after.description:
            made.drifted = True
            self.takings += 1
        elif who != made.maker:
            made.editor = who

    def _note_given(self, key: str, made: RoleAssignment) -> None:
        need = self.need_of(made)
        self.given[key] = Given(self.who(), need)
        if self.who() in INSTALLATIONS:
            self._judges.given(need, None, made, self.who())
        else:
            self.foreign_needs.add((made.principal_id, need.role, need.scope))
            if (made.principal_id, need) in self._taken_from_us:
                self.handed_over.add((made.principal_id, need))

    def _revoked(self, gone: RoleAssignment, made: Given, *, released: bool) -> None:
        self._take(
            kind="revoke",
            identity=made.need.identity,
            need=made.need,
            principal=gone.principal_id,
            maker=made.maker,
            editor=made.editor,
            released=released,
            dead=not self.is_alive(gone.principal_id),
        )

    def _take(self, **what: object) -> None:
        now, who = self._azure.clock.now(), self.who()
        self._judges.taken(Taken(at=now, by=who, **what))  # type: ignore[arg-type]

    def is_alive(self, principal: str) -> bool:
        """Whether a principal is in the directory."""
        found = self._azure.state.principals.get(principal)
        return found is not None and found.deleted_at is None

    def need_of(self, made: RoleAssignment) -> Need:
        """What an assignment gives, by the principal's own names, which outlive what it is of."""
        found = self._azure.state.principals.get(made.principal_id)
        names = found.alternative_names if found is not None else []
        explicit, identity = names if len(names) == 2 else ("", "somebody")
        named = SYSTEM if explicit == "isExplicit=False" else identity.lower()
        return Need(named, made.role_definition_id.rpartition("/")[2].lower(), made.scope.lower())


def attached(resource: Resource | None) -> dict[str, str]:
    """The user-assigned identities it shows: lower-case id → principal ("" before it is known)."""
    block = ((resource and resource.identity) or {}).get("userAssignedIdentities") or {}
    return {each.lower(): value.get("principalId", "") for each, value in block.items()}


def system_principal(resource: Resource) -> str:
    """The principal of its system-assigned identity, or ""."""
    return str((resource.identity or {}).get("principalId", ""))


def principal_of(azure: Azure, identity: str) -> str:
    """Of a user-assigned identity by its lower-case id; "" where there is none."""
    found = azure.state.resources.get(identity)
    return str(found.properties["principalId"]) if found is not None else ""


def _short(resource_id: str) -> str:
    return "/".join(resource_id.split("/")[4:])
