"""Rows of Resource Graph, read into values. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lanyard.azure.arm.answers import (
    Json,
    Unreadable,
    definition_of,
    member,
    needed,
    part,
    permission_of,
    principal,
    text,
)
from lanyard.azure.arm.resource_body import read_resource
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.grants import condition_of
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.permissions import Permission
from lanyard.values.resource_id import folded, last_name
from lanyard.values.subscriptions import Subscription

IDENTITY = "microsoft.managedidentity/userassignedidentities"
ASSIGNMENT = "microsoft.authorization/roleassignments"
DEFINITION = "microsoft.authorization/roledefinitions"
#: The members of `properties` that are read of a resource, but for what its settings name
#: (uses.py). Of AKS the identity of the nodes, of an identity its principal.
SHOWN_PROPERTIES = (
    "principalId",
    "tenantId",
    "provisioningState",
    "virtualMachineScaleSet",
    "orchestrationMode",
    "upgradePolicy",
    "identityProfile",
    "vmId",
    "uniqueId",
    "resourceUID",
    "creationTime",
    "lastModifiedTimeUtc",
    "defaultHostName",
)


def listed_resource(row: Json, managed_by: str = "") -> Listed:
    """A row of a resource of any type; `managed_by`: what manages its group. Raises Unreadable."""
    row_id, row_type = needed(row, "id"), needed(row, "type")
    block, own = object_of(row, "identity"), ""
    tenant = text_of(block, "tenantId")
    if folded(row_type) == IDENTITY:
        own = principal(part(row, "properties"))
        tenant = text_of(part(row, "properties"), "tenantId")
    system = folded(text_of(block, "principalId"))
    attached = object_of(block, "userAssignedIdentities")
    shown = {
        own,
        system,
        *(folded(text_of(object_of(attached, name), "principalId")) for name in attached),
    }
    if not text_of(row, "managedBy"):
        row = {**row, "managedBy": managed_by}
    compute, whole = _compute(row, compute_type(row_type))
    return Listed(
        id=row_id,
        compute=compute,
        unread=not whole,
        tags=_tags(row),
        attached=_attached(row),
        principals=frozenset(shown - {""}),
        own_principal=own or None,
        system_principal=system or None,
        tenant=folded(tenant),
    )


def _attached(row: Json) -> frozenset[str]:
    """The ids (lower case) of the user-assigned identities in its identity block."""
    return frozenset(map(folded, object_of(object_of(row, "identity"), "userAssignedIdentities")))


def listed_subscription(row: Json) -> Subscription:
    """A row of a subscription, with `groups`: `properties.managementGroupAncestorsChain`, from the
    nearest management group to the root of the tenant, whose name is the tenant's id (Resource
    Graph samples for management groups; management groups, overview). What one sees of groups that
    one may not read is not documented: only a chain up to the root is all of it.
    """
    chain = member(row, "groups")
    shown = chain if isinstance(chain, list) else []
    groups = tuple(
        folded(text_of(each, "name")) if isinstance(each, Mapping) else "" for each in shown
    )
    root = folded(text_of(row, "tenantId"))
    whole = bool(root) and groups[-1:] == (root,) and "" not in groups
    return Subscription(text_of(row, "name"), tuple(filter(None, groups)), whole)


def _tags(row: Json) -> dict[str, str]:
    tags = object_of(row, "tags")
    return {name: value for name, value in tags.items() if isinstance(value, str)}


def _compute(row: Json, kind: ComputeType | None) -> tuple[ComputeResource | None, bool]:
    """As far as the row shows it, and whether that is all of it: that its identity cannot be read
    is for who reads it afresh.
    """
    if kind is None:
        return None, True
    for shown in (row, {**row, "identity": None, "properties": None}):
        with suppress(Unreadable):
            return read_resource(shown, kind), shown is row
    return None, False


def object_of(body: Json, name: str) -> Json:
    """Of resources of any type, whose identities are as their services like them."""
    value = member(body, name)
    return value if isinstance(value, Mapping) else {}


def text_of(body: Json, name: str) -> str:
    """A text in it, "" for anything else."""
    value = member(body, name)
    return value if isinstance(value, str) else ""


def listed_right(row: Json) -> ListedAssignment | ListedRole:
    """A row of `authorizationresources`. Raises Unreadable."""
    read = _listed_role if folded(needed(row, "type")) == DEFINITION else _listed_assignment
    return read(needed(row, "id"), part(row, "properties"))


def _listed_role(role_id: str, properties: Json) -> ListedRole:
    shown, name = member(properties, "permissions"), text(properties, "roleName")
    permissions = map(_permission, shown) if isinstance(shown, list) else [None]
    id_ = last_name(role_id)
    return ListedRole(id_, name, definition_of(id_, name, permissions))


def _permission(shown: Any) -> Permission | None:
    """None for what cannot be read: nobody knows what it allows."""
    if not isinstance(shown, Mapping):
        return None
    names = ("actions", "notActions", "dataActions", "notDataActions")
    return permission_of(*(member(shown, name) for name in names))


def _listed_assignment(assignment_id: str, properties: Json) -> ListedAssignment:
    return ListedAssignment(
        id=assignment_id,
        scope=needed(properties, "scope"),
        role_id=last_name(needed(properties, "roleDefinitionId")),
        principal_id=folded(needed(properties, "principalId")),
        principal_type=text(properties, "principalType"),
        description=text(properties, "description"),
        condition=condition_of(text(properties, "condition")),
        created=text(properties, "createdOn"),
    )
