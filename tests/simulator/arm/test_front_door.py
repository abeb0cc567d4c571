"""What every management request passes through: tokens, versions, quotas, faults, the record."""

import json
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.mgmt.resource.resources import ResourceManagementClient

from simulator.faults import Drop, Fault
from simulator.transport import ask
from tests.support.arm.world import GROUP, VM_BODY, World

VERSION = "api-version=2024-11-01"


async def refusal(world: World, method: str, path: str, body: object = None) -> tuple[int, str]:
    answer = await world.raw(method, path, body)
    return answer.status, json.loads(answer.content)["error"]["code"]


async def test_a_request_needs_a_token_for_arm(world: World) -> None:
    url = f"https://arm.local{world.group_scope}?{VERSION}"
    wrong = world.azure.tokens.issue(world.owner, "https://storage.azure.com").access_token
    expired = world.azure.tokens.issue(world.owner, "https://management.azure.com", lifetime=-1)
    given = {
        "AuthenticationFailed": {},
        "InvalidAuthenticationToken": {"authorization": "Bearer nonsense"},
        "InvalidAuthenticationTokenAudience": {"authorization": f"Bearer {wrong}"},
        "ExpiredAuthenticationToken": {"authorization": f"Bearer {expired.access_token}"},
    }
    for code, headers in given.items():
        answer = await ask(world.azure.app, "GET", url, headers, b"")
        assert (answer.status, json.loads(answer.content)["error"]["code"]) == (401, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("{group}", 400, "MissingApiVersionParameter"),
        ("{group}?api-version=soon", 400, "InvalidApiVersionParameter"),
        ("{group}?api-version=1999-01-01", 400, "InvalidApiVersionParameter"),
        ("{vm}?api-version=1999-01-01", 400, "NoRegisteredProviderFound"),
        ("{group}/providers/Contoso.App/things/x?{version}", 404, "InvalidResourceNamespace"),
        ("{group}/providers/Microsoft.Compute/disks/x?{version}", 404, "InvalidResourceType"),
        ("/subscriptions/nowhere/resourceGroups/x?{version}", 404, "SubscriptionNotFound"),
        ("/elsewhere?{version}", 404, "NotFound"),
        ("{vm}?{version}", 404, "ResourceNotFound"),
    ],
)
async def test_paths_that_lead_nowhere(world: World, path: str, status: int, code: str) -> None:
    full = path.format(group=world.group_scope, vm=world.vm_id("vm1"), version=VERSION)
    assert await refusal(world, "GET", full) == (status, code)


async def test_a_known_path_with_an_unknown_method(world: World) -> None:
    assert await refusal(world, "POST", f"{world.group_scope}?{VERSION}") == (
        405,
        "MethodNotAllowed",
    )


async def test_a_body_that_is_no_json_object_is_refused(world: World) -> None:
    path = f"{world.vm_id('vm1')}?{VERSION}"
    assert await refusal(world, "PUT", path, ["a"]) == (400, "InvalidRequestContent")
    token = world.azure.tokens.issue(world.owner, "https://management.azure.com").access_token
    headers = {"authorization": f"Bearer {token}"}
    answer = await ask(world.azure.app, "PUT", f"https://arm.local{path}", headers, b"{")
    assert answer.status == 400


async def test_paths_are_matched_without_regard_to_case_or_doubled_slashes(world: World) -> None:
    shouted = world.group_scope.upper().replace("/RESOURCEGROUPS/", "//RESOURCEGROUPS//")
    shouted = shouted.replace(world.subscription.upper(), world.subscription)
    assert (await world.raw("GET", f"{shouted}?{VERSION}")).status == 200


async def test_calls_are_recorded_with_their_caller_and_status(world: World) -> None:
    path = f"{world.group_scope}?{VERSION}"
    await world.raw("GET", path, headers={"x-ms-correlation-request-id": "mine"})
    await world.raw("GET", path, principal=world.app)
    assert [(call.method, call.status) for call in world.azure.calls] == [
        ("GET", 200),
        ("GET", 403),
    ]
    assert world.azure.calls[0].correlation_id == "mine"
    (mine,) = world.azure.calls_of(world.app.object_id)
    assert (mine.path, mine.query["api-version"]) == (world.group_scope, "2024-11-01")


async def test_every_answer_names_its_request_and_correlation(world: World) -> None:
    first = await world.raw("GET", f"{world.group_scope}?{VERSION}")
    second = await world.raw("GET", f"{world.group_scope}?{VERSION}")
    for name in ("x-ms-request-id", "x-ms-correlation-request-id"):
        assert first.headers[name] != second.headers[name]


async def test_reads_run_dry_at_their_published_rate_and_refill(world: World) -> None:
    world.azure.behaviour.throttling = True
    path = f"{world.group_scope}?{VERSION}"
    for _ in range(250):
        assert (await world.raw("GET", path)).status == 200
    answer = await world.raw("GET", path)
    error = json.loads(answer.content)["error"]
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert error["code"] == "SubscriptionRequestsThrottled"
    assert "Number of 'read' requests" in error["message"]
    assert (await world.raw("GET", path, principal=world.app)).status == 403  # its own bucket
    assert (await world.raw("PUT", path, {"location": "x"})).status == 200  # another kind
    world.azure.clock.advance(1)
    for _ in range(25):
        assert (await world.raw("GET", path)).status == 200
    assert (await world.raw("GET", path)).status == 429


