"""Cases of part C: every refusal has an end, and its end is on record."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from lanyard.planning.orders import Kind, Paused
from lanyard.queue.messages import encode
from lanyard.record.decisions import Decision, Decisions
from lanyard.record.held import Answer
from lanyard.values.change import Change
from lanyard.values.errors import Because, Temporary
from lanyard.values.resource_id import ResourceId
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    held,
    hours,
    look,
    pass_time,
    patch,
    principal,
    roles,
    sweep,
)
from tests.support.compute_examples import CLUSTER, MACHINE, SITE, Example
from tests.support.estate import Estate

ACCEPTED = Rules(options={"imdsDefault": "accept"})


async def given_up(estate: Estate) -> list[Decision]:
    """What is on record as given up."""
    return [
        decision
        for decision in await estate.recorded()
        if decision.outcome == "failed" and "given up, because" in decision.reason
    ]


# C09


async def test_case_C09_a_message_that_never_could_begin_is_on_record_with_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    vm = await estate.create_vm("vm1")
    path, caller = "virtualMachines/vm1$", estate.app.object_id
    estate.azure.faults.add(Fault(path=path, caller=caller, status=503, code="Sick", times=None))
    await pass_time(estate, 4 * HOUR)
    (decision,) = await given_up(estate)
    assert decision.resource == vm.text
    assert "503 Sick" in decision.reason
    assert decision.cause["source"] == "retry"


async def test_case_C09_whatever_goes_wrong_is_on_record_after_a_few_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    tries = 0

    async def broken(_change: Change) -> bool:
        nonlocal tries
        tries += 1
        raise RuntimeError("a fault of its own")

    monkeypatch.setattr(type(estate.worker.reconciler), "concerns", lambda _self, c: broken(c))
    monkeypatch.setattr(logging.getLogger("lanyard.faults"), "handlers", [])
    change = Change(estate.vm_id("vm1"), "event")
    assert await estate.work(encode(change)) is None
    await pass_time(estate, HOUR)
    (decision,) = await given_up(estate)
    assert "a fault of its own" in decision.reason
    assert (tries, estate.poison.take()[0].resource) == (5, change.resource)


async def test_case_C09_a_message_that_cannot_be_read_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    body = '{"of": "another version"}'
    assert await estate.work(body) is None
    (decision,) = await given_up(estate)
    assert (decision.resource, decision.action) == ("", "reconcile")
    assert "no message of this queue" in decision.reason
    assert estate.poison.lying == [(body.encode(), False)]


async def test_case_C09_what_cannot_be_put_on_record_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")

    async def away(_self: Decisions, _decision: Decision) -> None:
        raise Temporary("503 Service Unavailable", 5.0)

    monkeypatch.setattr(Decisions, "add", away)
    estate.azure.faults.add(Fault(caller=estate.app.object_id, status=503, times=None))
    with pytest.raises(Temporary):
        await estate.worker.process(Change(estate.vm_id("vm1"), "retry", attempt=12))
    assert estate.poison.lying == []


@pytest.mark.parametrize(
    ("put", "words"),
    [(0, "puts nothing on the queue"), (2, "put 2 messages on the queue before that")],
)
async def test_case_C09_a_sweep_that_fails_says_what_it_put_on_the_queue(
    monkeypatch: pytest.MonkeyPatch, put: int, words: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    for number in range(4):
        await estate.create_vm(f"vm{number}")
    estate.new_events()
    queue, taken = estate.queue, estate.queue.put

    async def full(change: Change, delay: float = 0) -> None:
        if len(queue.messages) == put:
            raise Temporary("503 Service Unavailable", 5.0)
        await taken(change, delay)

    monkeypatch.setattr(queue, "put", full)
    with pytest.raises(Temporary):
        await estate.sweeps.run()
    (failed,) = [one for one in await estate.recorded() if one.outcome == "failed"]
    assert words in failed.reason
    assert len(queue.messages) == put


# C10


#: A region where nothing was made yet: the identity comes with its first machine.
REGIONAL = Rules(
    identity='{name: "id-{location}", resourceGroup: rg-identities}',
    options={"imdsDefault": "accept"},
)
ATTACHES = "virtualMachines/vm1$"


def refusing(estate: Estate, path: str = ATTACHES, *, method: str = "PATCH", **how: Any) -> Fault:
    """What Azure answers to the app's writes."""
    return estate.azure.faults.add(
        Fault(method=method, path=path, caller=estate.app.object_id, **how)
    )


