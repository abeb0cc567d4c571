"""The JSON of a compute resource: read into values, and made fit to be sent back. Pure."""

import copy
from collections.abc import Mapping
from typing import Any

from lanyard.azure.compute_types import ComputeType
from lanyard.model import ComputeResource, Identity, ResourceId

type Json = Mapping[str, Any]

# ARM's own members of an answer; a PUT has the id in its path, and these nowhere.
_ENVELOPE = {"id", "name", "type", "systemdata", "etag"}


def read_resource(body: Json, kind: ComputeType) -> ComputeResource:
    """The resource as its body tells; what a type does not have keeps its default."""
    properties: Json = body.get("properties") or {}
    return ComputeResource(
        ResourceId.parse(body["id"]),
        location_of(body),
        body.get("tags") or {},
        read_identity(body.get("identity") or {}),
        str(properties.get("provisioningState") or "Succeeded"),
        # AKS spells it eTag.
        body.get("etag") or body.get("eTag"),
        str(body.get("kind") or ""),
        _scale_set(properties),
        kind.instances and _manual_upgrade(body),
        _kubelet(properties),
        _incarnation(body, properties),
        body,
    )


def read_identity(block: Json) -> Identity:
    """The `identity` of a resource; {} for one that has none. Principal ids in lower case."""
    words = {word.strip().lower() for word in str(block.get("type", "")).split(",")}
    system = block.get("principalId") if "systemassigned" in words else None
    attached = {
        ResourceId.parse(text): _lower((value or {}).get("principalId"))
        for text, value in (block.get("userAssignedIdentities") or {}).items()
    }
    return Identity(_lower(system), attached)


def location_of(body: Json) -> str:
    """ARM's name of the location: some services answer the display name, "West Europe"."""
    return str(body.get("location") or "").replace(" ", "").lower()


def is_flexible(body: Json) -> bool:
    """Whether it is a flexible scale set: its instances are machines of their own."""
    properties: Json = body.get("properties") or {}
    return str(properties.get("orchestrationMode", "")).lower() == "flexible"


def put_body(raw: Json, kind: ComputeType) -> dict[str, Any]:
    """What a PUT sends back of a body that was read: all but what only the service writes."""
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


def _scale_set(properties: Json) -> ResourceId | None:
    text = (properties.get("virtualMachineScaleSet") or {}).get("id")
    return ResourceId.parse(text) if text else None


def _kubelet(properties: Json) -> ResourceId | None:
    profile: Json = properties.get("identityProfile") or {}
    text = (profile.get("kubeletidentity") or {}).get("resourceId")
    return ResourceId.parse(text) if text else None


def _incarnation(body: Json, properties: Json) -> str:
    """What a resource that is made again under the same id has anew: machines have a GUID, others
    the moment of their creation.
    """
    made = (body.get("systemData") or {}).get("createdAt")
    known = (properties.get("vmId"), properties.get("uniqueId"), made)
    return next((str(value) for value in known if value), "")


def _manual_upgrade(body: Json) -> bool:
    properties: Json = body.get("properties") or {}
    mode = str((properties.get("upgradePolicy") or {}).get("mode", "")).lower()
    return mode == "manual" and not is_flexible(body)


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None
