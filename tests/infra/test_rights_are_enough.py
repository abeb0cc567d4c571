"""Each flow runs with exactly the rights that `lanyard rights` names for its policy, and fails when
any one action of them is missing: none is there for nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.values.change import Change
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId
from simulator.state import RoleDefinition
from tests.support.any_resource import client, instance_is_current
from tests.support.compute_examples import (
    AUTOMATION,
    BATCH_ACCOUNT,
    CLUSTER,
    CONTAINER_APP,
    JOB,
    MACHINE,
    POOL,
    REPORTED,
    SCALE_SET,
    SITE,
    SLOT,
    Example,
)
from tests.support.estate import BLOB_READER
from tests.support.handlers import started
from tests.support.infra.bounded import BoundedEstate, actions, needed

type Story = Callable[[BoundedEstate], Awaitable[None]]

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CUSTOM = "5a0f4b7e-2a3e-4e43-9d0c-6f4b6b9b2c11"
EXISTING = (
    "/subscriptions/{}/resourceGroups/rg-app/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/id-payments"
)
IGNORED = {"lanyard": "ignore"}
SYSTEM = {"type": "SystemAssigned"}
SHARED = 'shared: {name: "id-{location}", resourceGroup: rg-identities}'
OWN = 'shared: {name: "id-{resource.name}", per: resource}'


@dataclass(frozen=True)
class Flow:
    """A story with the policy it plays under. `name` is what a person would call it."""

    name: str
    policy: str
    story: Story
    removable: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def policy(
    *types: str,
    identity: str = SHARED,
    role: str = "Storage Blob Data Reader",
    more: str = "",
    mode: str = "full",
) -> str:
    return f"""
version: 1
mode: {mode}
identities: {{{identity}}}
rules:
  - name: r
    match: {{types: [{", ".join(types)}], exclude: {{tags: {{lanyard: ignore}}}}}}
    attach: [shared]
    grant: [{{role: {role}, scope: "{{resourceGroup}}", to: shared}}]
    {more}
