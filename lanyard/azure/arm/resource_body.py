"""The JSON of a compute resource: read into values, and made fit to be sent back. Pure."""

import copy
from datetime import UTC, datetime
from typing import Any

from lanyard.azure.arm.answers import (
    Json,
    Unreadable,
    member,
    needed,
    part,
    principal,
    resource_id,
    text,
)
from lanyard.azure.arm.uses import uses
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import ComputeType
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded, names_of

# ARM's own members of an answer; a PUT has the id in its path, and these nowhere.
_ENVELOPE = {"id", "name", "type", "systemdata", "etag", "identity"}
_AKS_TAGS = "aks-managed-"
_SYSTEM, _USER = "systemassigned", "userassigned"


def read_resource(body: Json, kind: ComputeType) -> ComputeResource:
    """The resource as its body shows it; what a type does not have keeps its default.

    Raises Unreadable, always where a write that relied on it could drop an identity.
    """
    properties, used = part(body, "properties"), uses(body)
    return ComputeResource(
        id=resource_id(needed(body, "id"), "the resource"),
        location=location_of(body),
        tags=_tags(part(body, "tags")),
        identity=read_identity(part(body, "identity")),
        provisioning_state=text(properties, "provisioningState") or "Succeeded",
        # AKS spells it eTag.
        etag=text(body, "etag") or None,
        managed_by=_managed_by(body),
        kind=text(body, "kind"),
        scale_set=_named(part(properties, "virtualMachineScaleSet"), "id"),
        manual_upgrade=kind.instances and _manual_upgrade(body),
        kubelet=_named(part(part(properties, "identityProfile"), "kubeletidentity"), "resourceId"),
        incarnation=_incarnation(body, properties),
        dated=_moment(properties, "creationTime") or _moment(properties, "lastModifiedTimeUtc"),
        created=_moment(properties, "creationTime"),
        named_once=_named_once(body, properties),
        names=used.user_assigned,
        names_system=used.system,
        raw=body,
    )


def read_identity(block: Json) -> Identity:
    """The `identity` of a resource; {} for one that has none. Principal ids in lower case.

    A write repeats what was read: a system-assigned identity that the type names and that the rest
    does not show would be dropped by it, so then Unreadable is raised. What is not known by its id
    is kept apart: identity_block.py says which writes leave it alone.
    """
    kinds = {kind.strip().lower() for kind in text(block, "type").split(",")} - {"", "none"}
    system = principal(block) if _SYSTEM in kinds else ""
    attached = part(block, "userAssignedIdentities")
    if kinds - {_SYSTEM, _USER}:
        raise Unreadable(f"identity type {text(block, 'type')!r}")
    if (_SYSTEM in kinds and not system) or (attached and _USER not in kinds):
        raise Unreadable(f"the identity is not whole: its type is {text(block, 'type')!r}")
    ids = {name: _id(name) for name in attached}
    return Identity(
        system or None,
        {each: _principal_of(attached, name) for name, each in ids.items() if each is not None},
        {name: _principal_of(attached, name) for name, each in ids.items() if each is None},
        shows_none=_USER in kinds and not attached,
    )


def _principal_of(attached: Json, name: str) -> str | None:
    """Not there while Azure has not filled it in."""
    return principal(part(attached, name)) or None


def _id(name: str) -> ResourceId | None:
    """None for what is no id, as some services keep what somebody wrote: "…/resourceGroups//…"."""
    try:
        return ResourceId.parse(name)
    except InvalidResourceId:
        return None


def location_of(body: Json) -> str:
    """ARM's name of the location: some services answer the display name, "West Europe"."""
    return text(body, "location").replace(" ", "").lower()


def is_flexible(body: Json) -> bool:
    """Whether it is a flexible scale set: its instances are machines of their own."""
    return text(part(body, "properties"), "orchestrationMode").lower() == "flexible"


def put_body(raw: Json, kind: ComputeType) -> dict[str, Any]:
    """What a PUT sends back of a body that was read, beside another identity: all but what only
    the service writes.
    """
    body = {
        name: copy.deepcopy(value) for name, value in raw.items() if name.lower() not in _ENVELOPE
    }
    for path in kind.read_only:
        _drop(body.get("properties"), path.split("."))
    return body


def _drop(value: Any, path: list[str]) -> None:
    if not isinstance(value, dict):
        return
    name, rest = path[0], path[1:]
    if not rest:
        value.pop(name, None)
    elif name.endswith("[]"):
        for each in value.get(name.removesuffix("[]")) or []:
            _drop(each, rest)
    else:
        _drop(value.get(name), rest)


def _managed_by(body: Json) -> str:
    """The id of what manages it, or AKS, which marks its nodes by tags alone (recorded); a scale
    set of AKS shows no `managedBy` of its own.
    """
    marked = any(folded(name).startswith(_AKS_TAGS) for name in part(body, "tags"))
    return text(body, "managedBy") or ("Azure Kubernetes Service" if marked else "")


def _tags(tags: Json) -> dict[str, str]:
    return {name: text(tags, name) for name in tags}


def _named(body: Json, name: str) -> ResourceId | None:
    return resource_id(named, repr(name)) if (named := text(body, name)) else None


def _incarnation(body: Json, properties: Json) -> str:
    """What a resource that is made again under the same id has anew: machines, scale sets and
    clusters have a GUID, others the moment of their creation. (`resourceUID`: "uniquely identifies
    ManagedClusters that reuse ARM ResourceIds", the reference of managedClusters.)
    """
    own = (text(properties, name) for name in ("vmId", "uniqueId", "resourceUID"))
    return next(filter(None, own), "") or text(part(body, "systemData"), "createdAt")


def _moment(properties: Json, name: str) -> float:
    """Automation accounts and Batch pools show their creation, sites their last change, without an
    offset and in UTC (the reference of each service). What is no moment is none.
    """
    try:
        moment = datetime.fromisoformat(member(properties, name))
    except (TypeError, ValueError):
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _named_once(body: Json, properties: Json) -> bool:
    """A site whose host name is made of its own names alone, as host names are: two sites of one
    name have a digest in theirs ("unique default host names" of App Service).
    """
    host = member(properties, "defaultHostName")
    own = names_of(needed(body, "id")).replace("/", "-")
    return isinstance(host, str) and folded(host.partition(".")[0]) == own


def _manual_upgrade(body: Json) -> bool:
    mode = text(part(part(body, "properties"), "upgradePolicy"), "mode")
    return mode.lower() == "manual" and not is_flexible(body)
