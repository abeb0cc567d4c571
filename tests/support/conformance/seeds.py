"""What a recording's prelude puts into the simulator: each thing as it is first shown."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from simulator.arm.long_running import job_id
from simulator.azure import Azure
from simulator.resource_groups.models import ResourceGroups
from simulator.resource_groups.providers import types_of
from simulator.resource_ids import normalise, parse
from simulator.resources import remove
from simulator.state import Principal, Resource, RoleAssignment
from tests.support.conformance.recordings import Exchange

_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ASSIGNMENTS = "/providers/microsoft.authorization/roleassignments/"
_LOCKS = "/providers/microsoft.authorization/locks/"
_DEFINITIONS = "/providers/microsoft.authorization/roledefinitions/"
_RENDERED = frozenset(
    {"id", "name", "type", "location", "tags", "properties", "identity", "etag", "eTag"}
)
_IS_GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+")
_REFUSED = re.compile(r"The client '(?P<client>[^']*)' with object id '(?P<oid>[^']*)' does not")


def group(azure: Azure, group_id: str, name: str, exchange: Exchange) -> None:
    """A resource group, with what an answer shows of it."""
    shown = exchange.answer if isinstance(exchange.answer, dict) else {}
    itself = str(shown.get("id", "")).lower() == group_id.lower()
    azure.state.resources[group_id.lower()] = _group(group_id, name, shown if itself else {})


def _group(group_id: str, name: str, shown: Any) -> Resource:
    return Resource(
        id=group_id,
        type=_GROUP_TYPE,
        name=name,
        location=shown.get("location", "westus"),
        tags=dict(shown.get("tags") or {}),
        properties={},
        extra={key: shown[key] for key in ("managedBy", "tags") if key in shown},
        provisioning_state=(shown.get("properties") or {}).get("provisioningState", "Succeeded"),
    )


def tags_of_filter(exchange: Exchange) -> Any:
    """What a list by a tag does not show: that its rows have it."""
    found = re.search(r"tagname eq '([^']*)'(?: and tagvalue eq '([^']*)')?", unquote(exchange.uri))
    return {"tags": {found[1]: found[2] or ""}} if found else {}


def retagged(azure: Azure, exchange: Exchange) -> None:
    """Tags of a group that the answer shows beside its own: something not recorded (Azure Policy)
    has put them there.
    """
    shown = exchange.answer if isinstance(exchange.answer, dict) else {}
    found = azure.state.resources.get(normalise(exchange.path).lower())
    if exchange.method == "GET" and found is not None and found.type == _GROUP_TYPE:
        tags = shown.get("tags") or {}
        if tags.items() > found.tags.items():
            azure.state.resources[found.id.lower()] = replace(found, tags=dict(tags))


def recorder(recorded: list[Exchange]) -> list[str]:
    """Who made a recording, where an answer tells it: `systemData.createdBy`."""
    shown = (_member(each.answer, "createdBy") for each in recorded)
    return next(([each] for each in shown if each and "@" in each), [])


def _member(value: Any, name: str) -> str | None:
    """The first member of this name in some JSON, where it is a text."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get(name), str):
        return str(value[name])
    return next((found for each in inner if (found := _member(each, name))), None)


def identity(azure: Azure, identity_id: str, ids: dict[str, str], location: str = "westus") -> None:
    """A user-assigned identity, with the ids that an answer shows."""
    made = azure.state.add_principal(identity_id.rpartition("/")[2], names=["isExplicit=True"])
    if ids:
        del azure.state.principals[made.object_id]
        made.object_id, made.client_id = ids["principalId"], ids["clientId"]
        azure.state.principals[made.object_id] = made
    properties = {
        "tenantId": azure.state.tenant_id,
        "principalId": made.object_id,
        "clientId": made.client_id,
        "isolationScope": "None",
    }
    # As the service keeps them, however they were named.
    kept = normalise(identity_id).replace("/resourceGroups/", "/resourcegroups/")
    resource = Resource(kept, _IDENTITIES, made.display_name, location, {}, properties)
    azure.state.resources[resource.id.lower()] = resource


