"""Carries the script out on the local Azure, through ARM, as people with rights of their own do."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from chaos.oracle import READER, attached, system_principal
from chaos.script import (
    APP,
    LOCATION,
    SITE,
    VM,
    Create,
    Delete,
    DeleteAssignment,
    DeleteGroup,
    DeleteIdentity,
    Exclude,
    GiveRole,
    Life,
    Move,
    Replace,
    Retag,
    Script,
    Step,
    Strip,
    SystemOff,
    Tags,
    Upheaval,
)
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.state import Json, Principal, Resource, RoleAssignment
from simulator.transport import Answer, ask

_VERSIONS = {VM: "2024-11-01", SITE: "2025-05-01", APP: "2025-07-01"}
_BODIES: dict[str, Json] = {
    VM: {"properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}},
    SITE: {"kind": "app", "properties": {}},
    APP: {"properties": {}},
}
_AUTHORIZATION = "providers/Microsoft.Authorization"
#: Lives that go on side by side.
_AT_ONCE = 32
#: ARM refuses while it is at work on a resource or its group: people try again.
_PAUSE, _TRIES = 0.3, 100
#: Nobody deletes a resource and makes it again in less than the seconds that clocks may differ by.
_AGAIN = 2.0


class PeopleFailed(Exception):
    """ARM refused what the script asks for: a fault of the storm's own."""


