"""Cases of resources that move: the record moves with them, and what no rule wants at the new place
goes by the same rules as anywhere.
"""

from dataclasses import replace

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.resource.resources.models import ResourcesMoveInfo

from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    adopt,
    attached,
    begun,
    create,
    hours,
    own,
    pass_time,
    roles,
    sweep,
)
from tests.support.compute_examples import MACHINE, SITE, Example
from tests.support.estate import Estate

TYPES = pytest.mark.parametrize("made", [MACHINE, SITE], ids=str)
SEEN = pytest.mark.parametrize("lost", [False, True], ids=["events", "events lost"])


async def move(
    estate: Estate, resource: ResourceId, group: str, *, lost: bool = False
) -> ResourceId:
    """Into another group, as ARM moves it; returns its new id."""
    client = ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    target = f"{estate.scope}/resourceGroups/{group}"
    await client.resource_groups.create_or_update(group, {"location": "westeurope"})
    await pass_time(estate)
    wanted = ResourcesMoveInfo(resources=[resource.text], target_resource_group=target)
    poller = await client.resources.begin_move_resources("rg-app", wanted, polling_interval=1)
    await poller.result()
    if lost:
        estate.new_events()
    return ResourceId.parse(
        resource.text.replace("/resourceGroups/rg-app/", f"/resourceGroups/{group}/")
    )


def scoped(estate: Estate, policy: Rules, *groups: str) -> str:
    """The policy for resources of these groups only."""
    scopes = ", ".join(f"{estate.scope}/resourceGroups/{group}" for group in groups)
    return replace(policy, match=f"scopes: [{scopes}]").text(estate.subscription)


@TYPES
@SEEN
async def test_case_B12_what_was_attached_goes_where_no_rule_is_for_the_new_place(
    monkeypatch: pytest.MonkeyPatch, made: Example, lost: bool
) -> None:
    policy = Rules(type=made.type, grace_minutes=10)
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    resource = await create(estate, made)
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    moved = await move(estate, resource, "rg-other", lost=lost)
    await sweep(estate)
    await pass_time(estate, 5 * MINUTE)
    assert (attached(estate, moved), roles(estate, "id-old")) == (["id-old"], ["Reader"]), "grace"
    await hours(estate, 2)
    assert (attached(estate, moved), roles(estate, "id-old")) == ([], [])
    assert (await estate.ledger.resource(resource)).row is None


@TYPES
async def test_case_B12_what_a_rule_is_for_at_the_new_place_too_stays(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    policy = Rules(type=made.type)
    estate = await begun(monkeypatch, policy, "id-old")
    resource = await create(estate, made)
    await pass_time(estate)
    moved = await move(estate, resource, "rg-other")
    await pass_time(estate, HOUR)
    await sweep(estate)
    assert attached(estate, moved) == ["id-old"]
    assert [scope.rpartition("/")[2] for _, scope, _ in estate.assignments()] == ["rg-other"]
    await adopt(estate, scoped(estate, policy, "rg-app"))
    await hours(estate, 1)
    assert attached(estate, moved) == [], "it was attached by Lanyard, before the move"


async def test_case_B17_an_identity_of_its_own_is_that_of_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = Rules(identity=own(), options={"imdsDefault": "accept"})
    estate = await begun(monkeypatch, policy)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (before,) = estate.azure.state.resources[vm.key].identity["userAssignedIdentities"]  # type: ignore[index]
    moved = await move(estate, vm, "rg-other")
    await pass_time(estate, HOUR)
    await hours(estate, 30)
    (after,) = estate.azure.state.resources[moved.key].identity["userAssignedIdentities"]  # type: ignore[index]
    assert "/resourcegroups/rg-other/" in after.lower()
    assert before.lower() not in estate.azure.state.resources, "it went by the rules for deleting"