async def test_a_machine_takes_twelve_updates_and_then_four_a_minute(world: World) -> None:
    path = f"{world.vm_id('vm1')}?{VERSION}"
    await world.raw("PUT", path, VM_BODY)
    world.azure.behaviour.throttling = True
    for _ in range(12):
        assert (await world.raw("PATCH", path, {"tags": {}})).status == 200
    answer = await world.raw("PATCH", path, {"tags": {}})
    assert (answer.status, answer.headers["retry-after"]) == (429, "15")
    assert json.loads(answer.content)["error"]["details"][0]["target"] == "UpdateVMResource"
    world.azure.clock.advance(15)
    assert (await world.raw("PATCH", path, {"tags": {}})).status == 200


async def test_the_sdk_waits_out_a_429_on_the_simulators_clock(world: World) -> None:
    fault = world.azure.faults.add(
        Fault(method="GET", status=429, code="SubscriptionRequestsThrottled", retry_after=10)
    )
    before = world.azure.clock.now()
    async with world.resources() as client:
        assert (await client.resource_groups.get(GROUP)).name == GROUP
    assert fault.hits == 1
    assert world.azure.clock.now() - before == 10
    assert [call.status for call in world.azure.calls] == [429, 200]


async def test_a_fault_ends_at_its_moment_and_what_was_there_all_along_is_found(
    world: World,
) -> None:
    path = f"{world.group_scope}?api-version=2021-04-01"
    until = world.azure.clock.now() + 30
    world.azure.faults.add(
        Fault(method="GET", status=404, code="ResourceGroupNotFound", times=None, until=until)
    )
    assert (await world.raw("GET", path)).status == 404
    world.azure.clock.advance(29)
    assert (await world.raw("GET", path)).status == 404
    world.azure.clock.advance(1)
    assert (await world.raw("GET", path)).status == 200


async def test_faults_strike_only_what_they_name(world: World) -> None:
    faults = world.azure.faults
    faults.add(Fault(path="virtualMachines/vm1$", method="GET", status=503, times=None))
    faults.add(Fault(caller=world.app.object_id, status=500, times=None))
    faults.add(Fault(service="graph", status=500, times=None))
    vm, group = f"{world.vm_id('vm1')}?{VERSION}", f"{world.group_scope}?{VERSION}"
    assert (await world.raw("GET", vm)).status == 503
    assert (await world.raw("GET", group)).status == 200
    assert (await world.raw("GET", group, principal=world.app)).status == 500
    faults.clear()
    assert (await world.raw("GET", vm)).status == 404


async def test_a_fault_by_chance_is_the_same_in_every_run(world: World) -> None:
    fault = world.azure.faults.add(Fault(status=500, times=None, probability=0.5))
    statuses = [
        (await world.raw("GET", f"{world.group_scope}?{VERSION}")).status for _ in range(100)
    ]
    assert statuses.count(500) == fault.hits
    assert 30 < fault.hits < 70


@pytest.mark.parametrize(
    ("drop", "error", "acted"),
    [(Drop.BEFORE, ServiceRequestError, False), (Drop.AFTER, ServiceResponseError, True)],
)
async def test_a_lost_connection_reaches_the_sdk_as_its_own_error(
    world: World, drop: Drop, error: type[Exception], acted: bool
) -> None:
    world.azure.faults.add(Fault(method="PUT", drop=drop, times=None))
    options: dict[str, Any] = {"retry_total": 0}
    async with world.resources() as client:
        with pytest.raises(error):
            await client.resource_groups.create_or_update("rg2", {"location": "x"}, **options)
    world.azure.faults.clear()
    made = await world.raw("GET", f"{world.group_scope.replace(GROUP, 'rg2')}?{VERSION}")
    assert (made.status == 200) is acted


async def test_the_sdk_survives_a_lost_connection_by_asking_again(world: World) -> None:
    world.azure.faults.add(Fault(method="GET", drop=Drop.BEFORE))
    async with world.resources() as client:
        assert (await client.resource_groups.get(GROUP)).name == GROUP


def test_the_synchronous_clients_work_in_process_too() -> None:
    from simulator.azure import Azure

    azure = Azure()
    subscription = azure.state.add_subscription("Demo").id
    owner = azure.state.add_principal("owner", "User")
    azure.assign(owner.object_id, "Owner", f"/subscriptions/{subscription}")
    options = azure.sync_client_options(owner)
    with ResourceManagementClient(subscription_id=subscription, **options) as client:
        client.resource_groups.create_or_update("rg", {"location": "westeurope"})
        assert [each.name for each in client.resource_groups.list()] == ["rg"]
        client.resource_groups.begin_delete("rg").result()
        with pytest.raises(HttpResponseError):
            client.resource_groups.get("rg")


async def test_the_same_seed_gives_the_same_ids() -> None:
    from simulator.azure import Azure

    first, second, other = Azure(seed=3), Azure(seed=3), Azure(seed=4)
    ids = [each.state.add_principal("p").object_id for each in (first, second, other)]
    assert ids[0] == ids[1] != ids[2]
