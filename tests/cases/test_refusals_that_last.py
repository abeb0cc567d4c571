"""Cases of part C: what lasts ends, costs little while it lasts, and keeps nothing else waiting."""

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.faults import Fault
from tests.support.bad_parts import refuse, swept
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    identity_id,
    pass_time,
    patch,
    roles,
    sweep,
)
from tests.support.compute_examples import CONTAINER_APP, MACHINE, Example
from tests.support.estate import Estate

DAY = 24


async def outcomes(estate: Estate, resource: ResourceId) -> list[str]:
    """How each decision about a resource ended, with its reason."""
    found = [one for one in await estate.recorded() if one.resource == resource.text]
    return [f"{one.outcome}: {one.reason}" for one in found]


async def per_day(estate: Estate, fault: Fault, days: int = 3) -> list[int]:
    """How often it was met on each of so many days."""
    met = []
    for _ in range(days):
        before = fault.hits
        await hours(estate, DAY)
        met.append(fault.hits - before)
    return met


# Somebody's work on a resource


async def at_work(
    monkeypatch: pytest.MonkeyPatch, made: Example, state: str
) -> tuple[Estate, ResourceId, Fault]:
    """ARM works on it for somebody; the fault counts the looks at it."""
    estate = await begun(monkeypatch, Rules(type=made.type), "id-old")
    resource = await create(estate, made)
    estate.azure.state.resources[resource.key].provisioning_state = state
    looks = Fault(method="GET", path=f"{resource.name}$", caller=estate.app.object_id, times=None)
    estate.azure.faults.add(looks)
    return estate, resource, looks


@pytest.mark.parametrize(
    ("made", "state"), [(MACHINE, "Updating"), (CONTAINER_APP, "InProgress")], ids=str
)
async def test_case_C11_waiting_for_somebodys_work_is_no_failed_attempt(
    monkeypatch: pytest.MonkeyPatch, made: Example, state: str
) -> None:
    estate, resource, looks = await at_work(monkeypatch, made, state)
    await pass_time(estate, 50 * MINUTE)
    assert looks.hits < 40, "less and less often"
    ((waiting, _),) = estate.queue.messages
    assert (waiting.attempt, await outcomes(estate, resource)) == (0, [])
    estate.azure.state.resources[resource.key].provisioning_state = "Succeeded"
    await pass_time(estate, 12 * MINUTE)
    assert attached(estate, resource) == ["id-old"]


async def test_case_C11_work_that_never_ends_is_given_up_and_looked_at_once_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, looks = await at_work(monkeypatch, MACHINE, "Updating")
    await pass_time(estate, 2 * HOUR)
    assert estate.queue.messages == []
    (ended,) = await outcomes(estate, vm)
    assert ended.startswith("failed: given up, because ")
    assert "is Updating" in ended
    assert (await per_day(estate, looks))[2] <= 1


# An answer that never comes


