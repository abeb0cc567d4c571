"""Events look like Azure's own, and only the topics concerned tell of an activity."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.event_grid.events import as_cloud_event
from simulator.event_grid.models import TopicType
from simulator.state import Resource, RoleAssignment
from tests.support.platform.event_grid import Grid

SAMPLES = Path(__file__).parents[4] / "shared" / "recordings" / "event-grid-samples.json"
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def shape(value: Any) -> Any:
    """Keys and JSON types, without the claims: those differ from caller to caller."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in sorted(value.items()) if key != "claims"}
    return type(value).__name__


def samples() -> list[dict[str, Any]]:
    if not SAMPLES.exists():
        pytest.skip("recordings absent")
    return [each["event"] for each in json.loads(SAMPLES.read_text())["samples"]]


@pytest.mark.parametrize(
    ("position", "verb"), [(0, "write"), (1, "delete"), (2, "listKeys/action")]
)
def test_an_event_has_the_shape_of_azures_own_sample(position: int, verb: str) -> None:
    sample = samples()[position]
    grid = Grid()
    if "roleAssignmentId" in sample["data"]["authorization"]["evidence"]:
        assign_owner(grid, "o-1")
    grid.publish(verb=verb)
    (event,) = grid.events()
    assert shape(event) == shape(sample)
    assert event["eventType"] == sample["eventType"]
    assert (event["dataVersion"], event["metadataVersion"]) == ("2", "1")


def test_the_samples_claims_of_a_caller_are_named_as_ours() -> None:
    claims = samples()[2]["data"]["claims"]
    grid = Grid()
    grid.publish()
    ours = grid.events()[0]["data"]["claims"]
    assert ours[OID] == "o-1"
    assert ours.keys() <= claims.keys()


def test_a_group_write_of_the_short_sample_is_a_part_of_ours() -> None:
    sample = samples()[3]
    grid = Grid()
    grid.publish(grid.group, action="Microsoft.Resources/subscriptions/resourceGroups/write")
    (event,) = grid.events()
    assert shape(sample).keys() <= shape(event).keys()
    assert shape(sample)["data"].items() <= shape(event)["data"].items()
    assert event["data"]["resourceProvider"] == sample["data"]["resourceProvider"]
    assert event["data"]["operationName"] == sample["data"]["operationName"]


def assign_owner(grid: Grid, principal_id: str) -> None:
    name, now = "11111111-2222-3333-4444-555555555555", grid.state.clock.now()
    scope = grid.subscription_scope
    grid.state.role_assignments[name] = RoleAssignment(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        name,
        scope,
        f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{name}",
        principal_id,
        "ServicePrincipal",
        None,
        None,
        None,
        now,
        principal_id,
        now,
        principal_id,
    )


def test_subject_scope_and_uri_are_the_resource_and_the_topic_is_the_subscription() -> None:
    grid = Grid()
    grid.publish()
    (event,) = grid.events()
    data = event["data"]
    assert event["subject"] == data["authorization"]["scope"] == data["resourceUri"] == grid.vm
    assert event["topic"] == grid.subscription_scope
    assert data["subscriptionId"] == grid.subscription_scope.rpartition("/")[2]
    assert data["tenantId"] == grid.state.tenant_id


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Succeeded", "ResourceDeleteSuccess"),
        ("Failed", "ResourceDeleteFailure"),
        ("Canceled", "ResourceDeleteCancel"),
    ],
)
def test_the_event_type_tells_how_it_ended(status: str, kind: str) -> None:
    grid = Grid()
    grid.publish(verb="delete", status=status)
    assert grid.events()[0]["eventType"] == f"Microsoft.Resources.{kind}"


def test_a_group_topic_tells_of_its_group_alone() -> None:
    grid = Grid()
    source = grid.group
    topic_id = f"{grid.group}/providers/Microsoft.EventGrid/systemTopics/of-the-group"
    grid.event_grid.add_topic(topic_id, source, TopicType.RESOURCE_GROUP)
    grid.publish(grid.vm.replace("/rg/", "/rg2/"))
    grid.publish(grid.vm.replace("resourceGroups", "resourcegroups"))
    told = [each.event for each in grid.event_grid.published if each.topic_id == topic_id]
    assert [event["topic"] for event in told] == [source]
    assert "/resourcegroups/rg/" in told[0]["subject"]


def test_activity_outside_every_topic_publishes_nothing() -> None:
    grid = Grid()
    grid.publish("/providers/Microsoft.Management/managementGroups/mg")
    grid.publish(grid.vm.replace(grid.subscription_scope, "/subscriptions/another"))
    assert grid.events() == []


def test_a_topic_deleted_from_arm_tells_nothing_more() -> None:
    grid = Grid()
    del grid.state.resources[grid.topic.id.lower()]
    grid.publish()
    assert grid.events() == []


def test_the_switches_give_every_shape_azure_is_known_for() -> None:
    grid = Grid()
    grid.behaviour.strings_in_data = True
    grid.behaviour.lower_case_resource_groups = True
    grid.behaviour.http_request_on_put = True
    grid.publish()
    (event,) = grid.events()
    assert event["dataVersion"] == ""
    assert "/resourcegroups/rg/" in event["subject"]
    assert json.loads(event["data"]["authorization"])["scope"] == event["subject"]
    assert json.loads(event["data"]["claims"])["appid"] == "a-1"
    assert event["data"]["httpRequest"]["method"] == "PUT"


def test_a_cloud_event_has_the_same_content_under_its_own_names() -> None:
    grid = Grid()
    grid.publish()
    (event,) = grid.events()
    cloud = as_cloud_event(event)
    assert cloud["specversion"] == "1.0"
    assert (cloud["source"], cloud["type"]) == (event["topic"], event["eventType"])
    assert (cloud["time"], cloud["data"]) == (event["eventTime"], event["data"])


def test_resource_notifications_carry_the_resource_and_no_caller() -> None:
    grid = Grid(TopicType.RESOURCE_NOTIFICATIONS)
    machine = Resource(
        grid.vm, "Microsoft.Compute/virtualMachines", "vm1", "westeurope", {"env": "prod"}, {"a": 1}
    )
    grid.state.resources[grid.vm.lower()] = machine
    grid.publish()
    grid.publish(status="Failed")
    del grid.state.resources[grid.vm.lower()]
    grid.publish(verb="delete")
    created, deleted = grid.events()
    info = created["data"]["resourceInfo"]
    assert created["eventType"] == "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"
    assert (info["location"], info["tags"]) == ("westeurope", {"env": "prod"})
    assert info["properties"] == {"a": 1, "provisioningState": "Succeeded"}
    assert created["data"].keys() == {"resourceInfo", "operationalInfo", "apiVersion"}
    assert deleted["eventType"] == "Microsoft.ResourceNotifications.Resources.Deleted"
    assert deleted["data"]["resourceInfo"] == {
        "id": grid.vm,
        "name": "vm1",
        "type": "Microsoft.Compute/virtualMachines",
    }


def test_resource_notifications_leave_out_groups_and_role_assignments() -> None:
    grid = Grid(TopicType.RESOURCE_NOTIFICATIONS)
    assignment = "/providers/Microsoft.Authorization/roleAssignments/x"
    action = "Microsoft.Authorization/roleAssignments/delete"
    for scope in (grid.subscription_scope, grid.group, grid.vm):
        grid.publish(scope + assignment, "delete", action=action)
    grid.publish(
        grid.group, "delete", action="Microsoft.Resources/subscriptions/resourceGroups/delete"
    )
    assert grid.events() == []
