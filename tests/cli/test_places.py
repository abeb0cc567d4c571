"""What is looked at: --subscription, --resource-group, --management-group; and ids as they are
shown, taken back.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lanyard.cli.frame.short_ids import is_about
from lanyard.cli.scan import command as scan
from lanyard.values.subscriptions import Subscription
from simulator.seeding import Sizes, fill
from tests.support.desk import Desk
from tests.support.estate import POLICY

OK, ERROR, CHANGES = 0, 1, 2


@pytest.fixture
def reader(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A person who may read the whole tenant's resources, and its directory."""
    clock = desk.estate.azure.clock
    monkeypatch.setattr(scan, "now", lambda: datetime.fromtimestamp(clock.now(), UTC))
    desk.estate.azure.assign(desk.person.object_id, "Reader", "/")
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    return desk


async def test_a_scan_counts_what_is_in_a_subscription_a_group_or_a_management_group(
    reader: Desk,
) -> None:
    azure = reader.estate.azure
    made = fill(azure, Sizes(machines=30, web_apps=12, assignments=40, orphans=6))
    first, second, third = made.subscriptions
    azure.state.subscriptions[second].management_groups = ("mg-data",)
    azure.state.subscriptions[third].management_groups = ("mg-data",)

    async def summary(*arguments: str) -> dict[str, int]:
        ran = await reader.lanyard("scan", "--json", *arguments)
        assert ran.err == ""
        return dict(json.loads(ran.out)["summary"])

    whole = await summary()
    parts = [await summary("--subscription", one) for one in made.subscriptions]
    for name in ("compute", "withoutIdentity", "orphans", "identities"):
        assert sum(part[name] for part in parts) == whole[name], name
    both = await summary("--management-group", "mg-data")
    assert both == await summary("--subscription", second, "--subscription", third)
    assert (both["compute"], both["subscriptions"]) == (
        parts[1]["compute"] + parts[2]["compute"],
        2,
    )
    group = made.groups[0]
    narrow = await summary("--resource-group", group)
    assert 0 < narrow["compute"] < whole["compute"]
    assert narrow == await summary(
        "--resource-group", group.rpartition("/")[2], "--subscription", group.split("/")[2]
    )
    assert first != second


async def test_what_a_scan_counts_it_names(reader: Desk) -> None:
    azure = reader.estate.azure
    fill(azure, Sizes(machines=30, web_apps=12, assignments=40, orphans=14))
    document = json.loads((await reader.lanyard("scan", "--json")).out)
    lists = {
        "without-identity": [each["id"] for each in document["withoutIdentity"]],
        "unused": [each["id"] for each in document["identities"]["unused"]],
        "orphaned": [each["assignment"] for each in document["orphans"]["assignments"]],
        "privileged": [each["assignment"] for each in document["privileged"]],
    }
    assert len(lists["without-identity"]) == document["summary"]["withoutIdentity"] > 0
    assert len(lists["orphaned"]) == document["summary"]["orphans"] > 10
    for name, ids in lists.items():
        quiet = await reader.lanyard("scan", "--show", name, "--quiet")
        assert sorted(quiet.lines) == sorted(ids), name
        shown = await reader.lanyard("scan", "--show", name)
        assert shown.lines[0].startswith(f"{len(ids):,} ")
        assert {*ids} <= {*shown.lines}
    usual = await reader.lanyard("scan")
    assert "more: --show orphaned has all" in usual.out
    wrong = await reader.lanyard("scan", "--show", "everything")
    assert wrong.code == ERROR


async def test_orphans_that_are_not_determined_are_not_shown_as_none(reader: Desk) -> None:
    azure = reader.estate.azure
    fill(azure, Sizes(machines=3, assignments=8, orphans=4))
    reader.estate.platform.directory.revoke_permissions(reader.person.object_id)
    ran = await reader.lanyard("scan", "--show", "orphaned", "--quiet")
    assert ran.code == CHANGES
    assert ran.lines[0].startswith("not determined: ")


