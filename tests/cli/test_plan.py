"""`lanyard plan` against an in-process Azure: what it says, what it costs, and its exit code."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.plan.batch import Looked
from lanyard.cli.plan.counts import count
from lanyard.cli.plan.text import show
from lanyard.desk.look_ahead import Preview
from lanyard.planning.actions import DetachIdentity
from lanyard.planning.desired import NOTHING
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Verdict
from simulator.faults import Fault
from tests.support.desk import Desk
from tests.support.examples import identity_id
from tests.support.examples import vm as vm_example

NO_CHANGES, ERROR, CHANGES = 0, 1, 2
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
REGIONAL = "id-lanyard-westeurope"

POLICY = """
version: 1
mode: full
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-identities}
rules:
"""
VM = "Microsoft.Compute/virtualMachines"
READ = '{role: Storage Blob Data Reader, scope: "{resourceGroup}", to: regional}'


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def policy(*rules: str, head: str = POLICY) -> str:
    return head + "".join(f"  - {rule}\n" for rule in rules)


def rule(name: str = "machines", types: str = VM, more: str = "") -> str:
    return f"{{name: {name}, match: {{types: [{types}]}}, attach: [regional]{more}}}"


# One resource.


async def test_a_new_machine_is_shown_what_it_would_get_and_by_which_rule(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    ran = await desk.plan_in_full(vm.text)
    assert ran.code == CHANGES
    assert ran.lines == [
        vm.text,
        f"  + create identity {REGIONAL} in westeurope  (rule: machines read blobs)",
        f"  + attach identity {REGIONAL}  (rule: machines read blobs)",
        f"  + assign Storage Blob Data Reader at {desk.group} to {REGIONAL}"
        "  (rule: machines read blobs)",
        "plan: 1 to create, 1 to attach, 1 to assign",
        "Removals are not shown: what Lanyard may take away is in the record of the deployed app; "
        "name its storage account with --storage or LANYARD_STORAGE.",
    ]
    assert ran.err == ""


async def test_planning_changes_nothing(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    before = desk.estate.assignments()
    desk.calls()
    await desk.plan_in_full(vm.text)
    assert {call.split()[0] for call in desk.calls()} == {"GET"}
    assert await desk.estate.identity_of("vm1") == {}
    assert desk.estate.assignments() == before


async def test_what_lanyard_did_leaves_nothing_to_plan(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    ran = await desk.plan_in_full(vm.text)
    assert ran.code == NO_CHANGES
    assert ran.lines[0] == "plan: no changes, 1 resource unchanged"


async def test_a_plan_is_what_lanyard_then_does(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    planned = json.loads((await desk.plan_in_full(vm.text, "--json")).out)["resources"][0][
        "actions"
    ]
    await desk.estate.settle()
    done = [action for action, outcome, _ in await desk.estate.decisions() if outcome == "done"]
    assert sorted(action["text"] for action in planned) == sorted(done)


async def test_a_resource_that_no_rule_is_for_is_unchanged(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1", tags={"lanyard": "ignore"})
    ran = await desk.plan_in_full(vm.text)
    assert (ran.code, ran.lines[0]) == (NO_CHANGES, "plan: no changes, 1 resource unchanged")


async def test_a_second_identity_beside_the_imds_default_is_held_and_released_by_the_rule(
    desk: Desk,
) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    both = POLICY.replace("rules:", "  own: {name: 'id-{resource.name}', per: resource}\nrules:")
    second = rule("second").replace("[regional]", "[own]")
    desk.write_policy(policy(rule(), second, head=both))
    ran = await desk.plan_in_full(vm.text)
    assert ran.code == NO_CHANGES
    assert "  ‖ attach identity id-vm1  (rule: second)" in ran.lines
    assert any("    held: id-lanyard-westeurope is the machine's only" in x for x in ran.lines)
    assert "      to release it: set 'imdsDefault: accept' in rule 'second'" in ran.lines
    assert "plan: no changes, 2 held" in ran.lines
    desk.write_policy(policy(rule(), second[:-1] + ", imdsDefault: accept}", head=both))
    assert (await desk.plan_in_full(vm.text)).code == CHANGES


async def test_observe_holds_everything_and_mode_full_shows_the_plan_without_it(
    desk: Desk,
) -> None:
    vm = await desk.estate.create_vm("vm1")
    desk.write_policy(policy(rule()).replace("mode: full", "mode: observe"))
    observed = await desk.plan_in_full(vm.text)
    assert observed.code == NO_CHANGES
    assert "plan: no changes, 2 held" in observed.lines
    assert "The mode is observe; --mode full shows the plan without it." in observed.lines
    assert (await desk.plan_in_full(vm.text, "--mode", "full")).code == CHANGES


async def test_a_privileged_role_is_held_unless_the_policy_allows_it(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    owner = READ.replace("Storage Blob Data Reader", "Owner")
    desk.write_policy(policy(rule(more=f", grant: [{owner}]")))
    ran = await desk.plan_in_full(vm.text)
    assert f"  ‖ assign Owner at {desk.group} to {REGIONAL}  (rule: machines)" in ran.lines
    assert any("name 'Owner' with this scope in 'privileged.allow'" in line for line in ran.lines)


async def test_an_app_whose_identity_changes_is_said_to_restart(desk: Desk) -> None:
    site = await desk.put("Microsoft.Web/sites/app1", {"location": "westeurope", "properties": {}})
    desk.write_policy(policy(rule(types="Microsoft.Web/sites")))
    ran = await desk.plan_in_full(site.text)
    assert "  ~ this restarts the app" in ran.lines
    avoided = policy(rule(types="Microsoft.Web/sites", more=", restart: avoid"))
    desk.write_policy(avoided)
    ran = await desk.plan_in_full(site.text)
    assert ran.code == NO_CHANGES
    assert "  ~ this restarts the app" not in ran.lines
    assert "      to release it: set 'restart: accept' in the rule" in ran.lines


async def test_a_missing_identity_and_an_unfit_tag_are_shown(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1", tags={"team": "../x"})
    missing = f"{desk.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-payments"
    head = POLICY.replace("rules:", f"  payments: {{id: {missing}}}\nrules:")
    vault = (
        "{role: Key Vault Secrets User, to: regional, "
        'scope: "{resourceGroup}/providers/Microsoft.KeyVault/vaults/kv-{tags.team}"}'
    ).replace("{resourceGroup}", "/subscriptions/{subscription}/resourceGroups/rg-shared")
    pays = rule("pays").replace("[regional]", "[payments]")
    desk.write_policy(policy(rule(more=f", grant: [{vault}]"), pays, head=head))
    ran = await desk.plan_in_full(vm.text)
    wait = f"  ! attach identity id-payments waits: {missing} does not exist  (rule: pays)"
    assert wait in ran.lines
    assert any(line.startswith("  ! role 'Key Vault Secrets User' at ") for line in ran.lines)
    assert "1 waiting, 1 impossible" in ran.out


# What stands already is asked of ARM.


async def test_a_grant_that_someone_else_made_is_not_planned_again(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    state = desk.estate.azure.state
    (made,) = [a for a in state.role_assignments.values() if a.description]
    del state.role_assignments[made.id.lower()]
    assert "+ assign" in (await desk.plan_in_full(vm.text)).out
    desk.estate.azure.assign(made.principal_id, BLOB_READER, made.scope)
    assert (await desk.plan_in_full(vm.text)).code == NO_CHANGES


async def test_a_grant_under_another_condition_is_planned_again(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    condition = (
        ", condition: \"@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'a'\"}"
    )
    grant = f", grant: [{READ[:-1]}{condition}]"
    desk.write_policy(policy(rule(more=grant)))
    ran = await desk.plan_in_full(vm.text)
    assert (ran.code, "1 to assign" in ran.out) == (CHANGES, True)


async def test_an_identity_that_was_recreated_is_attached_again(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    resources = desk.estate.azure.state.resources.values()
    (identity,) = [resource for resource in resources if resource.name == REGIONAL]
    identity.properties["principalId"] = "00000000-0000-0000-0000-000000000002"
    ran = await desk.plan_in_full(vm.text)
    assert (
        f"  ~ attach identity {REGIONAL} again: it was recreated  (rule: machines read blobs)"
        in (ran.lines)
    )


# Many resources.


async def test_a_group_is_planned_with_what_is_shared_counted_and_asked_for_once(
    desk: Desk,
) -> None:
    for name in ("vm1", "vm2", "vm3"):
        await desk.estate.create_vm(name)
    await desk.estate.settle()
    for name in ("vm4", "vm5"):
        await desk.estate.create_vm(name)
    desk.calls()
    ran = await desk.plan_in_full(desk.group)
    assert ran.code == CHANGES
    assert "plan: 2 to attach, 3 resources unchanged" in ran.lines
    assert sorted(desk.calls()) == sorted(
        [
            "GET resourceGroups/rg-app",
            "GET resourceGroups/rg-app",  # what manages it
            "POST Microsoft.ResourceGraph/resources",
            *(f"GET virtualMachines/vm{number}" for number in range(1, 6)),
            f"GET userAssignedIdentities/{REGIONAL}",
            "GET Microsoft.Authorization/roleAssignments",
        ]
    )


async def test_new_resources_that_share_an_identity_and_a_grant_count_them_once(
    desk: Desk,
) -> None:
    for name in ("vm1", "vm2"):
        await desk.estate.create_vm(name)
    ran = await desk.plan_in_full(desk.estate.scope)
    assert "plan: 1 to create, 2 to attach, 1 to assign" in ran.lines


async def test_every_page_of_a_scope_is_planned(desk: Desk) -> None:
    for number in range(5):
        await desk.estate.create_vm(f"vm{number}")
    desk.estate.azure.behaviour.page_size = 2
    ran = await desk.plan_in_full(desk.estate.scope, "--json")
    planned = json.loads(ran.out)["resources"]
    assert [each["id"].rpartition("/")[2] for each in planned] == [
        "vm0",
        "vm1",
        "vm2",
        "vm3",
        "vm4",
    ]
    assert desk.calls().count("POST Microsoft.ResourceGraph/resources") == 3


async def test_only_types_that_a_rule_is_for_are_looked_at_and_batch_pools_are_found(
    desk: Desk,
) -> None:
    await desk.estate.create_vm("vm1")
    account = {"location": "westeurope", "properties": {}}
    await desk.put("Microsoft.Batch/batchAccounts/batch1", account)
    nodes = {"properties": {"vmSize": "STANDARD_D2S_V3"}}
    pool = await desk.put("Microsoft.Batch/batchAccounts/batch1/pools/nodes", nodes)
    desk.write_policy(policy(rule(types="Microsoft.Batch/batchAccounts/pools")))
    ran = await desk.plan_in_full(desk.group, "--json")
    assert [each["id"] for each in json.loads(ran.out)["resources"]] == [pool.text]


async def test_a_machine_that_went_since_resource_graph_saw_it_is_left_out(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.estate.create_vm("vm2")
    desk.estate.azure.behaviour.resource_graph_lag_seconds = 3600
    await desk.estate.delete_vm("vm1")
    ran = await desk.plan_in_full(desk.group)
    assert ran.code == CHANGES
    assert "vm1" not in ran.out + ran.err


async def test_a_scope_that_does_not_exist_is_an_error_not_an_empty_plan(desk: Desk) -> None:
    ran = await desk.plan_in_full(f"{desk.estate.scope}/resourceGroups/rg-ap")
    assert ran.code == ERROR
    assert "404 ResourceGroupNotFound" in ran.err


async def test_a_list_has_ids_blank_lines_and_comments(desk: Desk, tmp_path: Path) -> None:
    first = await desk.estate.create_vm("vm1")
    second = await desk.estate.create_vm("vm2")
    ids = written(tmp_path / "ids", f"# machines\n\n{first}\n  {second}\n{first.key}\n")
    ran = await desk.plan_in_full("--list", ids, "--json")
    assert ran.code == CHANGES
    assert [each["id"] for each in json.loads(ran.out)["resources"]] == [first.text, second.text]


async def test_a_list_can_be_the_json_of_az_on_standard_input(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = await desk.estate.create_vm("vm1")
    alert = f"{desk.group}/providers/microsoft.alertsmanagement/smartDetectorAlertRules/a - b"
    listed = [
        {"id": vm.text, "type": VM},
        vm.text,
        {"id": alert, "type": "microsoft.alertsmanagement/smartDetectorAlertRules"},
        f"{desk.group}/providers/Microsoft.Network/virtualNetworks/net1",
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(listed)))
    ran = await desk.plan_in_full("--list", "-")
    assert (ran.code, ran.lines[0]) == (CHANGES, vm.text)
    assert "Left out: 2 of types that no rule is for." in ran.lines


async def test_a_list_may_hold_scopes(desk: Desk, tmp_path: Path) -> None:
    vm = await desk.estate.create_vm("vm1")
    ran = await desk.plan_in_full("--list", written(tmp_path / "ids", desk.group))
    assert (ran.code, ran.lines[0]) == (CHANGES, vm.text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no resource id in it"),
        ("[", "no valid JSON"),
        ('{"id": "x"}', "a JSON array is expected"),
        ('[1, {"name": "vm1"}]', 'entry 1: \'{"name": "vm1"}\' is no resource id'),
    ],
)
async def test_what_is_no_list_is_refused(
    desk: Desk, tmp_path: Path, text: str, message: str
) -> None:
    ran = await desk.plan_in_full("--list", written(tmp_path / "ids", text))
    assert ran.code == ERROR
    assert message in ran.err
    assert "Traceback" not in ran.err


async def test_a_list_that_cannot_be_read_is_an_error(desk: Desk, tmp_path: Path) -> None:
    ran = await desk.plan_in_full("--list", str(tmp_path / "none"))
    assert (ran.code, "cannot be read: No such file" in ran.err) == (ERROR, True)


async def test_mistakes_in_a_list_are_all_shown_with_their_lines(
    desk: Desk, tmp_path: Path
) -> None:
    ids = written(tmp_path / "ids", f"vm1\n{desk.group}/providers/{VM}/vm1\n/subscriptions/x\n")
    ran = await desk.plan_in_full("--list", ids)
    assert ran.code == ERROR
    assert f"{ids}:1: 'vm1' is no resource id" in ran.err
    assert f"{ids}:3: '/subscriptions/x' is no resource id" in ran.err
    assert desk.calls() == []


# What is particular to some types.


async def test_the_instances_of_a_manual_scale_set_are_brought_up_to_date(desk: Desk) -> None:
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard_B1s", "capacity": 2},
        "properties": {
            "orchestrationMode": "Uniform",
            "upgradePolicy": {"mode": "Manual"},
            "virtualMachineProfile": {"osProfile": {"computerNamePrefix": "main"}},
        },
    }
    found = await desk.put("Microsoft.Compute/virtualMachineScaleSets/set1", body)
    types = "Microsoft.Compute/virtualMachineScaleSets"
    desk.write_policy(policy(rule(types=types, more=", upgradeInstances: true")))
    ran = await desk.plan_in_full(found.text)
    assert "  ~ bring all instances up to date" in ran.lines
    assert "1 to bring up to date" in ran.out


async def test_replacing_the_identity_of_a_cluster_is_held_and_then_announced(desk: Desk) -> None:
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": "main",
            "agentPoolProfiles": [{"name": "system", "count": 3, "mode": "System"}],
        },
    }
    cluster = await desk.put("Microsoft.ContainerService/managedClusters/aks1", body)
    types = "Microsoft.ContainerService/managedClusters"
    desk.write_policy(policy(rule(types=types)))
    assert (await desk.plan_in_full(cluster.text)).code == NO_CHANGES
    desk.write_policy(policy(rule(types=types, more=", replace: accept")))
    ran = await desk.plan_in_full(cluster.text)
    assert ran.code == CHANGES
    assert "  ~ this replaces the identity that it works with" in ran.lines
    assert any(line.startswith("  i its nodes use the kubelet identity ") for line in ran.lines)
    assert "aks1-agentpool" in ran.out


async def test_a_machine_that_azure_is_still_at_work_on_is_said_to_wait(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    machine = desk.estate.azure.state.resources[vm.key]
    desk.estate.azure.state.resources[vm.key] = replace(machine, provisioning_state="Updating")
    ran = await desk.plan_in_full(vm.text)
    assert "  ~ it is Updating: Lanyard waits until that has ended" in ran.lines


def test_what_would_be_taken_away_has_a_mark_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine = vm_example()
    verdict = Verdict((DetachIdentity(identity_id("id-old")),), ())
    preview = Preview(machine, NOTHING, Plan(verdict.allowed), verdict)
    show([Looked(machine.id, preview)], Terminal(), full=True)
    assert capsys.readouterr().out.splitlines() == [str(machine.id), "  - detach identity id-old"]
    assert count([Looked(machine.id, preview)]).remove == 1


# Many at once.


async def machines(desk: Desk, count: int) -> None:
    for number in range(count):
        await desk.estate.create_vm(f"vm{number}")


async def test_what_is_done_to_many_alike_is_one_line_and_what_is_made_once_is_shown_once(
    desk: Desk,
) -> None:
    await machines(desk, 5)
    ran = await desk.plan(desk.group)
    identity = "rg-identities/userAssignedIdentities/id-lanyard-westeurope"
    by = "  (rule: machines read blobs)"
    assert ran.lines[:4] == [
        f"+ attach identity {REGIONAL}: 5 virtual machines in rg-app{by}",
        f"+ assign Storage Blob Data Reader at rg-app to {REGIONAL}: "
        f"5 virtual machines in rg-app{by}",
        f"+ create identity {identity} in westeurope{by}",
        "plan: 1 to create, 5 to attach, 1 to assign",
    ]


async def test_a_few_are_named_shortly(desk: Desk) -> None:
    await machines(desk, 2)
    lines = (await desk.plan(desk.group)).lines
    (line,) = [each for each in lines if each.startswith("+ attach")]
    assert ": rg-app/virtualMachines/vm0, rg-app/virtualMachines/vm1  (" in line


async def test_restarts_are_counted_and_shown(desk: Desk) -> None:
    for name in ("app1", "app2"):
        body = {"location": "westeurope", "properties": {}}
        await desk.put(f"Microsoft.Web/sites/{name}", body)
    desk.write_policy(policy(rule(types="Microsoft.Web/sites")))
    ran = await desk.plan(desk.group)
    assert any(line.startswith(f"+ attach identity {REGIONAL}") for line in ran.lines)
    assert ", each restarts  (rule: machines)" in ran.out
    assert "2 to restart" in ran.out
    summary = json.loads((await desk.plan(desk.group, "--json")).out)["summary"]
    assert (summary["restart"], summary["replace"]) == (2, 0)


async def test_a_scope_without_a_resource_of_the_policys_types_is_named(desk: Desk) -> None:
    await desk.estate.create_groups()
    ran = await desk.plan(desk.group)
    assert ran.code == NO_CHANGES
    assert f"No resource there is of a type that the policy names ({VM})." in ran.lines


async def test_a_plan_as_a_page_has_every_resource_and_no_markup_of_others(
    desk: Desk, tmp_path: Path
) -> None:
    await machines(desk, 4)
    name = rule("<b>machines</b>")
    desk.write_policy(policy(name.replace("name: <b>machines</b>", "name: '<b>machines</b>'")))
    page = tmp_path / "plan.html"
    ran = await desk.plan(desk.group, "--html", str(page))
    assert f"{page} written" in ran.lines
    text = page.read_text()
    assert "&lt;b&gt;machines&lt;/b&gt;" in text
    assert "<b>" not in text
    assert desk.estate.vm_id("vm3").text in text
    assert "Content-Security-Policy" in text


async def test_removals_are_shown_where_the_record_is_at_hand(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    desk.write_policy("version: 1\nmode: full\n")
    without = await desk.plan(vm.text)
    assert without.code == NO_CHANGES
    assert "Removals are not shown" in without.out
    ran = await desk.app("plan", "--policy", str(desk.policy), vm.text)
    assert ran.code == CHANGES
    assert "- detach identity id-lanyard-westeurope: rg-app/virtualMachines/vm1" in ran.lines
    assert "2 to remove" in ran.out
    shown = json.loads((await desk.app("plan", "--json", vm.text)).out)
    assert shown["removalsShown"] is True


async def test_lanyards_own_app_is_left_out(desk: Desk) -> None:
    estate = desk.estate
    body = {"location": "westeurope", "properties": {}, "identity": {"type": "SystemAssigned"}}
    site = await desk.put("Microsoft.Web/sites/app-lanyard", body)
    own = estate.azure.state.resources[site.key].identity
    assert own is not None
    desk.write_policy(policy(rule(types="Microsoft.Web/sites")))
    assert (await desk.plan(desk.group)).code == CHANGES
    ran = await desk.plan(desk.group, "--app-principal", own["principalId"])
    assert (ran.code, "attach" in ran.out) == (NO_CHANGES, False)
    assert "Left out: Lanyard's own app (rg-app/sites/app-lanyard)." in ran.lines


# What fails.


async def test_a_resource_that_was_named_and_is_not_there_is_an_error(desk: Desk) -> None:
    ran = await desk.plan_in_full(desk.estate.vm_id("none").text)
    assert ran.code == ERROR
    assert ran.err == f"lanyard: {desk.estate.vm_id('none')} does not exist\n"


async def test_one_resource_that_cannot_be_read_stops_no_other(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.estate.create_vm("vm2")
    fault = Fault(path="virtualMachines/vm1$", status=403, code="AuthorizationFailed", times=None)
    desk.estate.azure.faults.add(fault)
    ran = await desk.plan_in_full(desk.group)
    assert ran.code == ERROR
    assert "vm1: 403 AuthorizationFailed" in ran.err
    assert desk.estate.vm_id("vm2").text in ran.lines
    assert "1 failed" in ran.out


async def test_throttling_is_waited_for(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    azure = desk.estate.azure
    azure.faults.add(Fault(path="vm1$", status=429, code="TooManyRequests", retry_after=10))
    before = azure.clock.now()
    assert (await desk.plan_in_full(vm.text)).code == CHANGES
    assert azure.clock.now() - before >= 10


async def test_throttling_without_end_is_an_error(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    fault = Fault(path="vm1$", status=429, code="TooManyRequests", retry_after=10, times=None)
    desk.estate.azure.faults.add(fault)
    ran = await desk.plan_in_full(vm.text)
    assert ran.code == ERROR
    assert "429 TooManyRequests" in ran.err


async def test_a_type_without_identity_is_shown_with_the_reason(desk: Desk) -> None:
    ran = await desk.plan_in_full(f"{desk.group}/providers/Microsoft.Network/loadBalancers/lb1")
    assert ran.code == ERROR
    assert "load balancers have no managed identity in Azure" in ran.err


@pytest.mark.parametrize("target", ["/vm1", "/subscriptions/production", ""])
async def test_what_is_no_id_is_refused_before_any_call(desk: Desk, target: str) -> None:
    ran = await desk.plan_in_full(target)
    assert ran.code == ERROR
    assert "is no resource id" in ran.err
    assert desk.calls() == []


async def test_a_broken_policy_is_shown_as_validate_shows_it(desk: Desk) -> None:
    desk.write_policy("version: 1\nmode: ful\n")
    ran = await desk.plan_in_full(desk.group)
    assert ran.code == ERROR
    assert "lanyard.yaml:2:1: 'mode' must be" in ran.err
    assert ran.out == ""


async def test_an_address_that_is_not_https_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANYARD_ARM_ENDPOINT", "management.azure.com")
    ran = await desk.plan_in_full(desk.group)
    assert ran.code == ERROR
    assert "'management.azure.com' is no address of Azure: it must be https://" in ran.err


@pytest.mark.parametrize("arguments", [[], ["--list", "-", "/subscriptions/x"]])
async def test_one_target_or_one_list_is_to_be_given(desk: Desk, arguments: list[str]) -> None:
    ran = await desk.plan_in_full(*arguments)
    assert ran.code == ERROR
    assert ran.err.splitlines() == [
        "lanyard: give an ID, --list FILE, or what to look at (--subscription, --resource-group, "
        "--management-group), one of these",
        "`lanyard plan --help` has examples",
    ]


# How it is shown.


async def test_quiet_says_only_what_is_wrong(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    ran = await desk.plan_in_full("--quiet", vm.text)
    assert (ran.code, ran.out, ran.err) == (CHANGES, "", "")


async def test_colours_come_where_they_are_wanted_and_never_with_no_color(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = await desk.estate.create_vm("vm1")
    assert "\x1b[" not in (await desk.plan_in_full(vm.text)).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert f"\x1b[32m+ attach identity {REGIONAL}\x1b[0m" in (await desk.plan_in_full(vm.text)).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in (await desk.plan_in_full(vm.text)).out


async def test_the_json_of_a_plan(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    desk.write_policy(policy(rule(more=f", system: true, grant: [{READ}]")))
    identity = (
        f"{desk.estate.scope}/resourceGroups/rg-identities/providers/"
        f"Microsoft.ManagedIdentity/userAssignedIdentities/{REGIONAL}"
    )
    ran = await desk.plan_in_full("--json", vm.text)
    assert ran.code == CHANGES
    assert json.loads(ran.out) == {
        "version": 1,
        "mode": "full",
        "removalsShown": False,
        "subscriptionNotes": [],
        "summary": {
            "create": 1,
            "attach": 1,
            "enable": 1,
            "assign": 1,
            "upgrade": 0,
            "remove": 0,
            "restart": 0,
            "replace": 0,
            "held": 0,
            "waiting": 0,
            "impossible": 0,
            "changed": 1,
            "unchanged": 0,
            "failed": 0,
        },
        "resources": [
            {
                "id": vm.text,
                "type": VM,
                "status": "changed",
                "provisioningState": "Succeeded",
                "restarts": False,
                "replacesIdentity": False,
                "notes": [],
                "actions": [
                    {
                        "action": "create-identity",
                        "text": f"create identity {REGIONAL} in westeurope",
                        "rules": ["machines"],
                        "identity": identity,
                        "location": "westeurope",
                        "dedicated": False,
                    },
                    {
                        "action": "attach-identity",
                        "text": f"attach identity {REGIONAL}",
                        "rules": ["machines"],
                        "identity": identity,
                    },
                    {
                        "action": "enable-system-identity",
                        "text": "enable the system-assigned identity",
                        "rules": ["machines"],
                    },
                    {
                        "action": "assign-role",
                        "text": f"assign Storage Blob Data Reader at {desk.group} to {REGIONAL}",
                        "rules": ["machines"],
                        "scope": desk.group,
                        "role": {"id": BLOB_READER, "name": "Storage Blob Data Reader"},
                        "to": identity,
                        "principalId": None,
                        "condition": None,
                    },
                ],
                "held": [],
                "waiting": [],
                "impossible": [],
            }
        ],
    }


OWN = POLICY.replace("rules:", "  own: {name: 'id-{resource.name}', per: resource}\nrules:")


async def test_an_own_identity_that_the_resource_has_counts_as_its_own(desk: Desk) -> None:
    """A plan knows no installation, so no tag says whose it is."""
    text = policy(rule("own").replace("[regional]", "[own]"), head=OWN)
    desk.write_policy(text)
    desk.estate.change_policy(text)
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    ran = await desk.plan_in_full(vm.text)
    assert ran.code == NO_CHANGES
    assert "waits" not in ran.out


async def test_an_identity_that_was_not_made_for_it_is_shown_as_just_that(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    options = desk.estate.azure.client_options(desk.estate.operator)
    msi = ManagedServiceIdentityClient(subscription_id=desk.estate.subscription, **options)
    body = Identity(location="westeurope")
    await msi.user_assigned_identities.create_or_update("rg-app", "id-vm1", body)
    desk.write_policy(policy(rule("own").replace("[regional]", "[own]"), head=OWN))
    ran = await desk.plan_in_full(vm.text)
    assert "exists, and was not made for this resource" in ran.out
    assert "does not exist" not in ran.out
    (waiting,) = json.loads((await desk.plan_in_full("--json", vm.text)).out)["resources"][0][
        "waiting"
    ]
    assert waiting["reason"].endswith("exists, and was not made for this resource")