def anything(azure: Azure, resource_id: str, shown: Any, *, written: bool = False) -> None:
    """A resource or a role assignment as shown; other things of roles are Azure's own.

    `written`: it is shown by the answer to a write, so that its ETag was another before.
    """
    path = resource_id.lower()
    if _ASSIGNMENTS in path:
        _assignment(azure, shown)
    elif _LOCKS in path:
        properties, scope = shown["properties"], resource_id[: path.index(_LOCKS)]
        azure.locks.put(scope, shown["name"], properties["level"], properties.get("notes"))
    elif _IS_GROUP.fullmatch(path):
        made = _group(resource_id, shown["name"], shown)
        azure.state.resources.setdefault(path, made)
    elif _IDENTITIES.lower() in path and path not in azure.state.resources:
        properties = shown.get("properties") or {}
        known = properties if "principalId" in properties else {}
        identity(azure, resource_id, known, shown.get("location", "westus"))
    elif parse(resource_id) is not None and _DEFINITIONS not in path:
        _resource(azure, resource_id, shown, written=written)


def gone(azure: Azure, exchange: Exchange) -> None:
    """What the answer says is not there, and was: something that was not recorded took it."""
    path = normalise(exchange.path)
    missing = (exchange.method, exchange.status) in (("GET", 404), ("DELETE", 204))
    if missing and path.lower() in azure.state.resources:
        remove(azure.state, path)
    if missing:
        azure.state.role_assignments.pop(path.lower(), None)


_LOCKED = re.compile(r"perform (\w+) operation because following scope\(s\) are locked: '([^']+)'")


def lock(azure: Azure, exchange: Exchange) -> None:
    """The lock that a refusal names."""
    if match := _LOCKED.search(str(exchange.answer)):
        level = "CanNotDelete" if match[1] == "delete" else "ReadOnly"
        azure.locks.put(match[2].partition(",")[0], "recorded", level)


def unlock(azure: Azure) -> None:
    """Take that of an earlier exchange away."""
    for found in azure.locks.list_at("/", at_scope=False):
        if found.name == "recorded":
            azure.locks.delete(found.scope, found.name)


def _resource(azure: Azure, resource_id: str, shown: Any, *, written: bool) -> None:
    parsed = parse(resource_id)
    assert parsed is not None, resource_id
    kind = _served_type(azure, parsed.type)
    before = resource_id.split("/providers/")[0]
    pairs = zip(kind.split("/")[1:], parsed.name.split("/"), strict=True)
    place = "/".join(f"{each}/{name}" for each, name in pairs)
    properties = dict(shown.get("properties") or {})
    properties.pop("instanceView", None)  # shown on demand alone
    state = properties.pop("provisioningState", None)
    etag = str(shown.get("etag") or shown.get("eTag") or "1").strip('"')
    made = Resource(
        id=f"{before}/providers/{kind.partition('/')[0]}/{place}",
        type=kind,
        name=str(shown.get("name") or parsed.name.rpartition("/")[2]),
        location=str(shown.get("location") or "westus").replace(" ", "").lower(),
        tags=dict(shown.get("tags") or {}),
        properties=properties,
        identity=_identity_block(shown),
        extra={key: value for key, value in shown.items() if key not in _RENDERED},
        etag=int(etag) - written if etag.isdecimal() else 1,
        shows_state=state is not None,
    )
    azure.state.resources[made.id.lower()] = made


def _identity_block(shown: Any) -> Any:
    block = shown.get("identity")
    if not block or block == {"type": "None"}:
        return None
    return dict(block)


def _served_type(azure: Azure, kind: str) -> str:
    """A type as the simulator writes it, where it has it: not as the recording does."""
    for namespace, types in types_of(azure.arm.operations()).items():
        for each in types:
            if f"{namespace}/{each}".lower() == kind.lower():
                return f"{namespace}/{each}"
    return kind


def _assignment(azure: Azure, row: Any) -> None:
    properties = row["properties"]
    scope = normalise(properties["scope"])
    made = RoleAssignment(
        id=row["id"],
        name=row["name"],
        scope=scope,
        role_definition_id=properties["roleDefinitionId"],
        principal_id=properties["principalId"],
        principal_type=properties["principalType"],
        description=properties.get("description"),
        condition=properties.get("condition"),
        condition_version=properties.get("conditionVersion"),
        created_at=0.0,
        created_by=properties["createdBy"],
        updated_at=0.0,
        updated_by=properties["updatedBy"],
    )
    azure.state.role_assignments[made.id.lower()] = made
    if "/managementGroups/" in scope:
        for subscription in azure.state.subscriptions.values():
            subscription.management_groups += (scope.rpartition("/")[2],)