async def test_a_plan_of_a_part_is_that_of_its_scopes(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    scope, group = desk.estate.scope, desk.group
    whole = json.loads((await desk.plan(scope, "--json")).out)
    for part in (["--subscription", "production"], ["--subscription", desk.estate.subscription]):
        assert json.loads((await desk.plan(*part, "--json")).out) == whole
    one = json.loads((await desk.plan(group, "--json")).out)
    assert json.loads((await desk.plan("--resource-group", "rg-app", "--json")).out) == one
    assert json.loads((await desk.plan("--resource-group", group, "--json")).out) == one
    both = await desk.plan(group, "--resource-group", "rg-app")
    assert both.code == ERROR
    assert "one of these" in both.err
    nowhere = await desk.plan("--subscription", "nobody's")
    assert "you can read none with this id or name" in nowhere.err


@pytest.mark.parametrize(
    ("option", "text", "meant"),
    [
        ("--resource-group", "rg-ap", "rg-app"),
        ("--subscription", "productoin", "production"),
    ],
)
@pytest.mark.parametrize("command", ["scan", "plan", "diff", "sweep"])
async def test_a_misspelt_place_is_an_error_that_names_what_is_near(
    reader: Desk, command: str, option: str, text: str, meant: str
) -> None:
    await reader.estate.create_vm("vm1")
    await reader.started()
    policy = str(reader.policy)
    arguments = {
        "scan": ["scan"],
        "plan": ["plan", "--policy", policy],
        "diff": ["diff", policy, policy],
        "sweep": ["sweep", "--policy", policy, "--dry-run"],
    }[command]
    ran = await (reader.app if command == "sweep" else reader.lanyard)(*arguments, option, text)
    assert (ran.code, ran.out) == (ERROR, "")
    assert f"{option} {text!r}: " in ran.err
    assert f"; did you mean {meant!r}?" in ran.err


async def test_a_group_that_is_empty_is_no_error_where_groups_are_listed(
    reader: Desk, tmp_path: Path
) -> None:
    await reader.estate.create_vm("vm1")
    await reader.started()  # with a group rg-lanyard, in which there is nothing
    empty = ["--resource-group", "rg-lanyard"]
    assert (await reader.plan(*empty)).code == OK
    scanned = await reader.lanyard("scan", "--json", *empty)
    assert json.loads(scanned.out)["summary"]["compute"] == 0
    saved = tmp_path / "estate.json"
    assert (await reader.lanyard("scan", "--save", str(saved))).err == ""
    policy = str(reader.policy)
    offline = await reader.lanyard("diff", policy, policy, "--estate", str(saved), *empty)
    assert offline.code == ERROR
    assert "--resource-group 'rg-lanyard': none that is listed has this name" in offline.err


@pytest.mark.parametrize(
    "called", ["vm1", "rg-app/vm1", "rg-app/virtualMachines/vm1", "RG-APP/virtualmachines/VM1"]
)
async def test_an_id_is_taken_back_as_it_is_shown(desk: Desk, called: str) -> None:
    vm = await desk.estate.create_vm("vm1")
    whole = json.loads((await desk.plan(vm.text, "--json")).out)
    assert json.loads((await desk.plan(called, "--json")).out) == whole


async def test_a_subscription_is_taken_by_its_name_and_by_its_id_alone(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    whole = json.loads((await desk.plan(desk.estate.scope, "--json")).out)
    for called in ("production", desk.estate.subscription):
        assert json.loads((await desk.plan(called, "--json")).out) == whole


async def test_a_name_of_several_is_refused_with_all_of_them(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.put("Microsoft.Web/sites/vm1", {"location": "westeurope", "properties": {}})
    ran = await desk.plan("vm1")
    assert ran.code == ERROR
    assert "'vm1' is the name of 2, say which:" in ran.err
    assert vm.text in ran.err


@pytest.mark.parametrize(
    "odd", ["it's", "vm1' or 1==1 or name =~ '", "a\\", "no\nline", "%2e", ".."]
)
async def test_an_odd_name_is_nothings(desk: Desk, odd: str) -> None:
    await desk.estate.create_vm("vm1")
    ran = await desk.plan(odd)
    assert ran.code == ERROR
    assert "is no resource id, and nothing that can be read is called so" in ran.err


GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-a"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"


@pytest.mark.parametrize(
    ("wanted", "about"),
    [
        ("", True),
        (VM.upper(), True),
        ("rg-a", True),
        ("rg-a/virtualMachines/vm1", True),
        ("RG-A/virtualMachines", True),
        ("vm1", True),
        ("RG-A/VM1", True),
        ("11111111-1111-4111-8111-111111111111", True),
        ("/subscriptions/11111111-1111-4111-8111-111111111111", True),
        ("payments", True),
        ("rg-b/vm1", False),
        ("virtualMachines", False),
        ("vm", False),
        ("rg-a/virtualMachines/vm", False),
        ("rg", False),
    ],
)
def test_records_are_filtered_by_an_id_as_it_is_shown(wanted: str, about: bool) -> None:
    listed = {VM.split("/")[2]: Subscription("Payments")}
    assert is_about(VM, wanted, listed) is about


@pytest.mark.parametrize(
    "called", ["vm1", "rg-app", "RG-APP/VM1", "rg-app/virtualMachines/vm1", "production"]
)
async def test_what_is_on_record_is_found_by_any_name_of_a_resource(
    desk: Desk, called: str
) -> None:
    desk.estate.change_policy(POLICY.replace("mode: full", "mode: observe"))
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    for command, key in (("held", "held"), ("history", "decisions")):
        every = json.loads((await desk.app(command, "--json")).out)[key]
        ran = await desk.app(command, "--json", "--resource", called)
        assert ran.err == ""
        mine = [each for each in every if each["resource"]]
        assert json.loads(ran.out)[key] == mine != [], command


@pytest.mark.parametrize("command", ["held", "history"])
async def test_a_name_that_nothing_on_record_has_is_named_with_what_is_near(
    desk: Desk, command: str
) -> None:
    desk.estate.change_policy(POLICY.replace("mode: full", "mode: observe"))
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    ran = await desk.app(command, "--resource", "vm11", "--quiet")
    assert (ran.code, ran.out) == (OK, "")
    assert "is about 'vm11'; did you mean 'vm1'?: give a whole id, " in ran.err
    whole = await desk.app(command, "--resource", desk.group + "s")
    assert f"is about '{desk.group}s'" in whole.err
    # Who may not read the subscriptions' names is answered, too.
    desk.estate.azure.state.role_assignments.clear()
    assert (await desk.app(command, "--resource", "productoin")).code == OK


async def test_a_difference_of_a_part_is_what_differs_there(reader: Desk, tmp_path: Path) -> None:
    await reader.estate.create_vm("vm1")
    await reader.estate.settle()
    saved, new = tmp_path / "estate.json", tmp_path / "new.yaml"
    assert (await reader.lanyard("scan", "--save", str(saved))).err == ""
    text = reader.policy.read_text()
    new.write_text(text.replace("role: Storage Blob Data Reader", "role: AcrPull"))
    compared = ["diff", str(reader.policy), str(new), "--estate", str(saved), "--json"]

    async def differing(*arguments: str) -> int:
        ran = await reader.lanyard(*compared, *arguments)
        assert ran.err == ""
        return len(json.loads(ran.out)["resources"])

    assert await differing() == await differing("--subscription", "production") == 1
    assert await differing("--resource-group", "rg-app") == 1
    assert await differing("--resource-group", "rg-identities") == 0
    nowhere = await reader.lanyard(*compared, "--management-group", "corp")
    assert "--management-group 'corp': you can read no subscription in it" in nowhere.err


async def test_a_dry_sweep_of_a_part_lists_its_orphans_and_a_real_one_takes_no_part(
    desk: Desk,
) -> None:
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.estate.create_vm("vm1")
    await desk.started()
    desk.estate.azure.assign("99999999-0000-4000-8000-000000000001", "Reader", desk.group)
    sweep = ["sweep", "--policy", str(desk.policy), "--json"]

    async def orphans(*arguments: str) -> int:
        ran = await desk.app(*sweep, "--dry-run", *arguments)
        assert ran.err == ""
        return len(json.loads(ran.out)["orphans"])

    assert await orphans() == await orphans("--resource-group", "rg-app") == 1
    assert await orphans("--resource-group", "rg-identities") == 0
    desk.estate.queue.messages.clear()
    real = await desk.app(*sweep, "--resource-group", "rg-app")
    assert (real.code, desk.estate.queue.messages) == (ERROR, [])
    assert "a part of the estate is looked at with --dry-run alone" in real.err
