"""Requests to ARM as somebody: people, Terraform, or what is amiss in Lanyard itself."""

import json
from dataclasses import dataclass
from typing import Any

from simulator.azure import IN_PROCESS_URL, Azure
from simulator.state import Principal
from simulator.transport import Answer, ask
from tests.support.histories.places import LOCATION, ROLES, Place, group_id, identity_id

_AUDIENCE = "https://management.azure.com"
_PROFILE = {"hardwareProfile": {"vmSize": "Standard_B1s"}}


@dataclass(frozen=True)
class Person:
    """One caller of ARM. Nothing raises: a refused request is a step that did nothing."""

    azure: Azure
    principal: Principal

    async def make_group(self, group: str) -> None:
        """Make a resource group, or leave it as it is."""
        await self._ask("PUT", group_id(group), "2021-04-01", {"location": LOCATION})

    async def kill_group(self, group: str) -> None:
        """Delete a group and all below it."""
        await self._ask("DELETE", group_id(group), "2021-04-01")

    async def make(self, place: Place, tags: dict[str, str], holds: tuple[str, ...]) -> None:
        """A new resource, with these identities in its template."""
        body: dict[str, Any] = {"location": LOCATION, "tags": tags, "properties": {}}
        if not place.is_web:
            body["properties"] = _PROFILE
        if holds:
            body["identity"] = _block({identity_id(name): {} for name in holds})
        await self._ask("PUT", place.id, place.version, body)

    async def kill(self, place: Place) -> None:
        """Delete the resource."""
        await self._ask("DELETE", place.id, place.version)

    async def move(self, place: Place, group: str) -> None:
        """Move the resource, and what is below it, into another group."""
        body = {"resources": [place.id], "targetResourceGroup": group_id(group)}
        await self._ask("POST", f"{group_id(place.group)}/moveResources", "2022-09-01", body)

    async def tag(self, place: Place, tags: dict[str, str]) -> None:
        """These tags and no others."""
        await self._ask("PATCH", place.id, place.version, {"tags": tags})

    async def attach(self, place: Place, identity: str) -> None:
        """Attach an identity, whatever else is attached."""
        await self._patch_identity(place, {identity_id(identity): {}})

    async def detach(self, place: Place, identity: str) -> None:
        """Detach an identity that the resource has."""
        found = self.azure.state.resources.get(place.id)
        block = ((found and found.identity) or {}).get("userAssignedIdentities") or {}
        gone = [each for each in block if each.lower() == identity_id(identity)]
        if (
            gone
            and len(gone) == len(block)
            and not ((found and found.identity) or {}).get("principalId")
        ):
            await self._ask("PATCH", place.id, place.version, {"identity": {"type": "None"}})
        elif gone:
            await self._patch_identity(place, dict.fromkeys(gone))

    async def use(self, place: Place, identity: str) -> None:
        """Have an app read its secrets as an identity."""
        body = {"properties": {"keyVaultReferenceIdentity": identity_id(identity)}}
        await self._ask("PATCH", place.id, place.version, body)

    async def make_identity(self, identity: str) -> None:
        """A user-assigned identity, new where there is none."""
        await self._ask("PUT", identity_id(identity), "2024-11-30", {"location": LOCATION})

    async def kill_identity(self, identity: str) -> None:
        """Delete a user-assigned identity."""
        await self._ask("DELETE", identity_id(identity), "2024-11-30")

    async def grant(
        self, principal: str, role: str, scope: str, *, name: str, note: str, on: str = ""
    ) -> None:
        """A role assignment under this name, on this condition."""
        definition = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"
        properties = {
            "roleDefinitionId": definition,
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "description": note,
            **({"condition": on, "conditionVersion": "2.0"} if on else {}),
        }
        await self._ask("PUT", _assignment(scope, name), "2022-04-01", {"properties": properties})

    async def revoke(self, assignment_id: str) -> None:
        """Delete a role assignment."""
        await self._ask("DELETE", assignment_id, "2022-04-01")

    async def lock(self, group: str) -> None:
        """Nothing in the group can be deleted from now on."""
        await self._ask(
            "PUT", _lock(group), "2020-05-01", {"properties": {"level": "CanNotDelete"}}
        )

    async def unlock(self, group: str) -> None:
        """Take the lock off."""
        await self._ask("DELETE", _lock(group), "2020-05-01")

    async def _patch_identity(self, place: Place, block: dict[str, Any]) -> None:
        found = self.azure.state.resources.get(place.id)
        if found is None:
            return
        system = bool((found.identity or {}).get("principalId"))
        await self._ask(
            "PATCH", place.id, place.version, {"identity": _block(block, system=system)}
        )

    async def _ask(self, method: str, path: str, version: str, body: Any = None) -> Answer:
        token, _ = self.azure.tokens.issue(self.principal, _AUDIENCE)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{IN_PROCESS_URL}{path}?api-version={version}"
        return await ask(self.azure.app, method, url, headers, content)


def _block(identities: dict[str, Any], *, system: bool = False) -> dict[str, Any]:
    kind = "SystemAssigned, UserAssigned" if system else "UserAssigned"
    return {"type": kind, "userAssignedIdentities": identities}


def _assignment(scope: str, name: str) -> str:
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _lock(group: str) -> str:
    return f"{group_id(group)}/providers/Microsoft.Authorization/locks/keep"
