"""Management groups whose subscriptions join an app by Azure Policy (infra/join.bicep): found by
the role that the app has there, and taken back. What joined is offboarded like any subscription.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from lanyard.desk.onboarding.parts import AUTHORIZATION, Deployment
from lanyard.desk.onboarding.removal import Removal
from lanyard.desk.onboarding.steps import Resources, Step, Verb
from lanyard.desk.onboarding.template import guid
from lanyard.desk.onboarding.topics import assigned_role, scope_of
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded, last_name

#: The name of the policy's definition and of its assignment.
POLICY = "lanyard-join"
POLICIES = "2023-04-01"
_GROUPS = "/providers/microsoft.management/managementgroups/"
_AUTHORIZATION = "providers/Microsoft.Authorization"
_BLOCKED = "not tried: something that it let in is still there"


@dataclass(frozen=True, slots=True)
class Join:
    """What lets the subscriptions below a management group (id) join an app of this installation
    (GUID). `home`: the resource group (id) of its storage. Roles are GUIDs.
    """

    group: str
    installation: str
    home: str

    def _at_group(self, name: str) -> str:
        return guid(self.group, self.installation, name)

    @property
    def role(self) -> str:
        """The app's, by which it is known that the subscriptions join it."""
        return self._at_group("lanyard")

    @property
    def identity_role(self) -> str:
        """The app's other one, where the policy has identities made."""
        return self._at_group("lanyard-identities")

    @property
    def joining(self) -> tuple[str, ...]:
        """Those of the identity that joins subscriptions, at the group."""
        return self._at_group("lanyard-joining"), self._at_group("lanyard-giving")

    @property
    def at_home(self) -> tuple[str, ...]:
        """Those of that identity at the app's storage."""
        names = ("deploying", "giving", "handling")
        return tuple(guid(self.home, "lanyard-joining", name) for name in names)


async def joins_of(resources: Resources, app: Deployment, held: Iterable[str]) -> list[Join]:
    """Those of an app that has these role assignments (ids). Raises Temporary, Permanent."""
    home = ResourceId.parse(app.storage_id).resource_group_id
    above = [id_ for id_ in held if folded(id_).startswith(_GROUPS)]
    found = [await _join(resources, id_, home) for id_ in sorted(above)]
    return [each for each in found if each is not None]


async def _join(resources: Resources, assignment: str, home: str) -> Join | None:
    """By the name of the role, which ends with the installation: its GUID is made of both."""
    given = await resources.read(assignment, AUTHORIZATION)
    if given is None:
        return None
    group, role = scope_of(given), assigned_role(given)
    id_ = f"{group}/{_AUTHORIZATION}/roleDefinitions/{role}"
    definition = await resources.read(id_, AUTHORIZATION) or {}
    title = str((definition.get("properties") or {}).get("roleName") or "")
    join = Join(group, title.rpartition(" ")[2], home)
    return join if folded(role) == join.role else None


@dataclass
class NoMoreJoins:
    """From here on no subscription joins: the policy and its assignment go, and with that the
    identity that joined them.
    """

    resources: Resources
    join: Join
    notes: list[str] = field(default_factory=list)

    @property
    def subscription(self) -> str:
        """The management group (id)."""
        return self.join.group

    async def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps in order; with `write`, each is done before the next."""
        removal, place = Removal(self.resources, write), f"{self.join.group}/{_AUTHORIZATION}"
        assignment = f"{place}/policyAssignments/{POLICY}"
        definition = f"{place}/policyDefinitions/{POLICY}"
        try:
            if await self._is_anothers(assignment):
                self.notes.append(f"kept: {assignment}, by which subscriptions join another app")
                return
            for id_, what in ((assignment, "policy assignment"), (definition, "policy definition")):
                if await self.resources.read(id_, POLICIES) is not None:
                    yield await removal.of(id_, POLICIES, f"{what} {POLICY}")
        except LanyardError as error:
            yield Step(place, f"policy {POLICY}", Verb.KEEP, error=str(error))

    async def _is_anothers(self, assignment: str) -> bool:
        found = await self.resources.read(assignment, POLICIES) or {}
        given = (found.get("properties") or {}).get("parameters") or {}
        watch = (given.get("watch") or {}).get("value") or {}
        return bool(found) and folded(str(watch.get("installation"))) != self.join.installation


@dataclass
class JoinRights:
    """The roles of an app and of the identity that joined subscriptions to it. `blocked`: a
    subscription is still watched, and by the app's role it is known that it joined.
    """

    resources: Resources
    app: Deployment
    join: Join
    blocked: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def subscription(self) -> str:
        """The management group (id)."""
        return self.join.group

    async def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps in order; with `write`, each is done before the next. The app's role is last:
        by it the rest is found.
        """
        join, removal = self.join, Removal(self.resources, write)
        if self.blocked:
            yield Step(join.group, "the rights there", Verb.KEEP, error=_BLOCKED)
            return
        for place, roles in (
            (join.home, join.at_home),
            (join.group, (*join.joining, join.identity_role)),
            (join.group, (join.role,)),
        ):
            try:
                async for step in self._roles(place, roles, removal):
                    yield step
            except LanyardError as error:
                yield Step(place, "the roles there", Verb.KEEP, error=str(error))
                return
            if removal.failed:
                return

    async def _roles(
        self, place: str, roles: tuple[str, ...], removal: Removal
    ) -> AsyncIterator[Step]:
        """Their assignments at a place (id) and in it, then they themselves."""
        collection = f"{place}/{_AUTHORIZATION}/roleAssignments"
        for each in await self.resources.every(collection, AUTHORIZATION):
            if folded(assigned_role(each)) in roles:
                what = f"assignment of custom role at {last_name(scope_of(each))}"
                yield await removal.of(str(each["id"]), AUTHORIZATION, what)
        if removal.failed:
            return
        for role in roles:
            id_ = f"{place}/{_AUTHORIZATION}/roleDefinitions/{role}"
            if await self.resources.read(id_, AUTHORIZATION) is not None:
                yield await removal.of(id_, AUTHORIZATION, "definition of custom role")