orphans: {{graceMinutes: 0}}
limits: {{removals: {{graceMinutes: 0}}}}
"""


async def create(estate: BoundedEstate, made: Example, **more: Any) -> ResourceId:
    """The operator makes it, and first what it lies in; Lanyard hears of it."""
    parents = {SLOT.type: SITE, POOL.type: BATCH_ACCOUNT}
    if parent := parents.get(made.type):
        await create(estate, parent)
    namespace, *kinds = made.type.split("/")
    path = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, made.names, strict=True))
    text = f"{estate.scope}/resourceGroups/rg-app/providers/{namespace}/{path}"
    poller = await client(estate).resources.begin_create_or_update_by_id(
        text, {**made.body, **more}, api_version=made.row.api_version, polling_interval=1
    )
    await poller.wait()
    return ResourceId.parse(text)


async def delete(estate: BoundedEstate, resource: ResourceId, made: Example) -> None:
    poller = await client(estate).resources.begin_delete_by_id(
        resource.text, api_version=made.row.api_version, polling_interval=1
    )
    await poller.wait()


async def principals_on(
    estate: BoundedEstate, resource: ResourceId, made: Example
) -> dict[str, str]:
    """Its user-assigned identities by name, as ARM shows them."""
    found = await client(estate).resources.get_by_id(
        resource.text, api_version=made.row.api_version
    )
    attached = (found.identity and found.identity.user_assigned_identities) or {}
    return {text.rpartition("/")[2]: str(each.principal_id) for text, each in attached.items()}


def followed(made: Example) -> Story:
    """It gets the identity, and how its writes end is seen."""

    async def story(estate: BoundedEstate) -> None:
        resource = await create(estate, made)
        await estate.settle()
        assert list(await principals_on(estate, resource, made)) == ["id-westeurope"]
        await nothing_failed(estate)
        assert estate.refused() == []

    return story


async def nothing_failed(estate: BoundedEstate) -> None:
    failed = [entry for entry in await estate.decisions() if entry[1] in ("failed", "later")]
    assert failed == []


def comes_and_goes(made: Example, role: str = BLOB_READER) -> Story:
    """It gets the identity, the identity gets the role, and both end with it."""

    async def story(estate: BoundedEstate) -> None:
        resource = await create(estate, made, **({"identity": SYSTEM} if made is CLUSTER else {}))
        await estate.settle()
        (principal,) = (await principals_on(estate, resource, made)).values()
        scope = f"{estate.scope}/resourceGroups/rg-app"
        ((given, at, to),) = estate.assignments()
        assert (given, at.lower(), to) == (role, scope.lower(), principal)
        await delete(estate, resource, made)
        await estate.settle()
        assert estate.assignments() == []
        await nothing_failed(estate)

    return story


def is_reported(made: Example) -> Story:
    """A type that cannot be attached to is told of, with the reason."""

    async def story(estate: BoundedEstate) -> None:
        await create(estate, made)
        await estate.settle()
        held = [reason for _, outcome, reason in await estate.decisions() if outcome == "held"]
        assert any(made.row.reason in reason for reason in held)
        await nothing_failed(estate)

    return story


async def a_machine_of_a_flexible_set_comes_and_goes(estate: BoundedEstate) -> None:
    properties = {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}
    flexible = replace(
        SCALE_SET, body={"location": "westeurope", "properties": properties}, names=("set",)
    )
    of_set = {"virtualMachineScaleSet": {"id": (await create(estate, flexible)).text}}
    machine = await create(estate, MACHINE, properties={**MACHINE.body["properties"], **of_set})
    await estate.settle()
    assert list(await principals_on(estate, machine, MACHINE)) == ["id-westeurope"]
    await nothing_failed(estate)


async def an_instance_is_reported(estate: BoundedEstate) -> None:
    """Azure tells of sets, not of their instances: here someone else asks for it."""
    scale_set = await create(estate, SCALE_SET)
    await estate.settle()
    instance = ResourceId.parse(f"{scale_set}/virtualMachines/0")
    await estate.worker.process(Change(instance, "command"))
    held = [reason for _, outcome, reason in await estate.decisions() if outcome == "held"]
    assert any("an instance has the identities of its scale set" in reason for reason in held)


async def instances_are_upgraded(estate: BoundedEstate) -> None:
    made = await create(estate, SCALE_SET)
    await estate.settle()
    assert await instance_is_current(estate, made)
    await nothing_failed(estate)


async def an_orphan_is_removed(estate: BoundedEstate) -> None:
    machine = await create(estate, MACHINE, identity=SYSTEM, tags=IGNORED)
    await estate.settle()
    found = await estate.compute.virtual_machines.get("rg-app", "main")
    assert found.identity is not None
    principal = str(found.identity.principal_id)
    estate.azure.assign(principal, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    await delete(estate, machine, MACHINE)
    await estate.settle()
    assert estate.assignments(of=principal) == []
    await nothing_failed(estate)


async def what_others_take_is_left_to_people(estate: BoundedEstate) -> None:
    await create(estate, MACHINE)
    await estate.settle()
    for given in (1, 1, 1, 0):
        (ours,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
        del estate.azure.state.role_assignments[ours.id.lower()]
        await estate.sweeps.run()
        await estate.settle()
        assert len(estate.assignments()) == given
    await nothing_failed(estate)


async def a_dedicated_identity_comes_and_goes(estate: BoundedEstate) -> None:
    await comes_and_goes(MACHINE)(estate)
    assert not [key for key in estate.azure.state.resources if "/id-main" in key]


async def a_dedicated_identity_in_use_stays(estate: BoundedEstate) -> None:
    """Whatever uses it, of a type that the policy does not name."""
    machine = await create(estate, MACHINE)
    await estate.settle()
    identity = f"{estate.scope}/resourceGroups/rg-app/providers/"
    identity += "Microsoft.ManagedIdentity/userAssignedIdentities/id-main"
    attached = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    await create(estate, SITE, identity=attached)
    await delete(estate, machine, MACHINE)
    await estate.settle()
    assert identity.lower() in estate.azure.state.resources


def failure_is_explained(made: Example) -> Story:
    """A write that Azure accepts and that then fails: its operation is asked for the reason."""

    async def story(estate: BoundedEstate) -> None:
        resource = await create(estate, made, **({"identity": SYSTEM} if made is CLUSTER else {}))
        ended = len(estate.azure.operations.all())
        resources = estate.azure.state.resources
        before = resources[resource.key].identity

        def fail() -> None:
            for work in estate.azure.operations.all()[ended:]:
                shown = resources[resource.key]
                shown.provisioning_state, shown.identity = "Failed", before
                work.status = "Failed"

        estate.azure.clock.on_advance(fail)
        for event in estate.new_events():
            if message := await estate.deliver(event):
                await estate.work(message)
        reasons = [reason for _, outcome, reason in await estate.decisions() if outcome != "done"]
        assert any("InternalExecutionError" in reason for reason in reasons)

    return story


async def a_sweep_makes_up_for_a_lost_event(estate: BoundedEstate) -> None:
    machine = await create(estate, MACHINE)
    estate.new_events()
    report = await estate.sweeps.run()
    assert report.roles_gone == ()
    await estate.settle()
    assert list(await principals_on(estate, machine, MACHINE)) == ["id-westeurope"]
    await nothing_failed(estate)


async def an_unknown_principals_assignment_is_removed(estate: BoundedEstate) -> None:
    """Of one that Lanyard never saw; what only another type shows is not taken for unknown."""
    gone = estate.azure.state.add_principal("gone").object_id
    estate.azure.assign(gone, "Reader", f"{estate.scope}/resourceGroups/rg-app")
    estate.azure.state.delete_principal(gone)
    site = await create(estate, SITE, identity=SYSTEM)
    found = await client(estate).resources.get_by_id(site.text, api_version=SITE.row.api_version)
    assert found.identity is not None
    alive = str(found.identity.principal_id)
    estate.azure.assign(alive, "Reader", f"{estate.scope}/resourceGroups/rg-app")
    estate.platform.directory.behaviour.hidden.add(alive)
    estate.new_events()
    estate.azure.clock.advance(2 * 3600)
    await estate.sweeps.run()
    await estate.settle()
    assert estate.assignments(of=gone) == []
    assert len(estate.assignments(of=alive)) == 1


async def a_custom_role_is_given(estate: BoundedEstate) -> None:
    role = RoleDefinition(
        CUSTOM, "Prices", "", "CustomRole", ["Microsoft.Storage/*/read"], [], [], [], [estate.scope]
    )
    estate.azure.state.role_definitions[CUSTOM] = role
    await comes_and_goes(MACHINE, CUSTOM)(estate)


async def make_identity(estate: BoundedEstate, name: str) -> ResourceId:
    """One that an operator made, in a group where Lanyard makes none."""
    options = estate.azure.client_options(estate.operator)
    identities = ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)
    body = Identity(location="westeurope")
    made = await identities.user_assigned_identities.create_or_update("rg-app", name, body)
    return ResourceId.parse(str(made.id))


async def with_existing_identity(
    monkeypatch: pytest.MonkeyPatch, *, missing: bool
) -> BoundedEstate:
    """Lanyard under a policy that names an identity by its id, with that right or without."""
    first = BoundedEstate(policy(MACHINE.type), needed(policy(MACHINE.type)))
    existing = EXISTING.format(first.subscription)
    text = policy(MACHINE.type, identity=f"shared: {{id: {existing}}}")
    granted = needed(text)
    assert granted.operator_on == (ResourceId.parse(existing),)
    assert granted.identity_actions == ()
    estate = BoundedEstate(text, replace(granted, operator_on=()) if missing else granted)
    await started(estate, monkeypatch)
    await make_identity(estate, "id-payments")
    return estate


async def it_is_only_told(estate: BoundedEstate) -> None:
    """What would be attached, and which assignment of a principal that is gone would be removed."""
    machine = await create(estate, MACHINE, identity=SYSTEM)
    await estate.settle()
    assert await principals_on(estate, machine, MACHINE) == {}
    found = await estate.compute.virtual_machines.get("rg-app", "main")
    assert found.identity is not None
    principal = str(found.identity.principal_id)
    estate.azure.assign(principal, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    await delete(estate, machine, MACHINE)
    await estate.settle()
    held = [action for action, outcome, _ in await estate.decisions() if outcome == "held"]
    assert any("id-westeurope" in action for action in held)
    assert any(principal in action for action in held)
    assert len(estate.assignments(of=principal)) == 1
    await nothing_failed(estate)


async def an_arc_machines_own_identity_is_granted(estate: BoundedEstate) -> None:
    await create(estate, ARC, identity=SYSTEM)
    await estate.settle()
    scope = f"{estate.scope}/resourceGroups/rg-app"
    assert [found[:2] for found in estate.assignments()] == [(BLOB_READER, scope)]
    await nothing_failed(estate)


ARC = next(each for each in REPORTED if each.type == "Microsoft.HybridCompute/machines")
ONLY_TOLD = [each for each in REPORTED if each is not ARC]
ATTACHED = [MACHINE, SCALE_SET, SITE, SLOT, CONTAINER_APP, JOB, POOL, AUTOMATION]

CLUSTER_REPLACED = Flow(
    "a cluster's identity is replaced",
    policy(CLUSTER.type, more="replace: accept"),
    comes_and_goes(CLUSTER),
)
FLEXIBLE = Flow(
    "a machine of a flexible set gets what the set gets",
    policy(SCALE_SET.type),
    a_machine_of_a_flexible_set_comes_and_goes,
)
INSTANCES = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
INSTANCE = Flow("an instance is reported", policy(INSTANCES), an_instance_is_reported)
UPGRADED = Flow(
    "instances are upgraded",
    policy(SCALE_SET.type, more="upgradeInstances: true"),
    instances_are_upgraded,
)
ORPHAN = Flow("an orphan is removed", policy(MACHINE.type), an_orphan_is_removed, (READER,))
TAKEN = Flow(
    "what others take is left to people", policy(MACHINE.type), what_others_take_is_left_to_people
)
DEDICATED = Flow(
    "a dedicated identity comes and goes",
    policy(MACHINE.type, identity=OWN),
    a_dedicated_identity_comes_and_goes,
)
IN_USE = Flow(
    "a dedicated identity in use stays",
    policy(MACHINE.type, identity=OWN),
    a_dedicated_identity_in_use_stays,
)
CUSTOM_ROLE = Flow(
    "a custom role is given", policy(MACHINE.type, role=CUSTOM), a_custom_role_is_given
)
FAILURE = {
    each.type: Flow(
        f"why a write of {each} failed is told",
        policy(each.type, more="replace: accept" if each is CLUSTER else ""),
        failure_is_explained(each),
    )
    for each in (MACHINE, CLUSTER)
}
SWEEP = Flow(
    "a sweep makes up for a lost event", policy(MACHINE.type), a_sweep_makes_up_for_a_lost_event
)
UNKNOWN = Flow(
    "an unknown principal's assignment is removed",
    policy(MACHINE.type).replace(
        "orphans: {graceMinutes: 0", "orphans: {remove: all, graceMinutes: 0"
    ),
    an_unknown_principals_assignment_is_removed,
    (READER,),
)
TOLD = Flow("in mode observe it is told", policy(MACHINE.type, mode="observe"), it_is_only_told)
GRANTED_TO_ARC = Flow(
    "an Arc machine's own identity is granted",
    policy(ARC.type)
    .replace("attach: [shared]", "system: true")
    .replace("to: shared", "to: system"),
    an_arc_machines_own_identity_is_granted,
)


def as_types_answer(flow: Flow, *types: str) -> Flow:
    """With the types of Microsoft.App whose PATCH names a status beside the result."""

    async def story(estate: BoundedEstate) -> None:
        estate.azure.behaviour.container_app_patch_both_links = set(types)
        await flow.story(estate)

    name = f"{flow}, its PATCH answered {'with' if types else 'without'} a status"
    return replace(flow, name=name, story=story)


def on_container_apps(made: Example) -> Flow:
    """A function app whose writes are followed."""
    body = {**made.body, "kind": "functionapp,linux,container,azurecontainerapps"}
    hosted = replace(made, body=body)
    return Flow(f"{made} on Container Apps comes and goes", policy(made.type), followed(hosted))


LIFE = {
    each.type: Flow(f"{each} comes and goes", policy(each.type), comes_and_goes(each))
    for each in ATTACHED
}
OLDER_APP = as_types_answer(LIFE[CONTAINER_APP.type])
NEWER_JOB = as_types_answer(LIFE[JOB.type], "microsoft.app/jobs")
HOSTED = {each.type: on_container_apps(each) for each in (SITE, SLOT)}
REPORT = {
    each.type: Flow(f"{each} is reported", policy(each.type), is_reported(each))
    for each in ONLY_TOLD
}
FLOWS = [
    *LIFE.values(),
    OLDER_APP,
    NEWER_JOB,
    *HOSTED.values(),
    *REPORT.values(),
    CLUSTER_REPLACED,
    FLEXIBLE,
    INSTANCE,
    UPGRADED,
    ORPHAN,
    TAKEN,
    DEDICATED,
    IN_USE,
    CUSTOM_ROLE,
    *FAILURE.values(),
    SWEEP,
    UNKNOWN,
    TOLD,
    GRANTED_TO_ARC,
]


_OPERATIONS = "Microsoft.Compute/locations/operations/read"
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_APP = "Microsoft.App/locations"
#: Without it nothing fails: a resource is known as managed by itself alone.
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"
_SUBSCRIPTIONS = "Microsoft.Resources/subscriptions/read"

#: Every action that any policy can need, and the flow that cannot do without it.
NEEDED_BY = {
    **{f"{type}/{verb}": flow for type, flow in LIFE.items() for verb in ("read", "write")},
    **{f"{type}/read": flow for type, flow in REPORT.items()},
    f"{CLUSTER.type}/read": CLUSTER_REPLACED,
    f"{CLUSTER.type}/write": CLUSTER_REPLACED,
    "Microsoft.ContainerService/locations/operations/read": FAILURE[CLUSTER.type],
    f"{INSTANCES}/read": INSTANCE,
    f"{ARC.type}/read": GRANTED_TO_ARC,
    f"{BATCH_ACCOUNT.type}/read": LIFE[POOL.type],
    f"{SCALE_SET.type}/manualupgrade/action": UPGRADED,
    _OPERATIONS: FAILURE[MACHINE.type],
    f"{_APP}/containerappOperationStatuses/read": LIFE[CONTAINER_APP.type],
    f"{_APP}/containerappOperationResults/read": OLDER_APP,
    f"{_APP}/containerappsjobOperationResults/read": LIFE[JOB.type],
    f"{_APP}/containerappsjobOperationStatuses/read": NEWER_JOB,
    **{f"{type}/operationresults/read": flow for type, flow in HOSTED.items()},
    f"{_ASSIGNMENTS}/read": ORPHAN,
    f"{_ASSIGNMENTS}/write": LIFE[MACHINE.type],
    f"{_ASSIGNMENTS}/delete": ORPHAN,
    "Microsoft.Insights/eventtypes/values/read": TAKEN,
    "Microsoft.Authorization/roleDefinitions/read": CUSTOM_ROLE,
    f"{_IDENTITIES}/read": LIFE[MACHINE.type],
    f"{_IDENTITIES}/write": LIFE[MACHINE.type],
    f"{_IDENTITIES}/assign/action": LIFE[MACHINE.type],
    f"{_IDENTITIES}/delete": DEDICATED,
    f"{_IDENTITIES}/listAssociatedResources/action": DEDICATED,
    "*/read": DEDICATED,
}


@pytest.mark.parametrize("flow", FLOWS, ids=str)
async def test_a_flow_runs_with_the_rights_of_its_policy(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = BoundedEstate(flow.policy, needed(flow.policy, flow.removable))
    await started(estate, monkeypatch)
    await flow.story(estate)
    assert estate.refused() == []


@pytest.mark.parametrize(
    "action", sorted(NEEDED_BY), ids=lambda each: f"{each} - {NEEDED_BY[each]}"
)
async def test_without_one_action_a_flow_fails(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = NEEDED_BY[action]
    granted = needed(flow.policy, flow.removable)
    assert action in actions(granted)
    estate = BoundedEstate(flow.policy, granted, without=action)
    await started(estate, monkeypatch)
    with pytest.raises((AssertionError, ValueError, LanyardError)):
        await flow.story(estate)
    assert estate.refused()


async def test_where_resource_graph_has_no_assignments_the_subscriptions_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the right nothing is refused: no subscription is listed."""
    for missing in ("", _SUBSCRIPTIONS):
        estate = BoundedEstate(SWEEP.policy, needed(SWEEP.policy), without=missing)
        await started(estate, monkeypatch)
        estate.azure.behaviour.resource_graph_lacks = {"authorizationresources"}
        if not missing:
            await SWEEP.story(estate)
            continue
        with pytest.raises(LanyardError, match=_SUBSCRIPTIONS):
            await SWEEP.story(estate)