@dataclass
class People:
    """Everybody who works in the subscription. `done` counts steps by their kind.

    `may_begin` is awaited before each life: people wait for Lanyard where it lags far behind.
    """

    azure: Azure
    principal: Principal
    subscription: str
    may_begin: Callable[[], Awaitable[None]]

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.begun = 0
        self._foreign = ""
        token = self.azure.tokens.issue(self.principal, "https://management.azure.com")[0]
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def prepare(self, script: Script) -> None:
        """The groups, and an identity that is none of Lanyard's business."""
        for group in ("rg-people", "rg-shared", *script.groups):
            await self._call("PUT", self._group(group), "2022-09-01", {"location": LOCATION})
        self._foreign = (
            f"{self._group('rg-people')}/providers"
            "/Microsoft.ManagedIdentity/userAssignedIdentities/id-foreign"
        )
        await self._call("PUT", self._foreign, "2024-11-30", {"location": LOCATION})

    async def act(self, script: Script) -> None:
        """Every life from its beginning to its end, many side by side."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for number, life in enumerate(script.lives):
                await self.may_begin()
                await slots.acquire()
                task = tasks.create_task(self._live(life))
                task.add_done_callback(lambda _: slots.release())
                if upheaval := script.upheavals.get(number):
                    tasks.create_task(self._upheave(upheaval))
                self.begun += 1

    async def delete_identity(self, identity: str) -> None:
        """Delete one; returns when it is gone."""
        await self._delete(identity, "2024-11-30")

    async def detach_identity(self, resource_id: str, identity: str) -> None:
        """Take one off a resource."""
        found = self._find(resource_id)
        if found is None or identity not in attached(found):
            return
        kind = next(kind for kind in _VERSIONS if f"/{kind.lower()}/" in resource_id.lower())
        left = attached(found).keys() - {identity}
        kinds = ["SystemAssigned"] if system_principal(found) else []
        block: Json = {"type": ", ".join([*kinds, *(["UserAssigned"] if left else [])]) or "None"}
        if left:
            block["userAssignedIdentities"] = {**{each: {} for each in left}, identity: None}
        await self._call("PATCH", resource_id, _VERSIONS[kind], {"identity": block})

    async def _live(self, life: Life) -> None:
        group = life.group
        for pause, step in life.steps:
            await self._sleep(pause)
            await self._step(life, self._id(life, group), step)
            group = step.group if isinstance(step, Move) else group

    async def _step(self, life: Life, resource_id: str, step: Step) -> None:
        version, kind = _VERSIONS[life.type], type(step).__name__
        resource = self._find(resource_id)
        if resource is None and not isinstance(step, Create):
            self.done["skipped, it is gone"] += 1
            return
        match step:
            case Create():
                await self._sleep(_AGAIN)
                await self._call("PUT", resource_id, version, self._body(life, step))
            case Retag() | Exclude():
                tags = _tags_after(resource, step)
                await self._call("PATCH", resource_id, version, {"tags": tags})
            case Replace():
                again = Create(dict(resource.tags) if resource else {}, system=False, foreign=False)
                await self._delete(resource_id, version)
                await self._sleep(_AGAIN)
                await self._call("PUT", resource_id, version, self._body(life, again))
            case Strip():
                await self._call("PATCH", resource_id, version, {"identity": {"type": "None"}})
            case SystemOff():
                block = _without_system(resource)
                # Refused where one of the others was deleted meanwhile.
                await self._call("PATCH", resource_id, version, {"identity": block}, fine=[400])
            case GiveRole():
                await self._give_role(system_principal(resource))
            case Move(group=group):
                await self._move(life, resource_id, group)
            case Delete():
                await self._delete(resource_id, version)
        self.done[kind] += 1

    async def _upheave(self, upheaval: Upheaval) -> None:
        identities = f"{self._group('rg-identities')}/providers/Microsoft.ManagedIdentity"
        identities += "/userAssignedIdentities"
        match upheaval:
            case DeleteGroup(group=group):
                await self._delete(self._group(group), "2022-09-01")
                await self._call("PUT", self._group(group), "2022-09-01", {"location": LOCATION})
            case DeleteIdentity(name=name):
                await self._call("DELETE", f"{identities}/{name}", "2024-11-30")
            case DeleteAssignment(identity=name):
                await self._delete_assignments(f"{identities}/{name}")
        self.done[type(upheaval).__name__] += 1

    async def _give_role(self, principal: str) -> None:
        if not principal:
            return
        name, scope = str(self.azure.state.ids.uuid()), self._group("rg-people")
        definition = f"/subscriptions/{self.subscription}/{_AUTHORIZATION}/roleDefinitions/{READER}"
        properties = {
            "roleDefinitionId": definition,
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }
        path = f"{scope}/{_AUTHORIZATION}/roleAssignments/{name}"
        await self._call("PUT", path, "2022-04-01", {"properties": properties}, fine=[409])

    async def _delete_assignments(self, identity: str) -> None:
        found = self._find(identity)
        principal = found.properties["principalId"] if found else None
        standing = list(self.azure.state.role_assignments.values())
        found_there = [each for each in standing if each.principal_id == principal]
        for number, assignment in enumerate(found_there):
            if number % 2 and assignment.condition:
                await self._lift_condition(assignment)
            else:
                await self._call("DELETE", assignment.id, "2022-04-01")

    async def _lift_condition(self, assignment: RoleAssignment) -> None:
        """As the portal does it: everything else is sent as it was read."""
        properties = {
            "roleDefinitionId": assignment.role_definition_id,
            "principalId": assignment.principal_id,
            "principalType": "ServicePrincipal",
            "description": assignment.description,
        }
        # One that went meanwhile would be made anew, without an owner.
        if assignment.id.lower() in self.azure.state.role_assignments:
            await self._call("PUT", assignment.id, "2022-04-01", {"properties": properties}, [409])

    async def _move(self, life: Life, old: str, group: str) -> None:
        """By ARM. Returns when it is there; what was deleted meanwhile is nowhere."""
        new, source = self._id(life, group), old.partition("/providers/")[0]
        if new == old:
            return
        wanted = {"resources": [old], "targetResourceGroup": self._group(group)}
        await self._call("POST", f"{source}/moveResources", "2022-09-01", wanted)
        while self._find(old) is not None:
            await self._sleep(_PAUSE)

    async def _delete(self, resource_id: str, version: str) -> None:
        """Returns when it is gone."""
        await self._call("DELETE", resource_id, version)
        while self._find(resource_id) is not None:
            await self._sleep(_PAUSE)

    async def _call(
        self,
        method: str,
        path: str,
        version: str,
        body: Json | None = None,
        fine: Collection[int] = (),
    ) -> None:
        """One request; what is busy is tried again, what is gone meanwhile is left alone."""
        for _ in range(_TRIES):
            answer = await self._send(method, path, version, body)
            if answer.status < 300 or answer.status == 404 or answer.status in fine:
                return
            if answer.status != 409:
                break
            await self._sleep(_PAUSE)
        raise PeopleFailed(f"{method} {path}: {answer.status} {answer.content.decode()[:300]}")

    async def _send(self, method: str, path: str, version: str, body: Json | None) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{IN_PROCESS_URL}{path}?api-version={version}"
        return await ask(self.azure.app, method, url, self._headers, content)

    async def _sleep(self, seconds: float) -> None:
        clock = self.azure.clock
        await clock.sleep_until(clock.now() + seconds)

    def _body(self, life: Life, step: Create) -> Json:
        identity: Json = {}
        if step.system or step.foreign:
            kinds = ["SystemAssigned"] * step.system + ["UserAssigned"] * step.foreign
            identity = {"type": ", ".join(kinds)}
        if step.foreign:
            identity["userAssignedIdentities"] = {self._foreign: {}}
        block: Json = {"identity": identity} if identity else {}
        return {"location": LOCATION, "tags": step.tags, **_BODIES[life.type], **block}

    def _find(self, resource_id: str) -> Resource | None:
        return self.azure.state.resources.get(resource_id.lower())

    def _group(self, name: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{name}"

    def _id(self, life: Life, group: str) -> str:
        return f"{self._group(group)}/providers/{life.type}/{life.name}"


def _tags_after(resource: Resource | None, step: Retag | Exclude) -> Tags:
    if isinstance(step, Retag):
        return step.tags
    tags = dict(resource.tags) if resource else {}
    tags.pop("lanyard", None)
    return tags | ({"lanyard": "ignore"} if step.on else {})


def _without_system(resource: Resource | None) -> Json:
    kept: Json = {each: {} for each in attached(resource)}
    return {"type": "UserAssigned", "userAssignedIdentities": kept} if kept else {"type": "None"}
