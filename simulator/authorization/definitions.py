"""Role definitions: the built-in ones with Azure's own ids and actions, and custom ones."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from simulator.authorization import errors
from simulator.authorization.access import Access, role_guid
from simulator.authorization.filters import DefinitionFilter
from simulator.resource_ids import normalise, subscription_of
from simulator.state import Json, RoleDefinition, State
from simulator.times import utc_z

TYPE = "Microsoft.Authorization/roleDefinitions"
_BUILT_IN = "BuiltInRole"
_CUSTOM = "CustomRole"
#: Azure's dates of its built-in roles are not kept here: these are those of Reader.
_READER_CREATED = "2015-02-02T21:55:09.8806423Z"
_READER_UPDATED = "2021-11-11T20:13:47.8628684Z"


@cache
def _built_in_table() -> list[Json]:
    text = files("simulator.authorization").joinpath("built_in_roles.json").read_text("utf-8")
    table: list[Json] = json.loads(text)
    return table


def built_in_roles() -> list[RoleDefinition]:
    """Microsoft's roles as far as the simulator knows them."""
    return [
        RoleDefinition(
            guid=row["id"],
            role_name=row["name"],
            description=row["description"],
            kind=_BUILT_IN,
            actions=row["actions"],
            not_actions=row["notActions"],
            data_actions=row["dataActions"],
            not_data_actions=row["notDataActions"],
        )
        for row in _built_in_table()
    ]


@dataclass(frozen=True)
class RoleDefinitions:
    """All role definitions of the tenant."""

    state: State
    access: Access

    def get(self, name: str) -> RoleDefinition:
        """By GUID. Raises AzureError 404."""
        found = self.state.role_definitions.get(name.lower())
        if found is None:
            raise errors.definition_not_found(name, status=404)
        return found

    def by_name(self, name_or_guid: str) -> RoleDefinition:
        """By display name or GUID, without regard to case. Raises KeyError."""
        wanted = name_or_guid.lower()
        if wanted in self.state.role_definitions:
            return self.state.role_definitions[wanted]
        for role in self.state.role_definitions.values():
            if role.role_name.lower() == wanted:
                return role
        raise KeyError(f"no role named {name_or_guid!r}")

    def list_at(self, scope: str, wanted: DefinitionFilter) -> Iterator[RoleDefinition]:
        """Those that can be assigned at `scope`."""
        for role in self.state.role_definitions.values():
            fits = wanted.role_name in (None, role.role_name.lower()) and not self._lags(role)
            if fits and wanted.kind in (None, role.kind.lower()) and self._assignable(role, scope):
                yield role

    def put(self, name: str, body: Json, caller: str) -> RoleDefinition:
        """Create or replace a custom role. `caller`: an object id."""
        existing = self.state.role_definitions.get(name.lower())
        if existing is not None and existing.kind == _BUILT_IN:
            raise errors.built_in_role(existing.role_name)
        now, first = self.state.clock.now(), existing
        role = replace(
            _read(name, body),
            created_at=first.created_at if first else now,
            created_by=first.created_by if first else caller,
            updated_at=now,
            updated_by=caller,
        )
        self.state.role_definitions[name.lower()] = role
        return role

    def delete(self, name: str) -> RoleDefinition | None:
        """Remove a custom role that is not assigned. None where there is none."""
        role = self.state.role_definitions.get(name.lower())
        if role is None:
            return None
        if role.kind == _BUILT_IN:
            raise errors.built_in_role(role.role_name)
        used = self.state.role_assignments.values()
        if any(role_guid(each.role_definition_id) == role.guid for each in used):
            raise errors.role_in_use(name)
        del self.state.role_definitions[name.lower()]
        return role

    def _lags(self, role: RoleDefinition) -> bool:
        """Whether lists have not heard yet of what was written: its own GUID finds it at once."""
        lag = self.state.behaviour.role_definition_lag_seconds
        return role.updated_at is not None and self.state.clock.now() < role.updated_at + lag

    def _assignable(self, role: RoleDefinition, scope: str) -> bool:
        return any(self.access.covers(each, scope) for each in role.assignable_scopes)


def show(role: RoleDefinition, scope: str, *, written: bool = False) -> Json:
    """The role as listed under `scope`: its id names the subscription, not the group (recorded).

    `written`: as the answer to its PUT, which does not name who made it (recorded).
    """
    made = role.created_at
    subscription = subscription_of(scope)
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "properties": {
            "roleName": role.role_name,
            "type": role.kind,
            "description": role.description,
            "assignableScopes": role.assignable_scopes,
            "permissions": [
                {
                    "actions": role.actions,
                    "notActions": role.not_actions,
                    "dataActions": role.data_actions,
                    "notDataActions": role.not_data_actions,
                }
            ],
            "createdOn": _READER_CREATED if made is None else utc_z(made),
            "updatedOn": _READER_UPDATED if role.updated_at is None else utc_z(role.updated_at),
            "createdBy": None if written else role.created_by,
            "updatedBy": role.updated_by,
        },
        "id": f"{prefix}/providers/{TYPE}/{role.guid}",
        "type": TYPE,
        "name": role.guid,
    }


def _read(name: str, body: Json) -> RoleDefinition:
    properties = body.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("roleName"), str):
        raise errors.bad_request("A role definition needs 'properties' with a 'roleName'.")
    scopes = [normalise(each) for each in _texts(properties, "assignableScopes")]
    if not scopes:
        raise errors.bad_request("A custom role needs at least one of 'assignableScopes'.")
    permissions = properties.get("permissions") or [{}]
    if not isinstance(permissions, list) or not isinstance(permissions[0], dict):
        raise errors.bad_request("'permissions' must be a list of objects.")
    return RoleDefinition(
        guid=name.lower(),
        role_name=properties["roleName"],
        description=str(properties.get("description") or ""),
        kind=_CUSTOM,
        actions=_texts(permissions[0], "actions"),
        not_actions=_texts(permissions[0], "notActions"),
        data_actions=_texts(permissions[0], "dataActions"),
        not_data_actions=_texts(permissions[0], "notDataActions"),
        assignable_scopes=scopes,
    )


def _texts(holder: Json, name: str) -> list[str]:
    value = holder.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise errors.bad_request(f"'{name}' must be a list of strings.")
    return value