@pytest.mark.parametrize("status", [500, 503])
async def test_case_C09_what_never_can_begin_goes_to_the_poison_queue_and_no_more_does_later(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await estate.create_vm("vm1")
    estate.new_events()
    fault = refuse(estate, "virtualMachines/vm1$", status, "Sick")
    await hours(estate, 4)
    given_up = list(estate.poison.lying)
    assert (await per_day(estate, fault))[2] <= 1
    assert estate.poison.lying == given_up != []


async def test_case_C11_an_identity_that_never_is_answered_for_keeps_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    fault = refuse(estate, "userAssignedIdentities/id-old$", 500, "Sick")
    vm = await estate.create_vm("vm1")
    await hours(estate, 40)
    assert estate.queue.messages == []
    assert any("given up, because " in each for each in await outcomes(estate, vm))
    assert "attach identity id-old" in await held(estate)
    assert (await per_day(estate, fault, 1))[0] <= DAY + 1, "each sweep, and one attempt"
    fault.times = 0
    await hours(estate, DAY)
    assert (attached(estate, vm), await held(estate)) == (["id-old"], {})


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_case_C11_who_is_asked_to_wait_for_a_day_comes_once_a_day(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """No message is kept for it: the sweeps would add theirs."""
    estate = await begun(monkeypatch, Rules(), "id-old")
    path, day = "virtualMachines/vm1$", int(DAY * HOUR)
    app = estate.app.object_id
    busy = Fault(
        method=method, path=path, status=429, retry_after=day, caller=app, times=None, code="Busy"
    )
    estate.azure.faults.add(busy)
    vm = await estate.create_vm("vm1")
    await hours(estate, 40)
    assert busy.hits <= 8
    assert (estate.queue.messages, estate.poison.lying) == ([], [])
    assert any("given up, because " in each for each in await outcomes(estate, vm))
    assert (await per_day(estate, busy, 1)) <= [1]
    busy.times = 0
    await hours(estate, DAY)
    assert attached(estate, vm) == ["id-old"]


# What a principal left


async def test_case_A20_a_deletion_that_never_is_answered_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"))
    vm = await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await pass_time(estate)
    left = (estate.azure.state.resources[vm.key].identity or {})["principalId"]
    kept = estate.azure.assign(left, "Reader", estate.scope)
    fault = Fault(method="DELETE", path=kept.id, status=500, code="Sick", times=None)
    estate.azure.faults.add(fault)
    await pass_time(estate, HOUR)
    await estate.delete_vm("vm1")
    await pass_time(estate, 6 * HOUR)
    assert fault.hits == 13
    assert estate.queue.messages == []
    assert any("given up, because " in each for each in await outcomes(estate, vm))
    assert (await per_day(estate, fault))[2] <= 1
    fault.times = 0
    await hours(estate, DAY)
    assert estate.assignments(of=left) == []


# Grants


async def make_group(estate: Estate, name: str) -> None:
    options = estate.azure.client_options(estate.operator)
    client = ResourceManagementClient(subscription_id=estate.subscription, **options)
    await client.resource_groups.create_or_update(name, {"location": "westeurope"})


def swallowing(estate: Estate) -> list[str]:
    """Azure answers 201 to each role assignment, and makes none; returns their scopes."""
    written: list[str] = []

    def put_nothing(request: ArmRequest) -> ArmResponse:
        scope, _, name = request.path.partition("/providers/Microsoft.Authorization/")
        written.append(scope)
        properties = {**request.body["properties"], "scope": scope}
        body = {"id": request.path, "name": name.rpartition("/")[2], "properties": properties}
        return ArmResponse(201, {**body, "type": "Microsoft.Authorization/roleAssignments"})

    path = "/{scope:path}/providers/Microsoft.Authorization/roleAssignments/{name}"
    estate.azure.add_operations([Operation("PUT", path, put_nothing, None)])
    return written


async def test_case_C08_a_role_that_azure_does_not_give_is_held_after_a_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    written = swallowing(estate)
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
    await pass_time(estate)
    await hours(estate, 12)
    tried = len(written)
    assert tried <= 5
    entry = (await held(estate))[f"assign Reader at {estate.scope}/resourceGroups/rg-app to id-old"]
    assert (entry.refusal.because, entry.refusal.releasable) == (Because.NOT_DONE, True)
    await hours(estate, DAY)
    assert len(written) == tried, "no more writes"
    assert attached(estate, estate.vm_id("vm2")) == ["id-old"]


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("PUT", 503, "ServiceUnavailable"),
        ("PUT", 400, "PrincipalNotFound"),
        ("GET", 403, "AuthorizationFailed"),
    ],
)
async def test_case_C11_a_role_that_cannot_be_given_is_tried_once_a_day(
    monkeypatch: pytest.MonkeyPatch, method: str, status: int, code: str
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    fault = Fault(
        method=method, path="roleAssignments/[0-9a-f-]+$", status=status, code=code, times=None
    )
    estate.azure.faults.add(fault)
    await estate.create_vm("vm1")
    await hours(estate, 2)
    assert (await per_day(estate, fault))[2] <= 1
    assert f"assign Reader at {estate.scope}/resourceGroups/rg-app to id-old" in await held(estate)
    fault.times = 0
    await hours(estate, DAY)
    assert (roles(estate, "id-old"), await held(estate)) == (["Reader"], {})


async def test_case_C08_a_role_that_goes_with_its_scope_each_day_is_given_each_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = Rules(scope="/subscriptions/{subscription}/resourceGroups/rg-data")
    estate = await begun(monkeypatch, rule, "id-old")
    await make_group(estate, "rg-data")
    await estate.create_vm("vm1")
    await pass_time(estate)
    for _ in range(6):
        assert roles(estate, "id-old") == ["Reader"]
        await hours(estate, 1)
        await estate.delete_group("rg-data")
        await make_group(estate, "rg-data")
        await hours(estate, 2)


# Reads that are refused


async def test_case_C01_a_grant_of_which_nobody_can_say_whether_it_stands_stops_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    excluding = "exclude: {tags: {lanyard: ignore}}"
    first = Rules(match=excluding, options={"imdsDefault": "accept"})
    estate = await begun(monkeypatch, first, "id-old", "id-new")
    estate.azure.faults.add(Fault(method="PUT", path="roleAssignments", status=403, times=1))
    vm = await estate.create_vm("vm1")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    refused = refuse(estate, "rg-app/providers/Microsoft.Authorization/roleAssignments$")
    await patch(estate, vm, tags={"lanyard": "ignore"})
    new = identity_id(estate.subscription, "id-new")
    text = first.text(estate.subscription).replace("rules:\n", f"  new: {{id: {new}}}\nrules:\n")
    text = text.replace(
        "orphans:",
        "  - name: new\n    match: {types: [Microsoft.Compute/virtualMachines]}\n"
        "    attach: [new]\n    imdsDefault: accept\norphans:",
    )
    await adopt(estate, text)
    assert attached(estate, vm) == ["id-new", "id-old"]
    assert len((await estate.ledger.resource(vm)).pending) == 1, "neither given up nor confirmed"
    assert any("403 AuthorizationFailed" in each for each in await outcomes(estate, vm))
    assert "not read: grants in subscription" in await swept(estate)
    await sweep(estate)  # it has another identity by now: it is looked at once more
    before = refused.hits
    await sweep(estate)
    assert refused.hits == before + 1, "a sweep asks once, and nobody else"
    estate.azure.faults.clear()
    await hours(estate, 2)
    assert (await estate.ledger.resource(vm)).pending == frozenset()
    assert await held(estate) == {}