@pytest.mark.parametrize("code", ["AppServicePlanLocked", "EtagMismatch", "OperationNotAllowed"])
async def test_case_C10_a_conflict_that_nobody_knows_is_tried_again_in_seconds(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=409, code=code, times=2)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, MINUTE)
    assert (fault.hits, attached(estate, vm)) == (2, ["id-old"])


async def test_case_C10_so_is_the_writing_of_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, "roleAssignments/", method="PUT", status=409, code="Odd", times=2)
    await estate.create_vm("vm1")
    await pass_time(estate, MINUTE)
    assert (fault.hits, roles(estate, "id-old")) == (2, ["Reader"])


@pytest.mark.parametrize("code", ["ScopeLocked", "MissingSubscriptionRegistration"])
async def test_case_C10_what_is_known_to_be_final_is_final_at_once(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=409, code=code, times=None)
    await estate.create_vm("vm1")
    await pass_time(estate, 30 * MINUTE)
    assert fault.hits == 1


async def test_case_C10_the_first_machine_of_a_region_is_served_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, REGIONAL)
    fault = refusing(estate, status=400, code="FailedIdentityOperation", times=2)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, MINUTE)
    assert (fault.hits, attached(estate, vm)) == (2, ["id-westeurope"])


async def test_case_C10_so_is_one_whose_identity_a_replica_of_arm_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, REGIONAL)
    fault = refusing(estate, status=400, code="FailedIdentityOperation", times=1)
    vm = await estate.create_vm("vm1")
    # Read before it is made, right before that, and when a write with it was refused.
    missed = Fault(
        method="GET", path="id-westeurope$", status=404, code="ResourceNotFound", after=2
    )
    estate.azure.faults.add(missed)
    await pass_time(estate, MINUTE)
    assert (fault.hits, missed.hits) == (1, 1)
    assert attached(estate, vm) == ["id-westeurope"]


async def test_case_C10_an_identity_that_no_service_comes_to_know_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, REGIONAL)
    fault = refusing(estate, status=400, code="FailedIdentityOperation", times=None)
    await estate.create_vm("vm1")
    await pass_time(estate, 30 * MINUTE)
    assert fault.hits == 5
    (decision,) = await given_up(estate)
    assert decision.action == "attach identity id-westeurope"


# C11


@pytest.mark.parametrize(
    ("status", "code"), [(409, "OperationNotAllowed"), (400, "OperationNotAllowed"), (409, "Odd")]
)
async def test_case_C11_what_never_passes_is_final_after_a_few_tries_and_on_record(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=status, code=code, message="a quota", times=None)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, HOUR)
    assert fault.hits == 5
    (decision,) = await given_up(estate)
    assert (decision.resource, decision.action) == (vm.text, "attach identity id-old")
    assert f"{code}: " in decision.reason
    assert "a quota" in decision.reason


async def test_case_C11_what_is_busy_for_over_an_hour_is_given_up_without_poison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=409, code="Conflict", times=None)
    await estate.create_vm("vm1")
    await pass_time(estate, 4 * HOUR)
    assert fault.hits == 13
    (decision,) = await given_up(estate)
    assert decision.action == "attach identity id-old"


