"""Bodies as Azure's services show them, and what is sent back of one by PUT."""

from typing import Any

import pytest

from lanyard.azure.arm.resource_body import put_body, read_resource
from lanyard.values.compute_types import ComputeType, compute_type
from tests.support.examples import GROUP, identity_id

SET_TYPE = "Microsoft.Compute/virtualMachineScaleSets"
SET = f"{GROUP}/providers/{SET_TYPE}/set"


def row(name: str) -> ComputeType:
    found = compute_type(name)
    assert found is not None
    return found


def body(type: str, properties: dict[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
    return {"id": f"{GROUP}/providers/{type}/main", "properties": properties or {}, **more}


def test_a_resource_is_read_as_the_service_shows_it() -> None:
    a = identity_id("id-a")
    shown = body(
        "Microsoft.Web/sites",
        {"provisioningState": None},
        location="West Europe",
        kind="functionapp,linux",
        tags={"env": "prod"},
        identity={
            "type": "SystemAssigned,UserAssigned",
            "principalId": "ABC",
            "userAssignedIdentities": {
                a.text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"): {}
            },
        },
    )
    found = read_resource(shown, row("Microsoft.Web/sites"))
    assert (found.location, found.kind, found.tags) == (
        "westeurope",
        "functionapp,linux",
        {"env": "prod"},
    )
    assert found.identity.system_principal_id == "abc"
    assert found.identity.user_assigned == {a: None}
    assert found.provisioning_state == "Succeeded"
    assert found.raw == shown


def test_a_bare_body_is_read_too() -> None:
    found = read_resource({"id": f"{GROUP}/providers/{SET_TYPE}/main"}, row(SET_TYPE))
    assert (found.kind, found.scale_set, found.etag, found.tags) == ("", None, None, {})
    assert not found.manual_upgrade


def test_a_machine_of_a_flexible_scale_set_names_it() -> None:
    machine = body(
        "Microsoft.Compute/virtualMachines", {"virtualMachineScaleSet": {"id": SET}}, etag='"2"'
    )
    found = read_resource(machine, row("Microsoft.Compute/virtualMachines"))
    assert found.scale_set is not None
    assert found.scale_set.text == SET
    assert found.etag == '"2"'


CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"


@pytest.mark.parametrize(
    ("type", "properties", "incarnation"),
    [
        ("Microsoft.Compute/virtualMachines", {"vmId": "v"}, "v"),
        (SET_TYPE, {"uniqueId": "u"}, "u"),
        (CLUSTER_TYPE, {"resourceUID": "r"}, "r"),
        (CLUSTER_TYPE, {}, "2026-01-01T00:00:00Z"),
    ],
)
def test_what_is_made_again_under_its_id_is_another_one(
    type: str, properties: dict[str, Any], incarnation: str
) -> None:
    shown = body(type, properties, systemData={"createdAt": "2026-01-01T00:00:00Z"})
    assert read_resource(shown, row(type)).incarnation == incarnation


SITES = "Microsoft.Web/sites"
NEW_YEAR = 1_767_225_600.0


@pytest.mark.parametrize(
    ("properties", "dated"),
    [
        ({"creationTime": "2026-01-01T00:00:00Z"}, NEW_YEAR),
        ({"creationTime": "2026-01-01T01:00:00.0000000+01:00"}, NEW_YEAR),
        ({"lastModifiedTimeUtc": "2026-01-01T00:00:00"}, NEW_YEAR),
        ({"lastModifiedTimeUtc": "long ago"}, 0.0),
        ({"creationTime": 5}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_moment_at_which_it_was_there(properties: dict[str, Any], dated: float) -> None:
    assert read_resource(body(SITES, properties), row(SITES)).dated == dated


@pytest.mark.parametrize(
    ("host", "once"),
    [
        ("Main.azurewebsites.net", True),
        ("main-a1b2c3.westeurope-01.azurewebsites.net", False),
        ("", False),
    ],
)
def test_a_host_name_of_its_own_name_alone_is_the_only_one(host: str, once: bool) -> None:
    shown = body(SITES, {"defaultHostName": host}) | {"id": site_id("Main")}
    assert read_resource(shown, row(SITES)).named_once is once


def site_id(name: str) -> str:
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
    return f"{group}/providers/{SITES}/{name}"


@pytest.mark.parametrize(
    ("properties", "manual"),
    [
        ({"orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Manual"}}, True),
        ({"upgradePolicy": {"mode": "manual"}}, True),
        ({"orchestrationMode": "Flexible", "upgradePolicy": {"mode": "Manual"}}, False),
        ({"orchestrationMode": "Uniform", "upgradePolicy": {"mode": "Automatic"}}, False),
        ({"orchestrationMode": "Uniform", "upgradePolicy": None}, False),
    ],
)
def test_only_instances_of_a_uniform_set_wait_to_be_upgraded(
    properties: dict[str, Any], manual: bool
) -> None:
    assert read_resource(body(SET_TYPE, properties), row(SET_TYPE)).manual_upgrade is manual


def test_a_put_sends_all_but_what_only_the_service_writes() -> None:
    kind = "Microsoft.ContainerService/managedClusters"
    pool = {"name": "system", "count": 3, "powerState": {"code": "Running"}}
    kept = {
        "dnsPrefix": "main",
        "identityProfile": {"kubeletidentity": {"clientId": "c"}},
        "agentPoolProfiles": [pool],
    }
    cluster = body(
        kind,
        {
            **kept,
            "provisioningState": "Succeeded",
            "fqdn": "main.example",
            "agentPoolProfiles": [
                {
                    **pool,
                    "provisioningState": "Succeeded",
                    "nodeImageVersion": "v1",
                }
            ],
        },
        name="main",
        type=kind,
        location="westeurope",
        tags={"env": "prod"},
        eTag="1",
        systemData={"createdBy": "someone"},
        sku={"name": "Base", "tier": "Free"},
    )
    before = repr(cluster)
    assert put_body(cluster, row(kind)) == {
        "location": "westeurope",
        "tags": {"env": "prod"},
        "sku": {"name": "Base", "tier": "Free"},
        "properties": kept,
    }
    assert repr(cluster) == before
    assert read_resource(cluster, row(kind)).etag == "1"
