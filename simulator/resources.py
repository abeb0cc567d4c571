"""What all tracked resources have in common: finding, showing and removing them."""

from collections.abc import Iterator, Mapping

from simulator.errors import AzureError, gateway_error
from simulator.identity import UAMI_TYPE
from simulator.resource_ids import group_id, is_within, normalise, parse
from simulator.state import Json, Resource, State

GROUP_TYPE = "Microsoft.Resources/resourceGroups"


def not_found(resource_id: str, kind: str = "") -> AzureError:
    """404 `ResourceNotFound` in ARM's words (recorded). `kind`: the type as ARM writes it, where
    that is not as it was asked for.
    """
    parsed = parse(resource_id)
    if parsed is None:
        return gateway_error(404, "ResourceNotFound", f"'{resource_id}' was not found.")
    return gateway_error(
        404,
        "ResourceNotFound",
        f"The Resource '{kind or parsed.type}/{parsed.name}' under resource group '{parsed.group}' "
        "was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(group: str) -> AzureError:
    """404 `ResourceGroupNotFound`."""
    return gateway_error(
        404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found."
    )


def require(state: State, resource_id: str) -> Resource:
    """The resource, or 404."""
    resource = state.resources.get(resource_id.lower())
    if resource is None:
        raise not_found(resource_id)
    return resource


def group_being_deleted(group: str) -> AzureError:
    """409 to a write in a resource group whose deletion is under way."""
    return gateway_error(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{group}' is in deprovisioning state and cannot perform this "
        "operation.",
    )


def group_being_moved(group: str) -> AzureError:
    """409 to a change in a group out of or into which something is moved. The text is that of
    Microsoft's support pages, the status an assumption.
    """
    return gateway_error(
        409,
        "ResourcesBeingMoved",
        f"The resource group '{group}' is being updated and cannot perform this operation.",
    )


def require_no_move(state: State, params: Mapping[str, str]) -> None:
    """409 to a change in a group that a move has locked."""
    if group_id(params["subscription"], params["group"]).lower() in state.moving_groups:
        raise group_being_moved(params["group"])


def require_group(state: State, path: str, params: Mapping[str, str], *, writes: bool) -> None:
    """404 when an operation inside a resource group meets none, 409 to a write in a dying one.

    A group deleted a moment ago answers as recorded: the resource is what is not found.
    """
    group = group_id(params["subscription"], params["group"])
    found = state.resources.get(group.lower())
    if found is not None:
        if writes and found.provisioning_state == "Deleting":
            raise group_being_deleted(params["group"])
        return
    if group.lower() in state.deleted_groups and parse(path) is not None:
        raise not_found(path)
    raise group_not_found(params["group"])


def require_registered(state: State, path: str, *, writes: bool) -> None:
    """409 to a write of a type whose resource provider the subscription has not registered."""
    parsed = parse(path)
    if parsed is None or not writes:
        return
    namespace = parsed.type.partition("/")[0]
    if (parsed.subscription.lower(), namespace.lower()) in state.unregistered:
        raise gateway_error(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See "
            "https://aka.ms/rps-not-found for how to register subscriptions.",
        )


def require_scope(state: State, scope: str) -> None:
    """404 when a scope lies in a resource group that does not exist.

    What lies below a group is not looked for: the simulator knows only some resource types.
    """
    parts = normalise(scope).split("/")
    if len(parts) < 5 or parts[3].lower() != "resourcegroups":
        return
    if group_id(parts[2], parts[4]).lower() not in state.resources:
        raise group_not_found(parts[4])


def inside(state: State, scope: str, resource_type: str | None = None) -> Iterator[Resource]:
    """Resources below `scope`, resource groups aside, in the order of their making."""
    wanted = resource_type.lower() if resource_type else None
    prefix = scope.lower().rstrip("/") + "/"
    for key, resource in state.resources.items():
        kind = resource.type.lower()
        if key.startswith(prefix) and kind != GROUP_TYPE.lower() and wanted in (None, kind):
            yield resource


def tracked(state: State, scope: str) -> Iterator[Resource]:
    """What ARM itself lists and deletes below `scope`: no nodes, no instances, no pools."""
    return (each for each in inside(state, scope) if each.graph_table == "resources")


def render(resource: Resource) -> Json:
    """The JSON that all types share; absent identity stays absent."""
    properties = resource.properties
    if resource.shows_state:
        properties = {**properties, "provisioningState": resource.provisioning_state}
    body: Json = {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "location": resource.location,
        "tags": resource.tags,
        "properties": properties,
        **resource.extra,
    }
    if resource.identity is not None:
        body["identity"] = resource.identity
    return body


def remove(state: State, resource_id: str) -> None:
    """Take a resource and what is below it out of ARM, its identities out of the directory."""
    key = resource_id.lower()
    for each in [key, *(other for other in state.resources if other.startswith(key + "/"))]:
        _remove_one(state, each)
    if state.behaviour.scope_deletion_removes_assignments:
        for name, assignment in list(state.role_assignments.items()):
            if is_within(assignment.scope, resource_id):
                del state.role_assignments[name]


def _remove_one(state: State, key: str) -> None:
    resource = state.resources[key]
    del state.resources[key]
    if resource.type.lower() == UAMI_TYPE:
        state.delete_principal(resource.properties["principalId"])
    if principal := (resource.identity or {}).get("principalId"):
        state.delete_principal(principal)


def read_properties(body: Json) -> Json:
    """The `properties` of a request, {} when absent. Raises AzureError 400."""
    properties = body.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        raise AzureError(400, "InvalidRequestContent", "The 'properties' must be an object.")
    return properties


def read_tags(body: Json) -> dict[str, str]:
    """The `tags` of a request, {} when absent. Raises AzureError 400 `InvalidTagNameCharacters`."""
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise AzureError(
            400, "InvalidRequestContent", "The 'tags' property must map names to strings."
        )
    return dict(tags)


def check_location(existing: Resource, body: Json) -> None:
    """409 `InvalidResourceLocation` to a write that would move a resource; none means as it is."""
    if "location" in body and read_location(body) != existing.location:
        raise gateway_error(
            409,
            "InvalidResourceLocation",
            f"The resource '{existing.name}' already exists in location '{existing.location}'. A "
            f"resource with the same name cannot be created in location '{body['location']}'. "
            "Please select a new resource name.",
        )


def read_location(body: Json) -> str:
    """The `location` in Azure's normal form. Raises AzureError 400 `LocationRequired`."""
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise gateway_error(
            400, "LocationRequired", "The location property is required for this definition."
        )
    return location.replace(" ", "").lower()