async def test_case_C11_a_cluster_whose_node_pool_is_at_work_is_served_when_that_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own state does not show that."""
    rules = Rules(type=CLUSTER.type, options={"replace": "accept"})
    estate = await begun(monkeypatch, rules, "id-old")
    until = estate.azure.clock.now() + 20 * MINUTE
    path = "managedClusters/[^/]+$"
    fault = refusing(
        estate, path, method="PUT", status=409, code="OperationNotAllowed", times=None, until=until
    )
    cluster = await create(estate, CLUSTER, identity={"type": "SystemAssigned"})
    await pass_time(estate, HOUR)
    assert 5 < fault.hits <= 12
    assert attached(estate, cluster) == ["id-old"]
    assert await given_up(estate) == []


# C08


def ignoring(estate: Estate, resource: ResourceId) -> list[str]:
    """Azure answers 200 to each write of the app, and does nothing; returns the answered ones."""
    written: list[str] = []

    def patch_nothing(request: ArmRequest) -> ArmResponse:
        written.append(request.method)
        shown = estate.azure.state.resources[resource.key]
        body = {"id": shown.id, "name": shown.name, "type": shown.type, "location": shown.location}
        state = {"provisioningState": "Succeeded"} | dict(shown.properties)
        return ArmResponse(200, body | {"properties": state, "identity": shown.identity})

    estate.azure.add_operations([Operation("PATCH", resource.text, patch_nothing, None)])
    return written


@pytest.mark.parametrize("made", [MACHINE, SITE], ids=str)
async def test_case_C08_what_azure_does_not_do_is_held_after_a_few_writes(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate = await begun(monkeypatch, replace(ACCEPTED, type=made.type), "id-old")
    resource = await create(estate, made)
    written = ignoring(estate, resource)
    await pass_time(estate, HOUR)
    assert len(written) == 5
    refusal = (await held(estate))["attach identity id-old"].refusal
    assert (refusal.because, refusal.releasable) == (Because.NOT_DONE, True)
    assert refusal.reason == "Azure answers 200 and does not do it"
    (decision,) = await given_up(estate)
    assert decision.action == "attach identity id-old"
    await hours(estate, 6)
    await look(estate, resource)
    assert len(written) == 5, "no more writes"
    assert estate.queue.messages == []


async def test_case_C08_a_release_has_it_tried_again_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, replace(ACCEPTED, type=SITE.type), "id-old")
    site = await create(estate, SITE)
    written = ignoring(estate, site)
    await pass_time(estate, HOUR)
    entry = (await held(estate))["attach identity id-old"]
    await estate.services.held.release(entry.id, "ann")
    await hours(estate, 2)
    tried = len(written)
    assert tried > 5
    await hours(estate, 3)
    assert len(written) == tried
    entry = (await held(estate))["attach identity id-old"]
    assert (entry.answer, entry.refusal.because) == (Answer.NONE, Because.NOT_DONE)


async def test_case_C08_what_is_not_detached_is_held_too_and_ends_when_a_person_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = replace(ACCEPTED, type=SITE.type, match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules, "id-old")
    site = await create(estate, SITE, tags={"env": "prod"})
    await pass_time(estate)
    await patch(estate, site, tags={})
    written = ignoring(estate, site)
    await hours(estate, 3)
    assert len(written) == 5
    refusal = (await held(estate))["detach identity id-old"].refusal
    assert (refusal.because, refusal.kind) == (Because.NOT_DONE, Kind.REMOVAL)
    await create(estate, SITE, identity={"type": "None"})
    await hours(estate, 1)
    assert await held(estate) == {}


# C11, at each sweep


@pytest.mark.parametrize(("status", "code"), [(409, "OperationNotAllowed"), (403, "Forbidden")])
async def test_case_C11_what_is_refused_at_each_sweep_is_tried_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=status, code=code, times=None)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, HOUR / 2)
    per_day = []
    for _ in range(3):
        before = fault.hits
        await hours(estate, 24)
        per_day.append(fault.hits - before)
    assert per_day[0] <= 11
    assert per_day[2] <= 1
    assert "attach identity id-old" in await held(estate)
    await patch(estate, vm, tags={"now": "other"})
    fault.times = 0
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == ["id-old"]
    assert await held(estate) == {}


@pytest.mark.parametrize("changed", ["the resource", "the policy", "the rights", "a word"])
async def test_case_C11_it_is_tried_with_the_next_sweep_once_something_about_it_changed(
    monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    fault = refusing(estate, status=403, code="Forbidden", times=None)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    await hours(estate, 5)
    tried = fault.hits
    if changed == "the resource":
        await patch(estate, vm, tags={"now": "other"})
        estate.new_events()  # which are lost
    elif changed == "the policy":
        text = replace(ACCEPTED, per_hour=49).text(estate.subscription)
        estate.change_policy(text)
    elif changed == "the rights":
        estate.azure.assign(estate.app.object_id, "Reader", f"{estate.scope}/resourceGroups/rg-app")
    else:
        await estate.services.kill_switch.pause(Paused.REMOVALS, "ann", "an audit")
    await sweep(estate)
    assert fault.hits > tried


# C18


async def test_case_C18_a_refusal_that_names_one_operation_stops_no_other_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = replace(ACCEPTED, type=f"{ACCEPTED.type}, {SITE.type}")
    estate = await begun(monkeypatch, both, "id-old")
    path = "MICROSOFT.COMPUTE/VIRTUALMACHINES/"
    refusing(
        estate,
        status=429,
        code="SubscriptionRequestsThrottled",
        message=f"operation 'PATCH/SUBSCRIPTIONS/RESOURCEGROUPS/PROVIDERS/{path}' exceeded",
        retry_after=600,
    )
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    site = await create(estate, SITE)
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == []
    assert attached(estate, site) == ["id-old"], "a write of the same subscription"
    await pass_time(estate, 20 * MINUTE)
    assert attached(estate, vm) == ["id-old"]


# C13


def failing_after(estate: Estate, resource: ResourceId, *, done: bool, code: str) -> list[str]:
    """Azure accepts each write of the identity, and its operation ends as failed; `done`: the
    identities are on, or off, all the same. Returns the writes.
    """
    written: list[str] = []

    def accept(request: ArmRequest) -> ArmResponse:
        written.append(request.method)
        asked = request.body["identity"].get("userAssignedIdentities") or {}
        there = {
            one: {"principalId": principal(estate, one.rpartition("/")[2]), "clientId": "c"}
            for one, value in asked.items()
            if value is not None
        }
        if done:
            block = {"type": "UserAssigned", "userAssignedIdentities": there} if there else None
            estate.azure.state.resources[resource.key].identity = block
        where = f"{request.base_url}{resource}/ended?api-version={request.api_version}"
        return ArmResponse(202, None, {"azure-asyncoperation": where})

    ended = {"status": "Failed", "error": {"code": code, "message": "what follows"}}
    path = resource.text.removesuffix(resource.name) + "{name}"
    estate.azure.add_operations(
        [
            Operation("PATCH", path, accept, None, told=True),
            Operation("GET", f"{path}/ended", lambda _request: ArmResponse(200, ended), None),
        ]
    )
    return written


@pytest.mark.parametrize("code", ["VMExtensionError", "InternalServerError"])
async def test_case_C13_what_is_on_is_on_whatever_its_operation_says(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    rules = replace(ACCEPTED, type=SITE.type, match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules, "id-old")
    site = await create(estate, SITE, tags={"env": "prod"})
    written = failing_after(estate, site, done=True, code=code)
    await pass_time(estate, MINUTE)
    assert (len(written), attached(estate, site)) == (1, ["id-old"])
    assert [one.name for one in (await estate.ledger.resource(site)).attachments] == ["id-old"]
    assert await given_up(estate) == []
    outcomes = [(d.action, d.outcome) for d in await estate.recorded()]
    assert ("attach identity id-old", "done") in outcomes
    assert ("attach identity id-old", "failed") not in outcomes
    estate.azure.state.resources[site.key].tags = {}
    await look(estate, site)
    assert (len(written), attached(estate, site)) == (2, [])
    assert ("detach identity id-old", "done") in [
        (d.action, d.outcome) for d in await estate.recorded()
    ]


async def test_case_C13_what_is_not_on_is_refused_by_its_operations_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, replace(ACCEPTED, type=SITE.type), "id-old")
    site = await create(estate, SITE)
    written = failing_after(estate, site, done=False, code="VMExtensionError")
    await pass_time(estate, MINUTE)
    assert len(written) == 1
    failed = [d for d in await estate.recorded() if d.outcome == "failed"]
    attach, role = sorted(failed, key=lambda decision: decision.action, reverse=True)
    assert attach.action == "attach identity id-old"
    assert "VMExtensionError" in attach.reason
    assert role.reason == "id-old is not attached, so it gets no role"
