"""The columns of each kind of row, and what one must be allowed to read to see it."""

from dataclasses import dataclass

from simulator.authorization import definitions
from simulator.resource_ids import parse, subscription_of
from simulator.resources import GROUP_TYPE, render
from simulator.state import Json, Resource, RoleAssignment, RoleDefinition, Subscription
from simulator.times import utc_z

_ASSIGNMENT_READ = "Microsoft.Authorization/roleAssignments/read"
_DEFINITION_READ = f"{definitions.TYPE}/read"


@dataclass(frozen=True)
class Row:
    """`action` must be allowed at any of `scopes`. `key`: the id in lower case. `subscription`:
    whose row it is (lower case), "" of none."""

    columns: Json
    action: str
    scopes: tuple[str, ...]
    key: str
    subscription: str


def of_resource(resource: Resource, tenant_id: str) -> Row:
    """Of any resource, resource groups included."""
    if resource.type == GROUP_TYPE:
        action = "Microsoft.Resources/subscriptions/resourceGroups/read"
        return _row(_group(resource, tenant_id), action, resource.id)
    return _row(_resource(resource, tenant_id), f"{resource.type}/read", resource.id)


def of_subscription(subscription: Subscription, tenant_id: str) -> Row:
    """Of a subscription, in `resourcecontainers`."""
    scope = f"/subscriptions/{subscription.id}"
    kind = "microsoft.resources/subscriptions"
    columns = _container(scope, subscription.display_name, kind, tenant_id)
    columns["tags"] = subscription.tags
    chain = [{"displayName": name, "name": name} for name in subscription.management_groups]
    columns["properties"] = {"managementGroupAncestorsChain": chain}
    return _row(columns, "Microsoft.Resources/subscriptions/read", scope)


def of_assignment(assignment: RoleAssignment, tenant_id: str) -> Row:
    """Of a role assignment. The casing "RoleAssignments" is Resource Graph's own, as its
    documentation shows."""
    columns = {
        "id": assignment.id.replace("/roleAssignments/", "/RoleAssignments/"),
        "name": assignment.name,
        "type": "microsoft.authorization/roleassignments",
        **_global(tenant_id, subscription_of(assignment.scope) or ""),
        "properties": {
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "roleDefinitionId": assignment.role_definition_id.replace(
                "/roleDefinitions/", "/RoleDefinitions/"
            ),
            "scope": assignment.scope,
            "description": assignment.description,
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": utc_z(assignment.created_at),
            "updatedOn": utc_z(assignment.updated_at),
            "createdBy": assignment.created_by,
            "updatedBy": assignment.updated_by,
        },
    }
    return _row(columns, _ASSIGNMENT_READ, assignment.scope)


def of_definition(role: RoleDefinition, scopes: tuple[str, ...], tenant_id: str) -> Row:
    """Of a role definition, readable at `scopes`; a built-in role belongs to no subscription."""
    shown = definitions.show(role, "/")
    subscription = next(filter(None, map(subscription_of, role.assignable_scopes)), "")
    columns = {
        "id": shown["id"].replace("/roleDefinitions/", "/RoleDefinitions/"),
        "name": role.guid,
        "type": "microsoft.authorization/roledefinitions",
        **_global(tenant_id, subscription),
        "properties": {**shown["properties"], "isServiceRole": False},
    }
    return _row(columns, _DEFINITION_READ, *scopes)


def _row(columns: Json, action: str, *scopes: str) -> Row:
    return Row(columns, action, scopes, str(columns["id"]).lower(), columns["subscriptionId"])


def _resource(resource: Resource, tenant_id: str) -> Json:
    """Types come in lower case, as does the resource group; other ids keep theirs."""
    parsed = parse(resource.id)
    return {
        **dict.fromkeys(("kind", "sku", "plan", "zones", "identity", "extendedLocation")),
        **render(resource),
        "type": resource.type.lower(),
        "tenantId": tenant_id,
        "managedBy": resource.extra.get("managedBy") or "",
        "resourceGroup": parsed.group.lower() if parsed else "",
        "subscriptionId": subscription_of(resource.id) or "",
    }


def _group(group: Resource, tenant_id: str) -> Json:
    kind = "microsoft.resources/subscriptions/resourcegroups"
    return _container(group.id, group.name, kind, tenant_id) | {
        "location": group.location,
        "tags": group.tags,
        "managedBy": group.extra.get("managedBy") or "",
        "resourceGroup": group.name.lower(),
        "properties": {"provisioningState": group.provisioning_state},
    }


def _container(scope: str, name: str, kind: str, tenant_id: str) -> Json:
    return {
        "id": scope,
        "name": name,
        "type": kind,
        "tenantId": tenant_id,
        "location": "",
        "tags": {},
        "resourceGroup": "",
        "properties": {"state": "Enabled"},
        "subscriptionId": subscription_of(scope) or "",
    }


def _global(tenant_id: str, subscription: str) -> Json:
    return {
        "tenantId": tenant_id,
        "location": "global",
        "resourceGroup": "",
        "subscriptionId": subscription,
    }
