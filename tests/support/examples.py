"""Values that tests are made of."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import cast

from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.grants import Grant, GrantKind
from lanyard.values.resource_id import ResourceId

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
VM_TYPE = "Microsoft.Compute/virtualMachines"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def vm_id(name: str = "vm1", group: str = GROUP) -> ResourceId:
    return ResourceId.parse(f"{group}/providers/{VM_TYPE}/{name}")


def identity_id(name: str = "id-app", group: str = GROUP) -> ResourceId:
    return ResourceId.parse(
        f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    )


def vm(
    name: str = "vm1",
    *,
    system: str | None = None,
    attached: Mapping[ResourceId, str | None] | None = None,
    tags: Mapping[str, str] | None = None,
    location: str = "westeurope",
) -> ComputeResource:
    return ComputeResource(
        id=vm_id(name),
        location=location,
        tags=tags or {},
        identity=Identity(system, attached or {}),
    )


def grant(principal: str = "p-1", scope: str = GROUP, role: str = READER) -> Grant:
    return Grant(scope, role, principal)


class _LaterKind(StrEnum):
    MEMBERSHIP = "group membership"


#: A kind of grant that there is not.
MEMBERSHIP = cast(GrantKind, _LaterKind.MEMBERSHIP)


def of_another_kind(one: Grant) -> Grant:
    """What reads like it and is given by something else."""
    return replace(one, kind=MEMBERSHIP)