def same_assignment(azure: Azure, exchange: Exchange) -> None:
    """What a 409 says is there already, where nothing in the recording made it."""
    wanted = exchange.body["properties"]
    scope = normalise(exchange.path[: exchange.path.lower().index(_ASSIGNMENTS)])
    for each in azure.state.role_assignments.values():
        if each.scope.lower() == scope.lower() and each.principal_id == wanted["principalId"]:
            return
    role = wanted["roleDefinitionId"].rpartition("/")[2]
    azure.assign(wanted["principalId"], role, scope)


def role_taker(azure: Azure, exchange: Exchange) -> None:
    """The principal that a role is given to, of the kind that the answer names."""
    wanted = (exchange.body or {}).get("properties") or {}
    shown = exchange.answer.get("properties") if isinstance(exchange.answer, dict) else None
    object_id = wanted.get("principalId")
    if object_id and object_id not in azure.state.principals:
        kind = (shown or {}).get("principalType") or wanted.get("principalType")
        made = Principal(object_id, "", "recorded", kind or "ServicePrincipal", 0.0)
        azure.state.principals[object_id] = made


def operation(azure: Azure, exchange: Exchange, recorded: list[Exchange]) -> None:
    """Work under way that was asked for before the recording begins."""
    operation_id = exchange.path.rpartition("/")[2]
    before = recorded[: exchange.index]
    if any(operation_id in str(each.answer_headers) or operation_id in each.uri for each in before):
        return
    if "/providers/" not in exchange.path:
        operation_id = job_id(operation_id)
        _going_group(azure, recorded)
    azure.operations.start(azure.behaviour.operation_seconds, lambda: None, name=operation_id)


def _going_group(azure: Azure, recorded: list[Exchange]) -> None:
    """The resource group whose deletion was asked for: the one that the recording is about."""
    groups = (re.search(r"/resourcegroups/([^/?]+)", each.path, re.I) for each in recorded)
    name = next((match[1] for match in groups if match), None)
    if name is not None:
        subscription = next(iter(azure.state.subscriptions))
        going = ResourceGroups(azure.state, azure.operations)
        going.put(subscription, name, {"location": "westus"})
        going.delete(subscription, name, lambda _resource_id: None)


def stranger(azure: Azure, exchange: Exchange) -> Principal | None:
    """Whoever Azure refused, without any role; None where it refused nobody."""
    error = exchange.answer.get("error") if isinstance(exchange.answer, dict) else None
    match = _REFUSED.search(str(error.get("message"))) if isinstance(error, dict) else None
    if match is None or exchange.status != 403:
        return None
    made = Principal(match["oid"], match["client"], match["client"], "User", 0.0)
    azure.state.principals[made.object_id] = made
    return made


def directory(azure: Azure, exchange: Exchange, caller: Principal) -> Principal:
    """The objects that an answer of Graph shows. Who asks: `me`, where it is about that."""
    body = exchange.answer if isinstance(exchange.answer, dict) else {}
    asked = caller
    if body.get("value") == []:
        _forget_named(azure, exchange.uri)
    asked_for = re.search(r"userPrincipalName eq '([^']+)'", unquote(exchange.uri))
    for shown in body.get("value", [body]):
        if "id" in shown:
            made = _object(azure, shown)
            if asked_for:
                made.alternative_names = [asked_for[1]]
            if exchange.path.endswith("/me"):
                asked = made
    if exchange.method == "DELETE" and exchange.status == 204:
        gone = exchange.path.rpartition("/")[2]
        made = Principal(gone, "", "recorded", "ServicePrincipal", 0.0, deleted_at=0.0)
        made.deleted_at = azure.clock.now()
        azure.state.principals[gone] = made
    azure.services.directory.grant_permission(asked.object_id, "Directory.ReadWrite.All")
    return asked


def _forget_named(azure: Azure, uri: str) -> None:
    """Whoever a filter names and no list shows any more."""
    for each in list(azure.state.principals.values()):
        if each.client_id and each.client_id in uri:
            del azure.state.principals[each.object_id]


def _object(azure: Azure, shown: Any) -> Principal:
    odata = str(shown.get("@odata.type", "")).lower()
    user = "userprincipalname" in {key.lower() for key in shown}
    kind = "User" if user else ("Group" if odata.endswith("group") else "ServicePrincipal")
    names = [shown["userPrincipalName"]] if user else list(shown.get("alternativeNames") or [])
    made = Principal(
        shown["id"], shown.get("appId") or "", shown.get("displayName") or "", kind, 0.0, names
    )
    asked_for = shown.get("servicePrincipalNames") or []
    made.addresses = [each for each in asked_for if each != made.client_id]
    azure.state.principals[made.object_id] = made
    return made