async def test_an_existing_identity_needs_its_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (False, True):
        estate = await with_existing_identity(monkeypatch, missing=missing)
        machine = await create(estate, MACHINE)
        await estate.settle()
        attached = await principals_on(estate, machine, MACHINE)
        assert list(attached) == ([] if missing else ["id-payments"])


async def test_what_others_attached_to_an_app_needs_their_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The write of an app names all its identities: refused, it is left as it was."""
    text = policy(SITE.type)
    estate = BoundedEstate(text, needed(text))
    await started(estate, monkeypatch)
    theirs = await make_identity(estate, "id-theirs")
    attached = {"type": "UserAssigned", "userAssignedIdentities": {theirs.text: {}}}
    site = await create(estate, SITE, identity=attached)
    await estate.settle()
    assert list(await principals_on(estate, site, SITE)) == ["id-theirs"]
    reasons = [reason for _, outcome, reason in await estate.decisions() if outcome == "failed"]
    assert any("LinkedAuthorizationFailed" in reason for reason in reasons)
    estate.be_operator(theirs)
    await create(estate, SITE, identity=attached)
    await estate.settle()
    names = {"id-theirs", "id-westeurope"}
    assert set(await principals_on(estate, site, SITE)) == names


async def narrowed(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> BoundedEstate:
    """It reads the policy's types alone."""
    granted = needed(flow.policy, flow.removable)
    assert "*/read" in granted.actions
    narrow = needed(LIFE[MACHINE.type].policy).actions
    estate = BoundedEstate(flow.policy, replace(granted, actions=narrow))
    await started(estate, monkeypatch)
    return estate


async def test_with_narrower_reading_something_in_use_would_be_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Why such a policy needs to read everything."""
    estate = await narrowed(UNKNOWN, monkeypatch)
    with pytest.raises(AssertionError):
        await UNKNOWN.story(estate)


async def test_with_narrower_reading_an_identity_in_use_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Azure counts what the app does not see; only nobody is told what it is."""
    await IN_USE.story(await narrowed(IN_USE, monkeypatch))


def test_every_action_of_every_policy_is_among_those_tried() -> None:
    rows = COMPUTE_TYPES.values()
    every = ", ".join(row.name for row in rows if row.api_version and row.user_assigned)
    policies = [flow.policy for flow in FLOWS] + [
        policy(every, identity=each, role=CUSTOM, more="upgradeInstances: true")
        for each in (SHARED, OWN)
    ]
    found = {each for text in policies for each in actions(needed(text))}
    assert found == {*NEEDED_BY, _SUBSCRIPTIONS, _GROUPS}
