"""Rights at the groups that a policy names are enough for it, each is needed, and beyond these
groups nothing works.
"""

import uuid
from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.desk.rights_by_group import GroupsNotNamed
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import LanyardError
from tests.support.estate import BLOB_READER
from tests.support.handlers import started
from tests.support.infra.bounded import BoundedEstate, actions, needed, needed_by_group

type Story = Callable[[BoundedEstate], Awaitable[None]]

READER = BUILT_IN_ROLES["Reader"]
SECRETS = BUILT_IN_ROLES["Key Vault Secrets User"]
MACHINES = "Microsoft.Compute/virtualMachines"
SHARED = 'name: "id-{location}", resourceGroup: rg-identities'
OWN = 'name: "id-{resource.name}", per: resource'


def policy(
    identity: str = SHARED, types: str = MACHINES, mode: str = "full", groups: str = "[RG-App]"
) -> str:
    return f"""
version: 1
mode: {mode}
identities: {{shared: {{{identity}}}}}
rules:
  - name: machines
    match: {{types: [{types}], resourceGroups: {groups}}}
    attach: [shared]
    upgradeInstances: true
    grant: [{{role: Storage Blob Data Reader, scope: "{{resourceGroup}}", to: shared}}]
  - name: vaults
    match: {{types: [Microsoft.Web/sites], resourceGroups: [rg-web]}}
    system: true
    grant: [{{role: Key Vault Secrets User, scope: "{{resource}}", to: system}}]
orphans: {{graceMinutes: 0}}
limits: {{removals: {{graceMinutes: 0}}}}
"""


# What it is.


@pytest.mark.parametrize("identity", [SHARED, OWN], ids=["shared", "own"])
@pytest.mark.parametrize("mode", ["observe", "add-only", "full"])
def test_it_is_every_action_that_the_policy_needs_and_no_other(identity: str, mode: str) -> None:
    rows = COMPUTE_TYPES.values()
    every = ", ".join(row.name for row in rows if row.api_version and row.user_assigned)
    text = policy(identity, every, mode)
    assert actions(needed_by_group(text)) == actions(needed(text))


def test_at_the_subscription_it_only_reads() -> None:
    found = needed_by_group(policy(OWN))
    assert {each.rpartition("/")[2] for each in found.actions} == {"read"}
    assert (found.condition, found.identity_actions, found.identity_groups) == ("", (), ())


def test_each_role_stands_at_its_groups_with_what_is_given_there() -> None:
    where = {
        role.kind.value: {
            place.group: sorted(each.assignable) for place, each in role.places.items()
        }
        for role in needed_by_group(policy()).at_groups
    }
    assert where == {
        "changes": {"rg-app": [], "rg-web": []},
        "grants": {"rg-app": [BLOB_READER], "rg-web": [SECRETS]},
        "identities": {"rg-identities": []},
    }


def test_every_rule_that_leads_beyond_its_groups_is_named() -> None:
    text = policy('name: "id-{location}", resourceGroup: "rg-{location}"').replace(
        'scope: "{resource}"', 'scope: "{subscription}"'
    )
    text = text.replace(
        "rules:", f"rules:\n  - {{name: any, match: {{types: [{MACHINES}]}}, system: true}}"
    )
    with pytest.raises(GroupsNotNamed) as refused:
        needed_by_group(text)
    lines = str(refused.value).splitlines()
    assert [line.strip() for line in lines[1:4]] == [
        "rule 'any' is for resources of any group",
        "rule 'machines' attaches 'shared', which is made in the group rg-{location}",
        "rule 'vaults' gives a role at {subscription}",
    ]


def test_a_group_by_a_pattern_is_not_named_and_the_pattern_is_shown() -> None:
    with pytest.raises(GroupsNotNamed) as refused:
        needed_by_group(policy(groups='["rg-app*", rg-web, "*"]'))
    shown = "rule 'machines' is for resources of the groups rg-app*, *"
    assert str(refused.value).splitlines()[1].strip() == shown


def test_a_scope_by_a_pattern_is_shown_and_a_whole_subscription_is_any_group() -> None:
    by_scope = policy().replace("resourceGroups: [RG-App]", "scopes: [SCOPE]")
    for scope, shown in (
        ("/subscriptions/*/resourceGroups/rg-*", "the groups /subscriptions/*/resourceGroups/rg-*"),
        ("/subscriptions/*", "any group"),
    ):
        with pytest.raises(GroupsNotNamed) as refused:
            needed_by_group(by_scope.replace("SCOPE", f'"{scope}"'))
        assert f"rule 'machines' is for resources of {shown}\n" in str(refused.value)


# It is enough, and each action is needed.


async def comes_and_goes(estate: BoundedEstate) -> None:
    """A machine gets the identity, the identity gets the role, and both end with it."""
    await estate.create_vm("vm1")
    await estate.settle()
    (principal,) = (await estate.identity_of("vm1")).values()
    ((role, at, to),) = estate.assignments()
    assert (role, at.lower(), to) == (
        BLOB_READER,
        f"{estate.scope}/resourcegroups/rg-app",
        principal,
    )
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments() == []
    await nothing_failed(estate)


async def its_own_comes_and_goes(estate: BoundedEstate) -> None:
    await comes_and_goes(estate)
    assert not [key for key in estate.azure.state.resources if "/id-vm1" in key]


async def an_orphan_is_removed(estate: BoundedEstate) -> None:
    """Which somebody else left in the group of the machine."""
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    principal = str(machine.identity.principal_id)
    estate.azure.assign(principal, "Reader", f"{estate.scope}/resourceGroups/rg-app")
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments(of=principal) == []
    await nothing_failed(estate)


async def nothing_failed(estate: BoundedEstate) -> None:
    assert [entry for entry in await estate.decisions() if entry[1] in ("failed", "later")] == []


_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
#: What writes, and the flow that cannot do without it: identity, story.
NEEDED_BY: dict[str, tuple[str, Story]] = {
    f"{MACHINES}/write": (SHARED, comes_and_goes),
    f"{_ASSIGNMENTS}/write": (SHARED, comes_and_goes),
    f"{_ASSIGNMENTS}/delete": (SHARED, an_orphan_is_removed),
    f"{_IDENTITIES}/write": (SHARED, comes_and_goes),
    f"{_IDENTITIES}/assign/action": (SHARED, comes_and_goes),
    f"{_IDENTITIES}/delete": (OWN, its_own_comes_and_goes),
    f"{_IDENTITIES}/listAssociatedResources/action": (OWN, its_own_comes_and_goes),
}


async def bounded(
    identity: str, monkeypatch: pytest.MonkeyPatch, without: str = ""
) -> BoundedEstate:
    text = policy(identity)
    estate = BoundedEstate(text, needed_by_group(text, [READER]), without)
    await started(estate, monkeypatch)
    return estate


@pytest.mark.parametrize(("identity", "story"), [*dict.fromkeys(NEEDED_BY.values())])
async def test_a_flow_runs_with_rights_at_its_groups(
    identity: str, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await bounded(identity, monkeypatch)
    await story(estate)
    assert estate.refused() == []


@pytest.mark.parametrize("action", NEEDED_BY)
async def test_without_one_action_a_flow_fails(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity, story = NEEDED_BY[action]
    estate = await bounded(identity, monkeypatch, without=action)
    with pytest.raises((AssertionError, ValueError, LanyardError)):
        await story(estate)
    assert estate.refused()


def test_every_action_at_groups_is_among_those_tried() -> None:
    others = {f"{MACHINES}/manualupgrade/action", "Microsoft.Web/sites/write"}
    found = {
        action
        for identity in (SHARED, OWN)
        for role in needed_by_group(policy(identity)).at_groups
        for action in role.actions
    }
    assert found - others == {*NEEDED_BY}


async def test_machines_of_other_groups_are_seen_and_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So what is moved there does not look deleted."""
    estate = await bounded(SHARED, monkeypatch)
    elsewhere = f"{estate.scope}/resourceGroups/rg-other/providers/{MACHINES}/vm1"
    allowed = estate.azure.access.allowed
    assert allowed(estate.app.object_id, f"{MACHINES}/read", elsewhere)
    assert not allowed(estate.app.object_id, f"{MACHINES}/write", elsewhere)


# Beyond its groups nothing works.


def giving(role: str, group: str) -> Story:
    async def attempt(estate: BoundedEstate) -> None:
        client = AuthorizationManagementClient(
            subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
        )
        definition = f"{estate.scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        scope = f"{estate.scope}/resourceGroups/{group}" if group else estate.scope
        to = estate.azure.state.add_principal("workload").object_id
        await client.role_assignments.create(
            scope,
            str(uuid.uuid4()),
            RoleAssignmentCreateParameters(
                role_definition_id=definition, principal_id=to, principal_type="ServicePrincipal"
            ),
        )

    return attempt


def removing(role: str, group: str) -> Story:
    async def attempt(estate: BoundedEstate) -> None:
        client = AuthorizationManagementClient(
            subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
        )
        holder = estate.azure.state.add_principal("holder").object_id
        theirs = estate.azure.assign(holder, role, f"{estate.scope}/resourceGroups/{group}")
        await client.role_assignments.delete_by_id(theirs.id.lstrip("/"))

    return attempt


def writing(group: str, kind: str = MACHINES, version: str = "2024-11-01") -> Story:
    async def attempt(estate: BoundedEstate) -> None:
        client = ResourceManagementClient(
            subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
        )
        path = f"{estate.scope}/resourceGroups/{group}/providers/{kind}/new"
        body = {"location": "westeurope", "properties": {}}
        await client.resources.begin_create_or_update_by_id(path, body, api_version=version)

    return attempt


def making_an_identity(group: str) -> Story:
    async def attempt(estate: BoundedEstate) -> None:
        client = ManagedServiceIdentityClient(
            subscription_id=estate.subscription, **estate.azure.client_options(estate.app)
        )
        made = Identity(location="westeurope")
        await client.user_assigned_identities.create_or_update(group, "id-new", made)

    return attempt


REFUSED = {
    "giving a role of the policy at the subscription": giving(BLOB_READER, ""),
    "giving one where only identities are made": giving(BLOB_READER, "rg-identities"),
    "giving one in a group that is not named": giving(BLOB_READER, "rg-other"),
    "giving one that another rule gives in its group": giving(SECRETS, "rg-app"),
    "giving a role outside the policy": giving(READER, "rg-app"),
    "removing one in a group that is not named": removing("Storage Blob Data Reader", "rg-other"),
    "removing one of another rule": removing("Key Vault Secrets User", "rg-app"),
    "writing a machine in a group that is not named": writing("rg-other"),
    "writing a machine where identities are made": writing("rg-identities"),
    "making an identity beside the machines": making_an_identity("rg-app"),
}


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED.keys())
async def test_is_refused(attempt: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await bounded(SHARED, monkeypatch)
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        await attempt(estate)


async def test_the_same_works_in_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the refusals above are those of the groups and conditions."""
    estate = await bounded(SHARED, monkeypatch)
    await giving(BLOB_READER, "rg-app")(estate)
    await removing("Storage Blob Data Reader", "rg-app")(estate)
    await removing("Reader", "rg-app")(estate)
    await making_an_identity("rg-identities")(estate)
