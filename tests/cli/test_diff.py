"""`lanyard diff`: what it shows, in which forms, where policies and estates come from."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from lanyard.cli.diff.markdown import MARK
from lanyard.record.last_good_policy import LastGood
from simulator.faults import Fault
from tests.support.desk import STORAGE, Desk, Ran
from tests.support.estate import POLICY

NOTHING_LOST, ERROR, LOST = 0, 1, 2
IDENTITY = "rg-identities/userAssignedIdentities/id-lanyard-westeurope"
NOTHING = "version: 1\nmode: full\n"
OWNER = POLICY.replace("Storage Blob Data Reader", "Owner") + (
    'privileged: {allow: [{role: Owner, scopes: ["/subscriptions/*"]}]}\n'
)


@pytest.fixture
async def machines(desk: Desk) -> Desk:
    """Three machines with access, and a person who sees all of it."""
    estate = desk.estate
    for number in range(3):
        await estate.create_vm(f"vm{number}")
    await estate.settle()
    estate.azure.assign(desk.person.object_id, "Reader", "/")
    estate.platform.directory.grant_permission(desk.person.object_id)
    return desk


class Policies:
    def __init__(self, desk: Desk, folder: Path) -> None:
        self._desk, self._folder = desk, folder

    async def diff(self, old: str, new: str, *arguments: str) -> Ran:
        files = []
        for name, text in (("old", old), ("new", new)):
            file = self._folder / f"{name}.yaml"
            file.write_text(text)
            files.append(str(file))
        return await self._desk.lanyard("diff", *files, *arguments)


@pytest.fixture
def policies(machines: Desk, tmp_path: Path) -> Policies:
    return Policies(machines, tmp_path)


async def test_what_a_narrower_policy_takes_is_shown_and_is_the_exit_code(
    policies: Policies, tmp_path: Path
) -> None:
    ran = await policies.diff(POLICY, NOTHING)
    rule = f"  (rule: machines read blobs ({tmp_path}/old.yaml:7))"
    group = "rg-app/virtualMachines"
    every = f"{group}/vm0, {group}/vm1, {group}/vm2"
    assert (ran.code, ran.err) == (LOST, "")
    assert ran.lines == [
        f"diff {tmp_path}/old.yaml → {tmp_path}/new.yaml: of 3 resources 3 lose",
        f"- {IDENTITY} loses Storage Blob Data Reader at rg-app: {every}{rule}",
        f"- detach {IDENTITY}: {every}{rule}",
        "roll-out: 4 removals, once a sweep has put the difference on record (within five "
        "minutes); each 10 minutes after it was first due, and after what takes its place is "
        "there.",
        "Without the record of a deployed app (--storage), what the old policy gives and what "
        "stands counts as Lanyard's.",
    ]


async def test_nothing_is_lost_by_a_wider_policy(policies: Policies) -> None:
    ran = await policies.diff(NOTHING, POLICY)
    assert ran.code == NOTHING_LOST
    assert "of 3 resources none changes" in ran.lines[0]  # it stands already
    more = POLICY.replace("orphans:", "records: {keepDays: 30}\norphans:")
    assert (await policies.diff(POLICY, more)).code == NOTHING_LOST


async def test_privileged_roles_come_first(policies: Policies) -> None:
    ran = await policies.diff(POLICY, OWNER)
    assert "1 privileged role gained" in ran.lines[0]
    assert ran.lines[1].startswith(f"+ {IDENTITY} gains Owner at rg-app")
    assert "  privileged by Microsoft.Authorization/" in ran.lines[1]


async def test_what_is_newly_held_is_shown_with_its_way_out(policies: Policies) -> None:
    held = POLICY.replace("Storage Blob Data Reader", "Owner")
    ran = await policies.diff(POLICY, held)
    assert any(line.startswith("‖ assign Owner at ") for line in ran.lines)
    assert "'privileged.allow'" in ran.out
    # Make before break: what it had stays while what it is due is held.
    assert ran.code == NOTHING_LOST


async def test_the_forms_hold_the_same(policies: Policies, tmp_path: Path) -> None:
    page, comment = tmp_path / "diff.html", tmp_path / "diff.md"
    ran = await policies.diff(
        POLICY, NOTHING, "--json", "--html", str(page), "--markdown", str(comment)
    )
    document = json.loads(ran.out)
    assert ran.code == LOST
    assert document["summary"]["lose"] == 3
    assert document["byRecord"] is False
    lost = document["resources"][0]["loses"]
    assert {each["kind"] for each in lost} == {"identity", "role"}
    assert lost[0]["rules"] == [{"name": "machines read blobs", "place": f"{tmp_path}/old.yaml:7"}]
    assert document["rollout"]["removals"] == 4
    assert "loses Storage Blob Data Reader at rg-app" in page.read_text()
    assert "Content-Security-Policy" in page.read_text()
    text = comment.read_text()
    assert text.startswith("<!-- lanyard diff -->\n### Lanyard: of 3 resources 3 lose\n")
    assert "| 🔴 loses | " in text


async def test_names_are_no_markup_in_a_comment(policies: Policies, tmp_path: Path) -> None:
    comment = tmp_path / "diff.md"
    evil = POLICY.replace(
        "machines read blobs", '"@all <img> | `x` #12 GH-3 https://e.example www.e.a"'
    )
    await policies.diff(evil, NOTHING, "--markdown", str(comment))
    text = comment.read_text()
    assert r"\<img\> \| \`x\`" in text
    # GitHub looks at what is rendered: an entity in place of the @ would be one again.
    rendered = html.unescape(text).replace(MARK, "")
    assert not re.search(r"<img>|@\w|#\d|GH-|://|www\.", rendered)


async def test_a_comment_has_as_many_lines_as_there_is_room_for(
    policies: Policies, tmp_path: Path
) -> None:
    comment = tmp_path / "diff.md"
    rule = POLICY[POLICY.index("  - name:") : POLICY.index("orphans:")]
    many = "".join(
        rule.replace("machines read blobs", f"rule {number} {'x' * 110}").replace(
            "{resourceGroup}", f"/subscriptions/{{subscription}}/resourceGroups/rg-{number}"
        )
        for number in range(300)
    )
    await policies.diff(POLICY.replace(rule, many), NOTHING, "--markdown", str(comment))
    text = comment.read_text()
    assert 50_000 < len(text) < 65_536
    assert re.search(r"\n\d+ more lines are in `lanyard diff --json`", text)


async def test_a_saved_estate_needs_no_login(
    policies: Policies, machines: Desk, tmp_path: Path
) -> None:
    saved = tmp_path / "estate.json"
    live = await policies.diff(POLICY, NOTHING, "--json")
    await machines.lanyard("scan", "--save", str(saved))
    machines.calls()
    offline = await policies.diff(POLICY, NOTHING, "--json", "--estate", str(saved))
    assert machines.calls() == []
    assert json.loads(offline.out) == json.loads(live.out)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 2}'])
async def test_what_is_no_saved_estate_is_an_error(
    policies: Policies, tmp_path: Path, text: str
) -> None:
    saved = tmp_path / "estate.json"
    saved.write_text(text)
    ran = await policies.diff(POLICY, NOTHING, "--estate", str(saved))
    assert ran.code == ERROR
    assert "is no estate that this version of lanyard saved" in ran.err


async def test_a_scope_shows_a_part_and_its_roll_out(policies: Policies, machines: Desk) -> None:
    one = machines.estate.vm_id("vm1").text
    ran = await policies.diff(POLICY, NOTHING, "--json", "--scope", one)
    document = json.loads(ran.out)
    assert [each["id"] for each in document["resources"]] == [one]
    assert document["summary"]["lookedAt"] == 1
    assert document["rollout"]["removals"] == 2, "its identity, and the role of that"
    given = await policies.diff(NOTHING, POLICY, "--json", "--scope", one)
    assert json.loads(given.out)["rollout"]["additions"] == 1


async def test_a_role_that_is_needed_outside_the_scope_is_no_removal_of_it(
    policies: Policies, machines: Desk
) -> None:
    but_one = POLICY.replace("exclude:", "names: [vm0, vm2], exclude:")
    one = machines.estate.vm_id("vm1").text
    ran = await policies.diff(POLICY, but_one, "--json", "--scope", one)
    assert json.loads(ran.out)["rollout"]["removals"] == 1
    beside = await policies.diff(POLICY, but_one, "--json", "--resource-group", "rg-identities")
    assert json.loads(beside.out)["rollout"]["removals"] == 0


async def test_the_deleted_identity_of_one_machine_counts_with_that_machine(
    policies: Policies, machines: Desk
) -> None:
    own = 'id-{resource.name}-{resource.hash}", per: resource, resourceGroup'
    policy = POLICY.replace('id-lanyard-{location}", resourceGroup', own)
    machines.estate.change_policy(policy)
    for name in ("vm3", "vm4"):
        await machines.estate.create_vm(name)
    await machines.estate.settle()
    for scope, deletions in (("rg-app/virtualMachines/vm3", 1), ("rg-app", 2)):
        ran = await policies.diff(policy, NOTHING, "--json", "--scope", scope)
        assert json.loads(ran.out)["rollout"]["deletions"] == deletions


async def test_what_is_in_a_scope_is_named_as_it_is_shown(
    policies: Policies, machines: Desk
) -> None:
    for scope, seen in (("rg-app/vm1", 1), ("vm1", 1), ("RG-App", 3), ("production", 3)):
        ran = await policies.diff(POLICY, NOTHING, "--json", "--scope", scope)
        assert json.loads(ran.out)["summary"]["lookedAt"] == seen
    ran = await policies.diff(POLICY, NOTHING, "--scope", "rg-ap")
    assert ran.code == ERROR
    near = (
        "--scope: nothing in the estate is about 'rg-ap'; did you mean 'rg-app'?: give a whole id"
    )
    assert near in ran.err
    whole = await policies.diff(POLICY, NOTHING, "--scope", machines.group + "s")
    assert (whole.code, whole.out) == (ERROR, "")


async def test_what_goes_with_a_rule_is_what_goes_without_it(
    policies: Policies, machines: Desk, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.yaml"
    whole.write_text(POLICY)
    ran = await machines.lanyard("diff", str(whole), "--without", "machines read blobs", "--json")
    lacking = await policies.diff(POLICY, NOTHING, "--json")
    assert ran.code == LOST
    found, wanted = json.loads(ran.out), json.loads(lacking.out)
    assert found["summary"] == wanted["summary"]
    assert found["new"]["name"].endswith("whole.yaml without machines read blobs")
    none = await machines.lanyard("diff", str(whole), "--without", "machines")
    assert none.code == ERROR
    assert "has no rule 'machines'; it has 'machines read blobs'" in none.err
    nothing = await machines.lanyard("diff", str(whole))
    assert "name NEW, or with --without a rule" in nothing.err


async def test_a_role_that_another_resource_needs_is_not_lost(
    policies: Policies, machines: Desk
) -> None:
    narrower = POLICY.replace("exclude:", "names: [vm0], exclude:")
    document = json.loads((await policies.diff(POLICY, narrower, "--json")).out)
    assert document["identities"] == []
    assert [each["id"][-3:] for each in document["resources"]] == ["vm1", "vm2"]


async def test_the_record_of_the_app_says_what_is_lanyards(
    policies: Policies, machines: Desk
) -> None:
    await machines.estate.create_vm("vm9", tags={"lanyard": "ignore"})
    ran = await policies.diff(NOTHING, NOTHING, "--json", "--storage", STORAGE)
    assert json.loads(ran.out)["byRecord"] is True
    ran = await policies.diff(POLICY, NOTHING, "--json", "--storage", STORAGE)
    assert json.loads(ran.out)["summary"]["lose"] == 3


async def test_the_policy_of_a_deployed_app_is_compared(
    policies: Policies, machines: Desk, tmp_path: Path
) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(NOTHING)
    away = await machines.lanyard("diff", "deployed", str(new), "--storage", STORAGE)
    assert "this one has its policy in its package" in away.err
    assert "git:HEAD:lanyard.yaml say, in place of 'deployed'" in away.err
    await LastGood(machines.estate.tables.control).save(POLICY)
    ran = await machines.lanyard("diff", "deployed", str(new), "--storage", STORAGE)
    assert ran.code == LOST
    assert "(rule: machines read blobs (deployed:7))" in ran.out


async def test_a_deployed_policy_wants_to_know_of_which_app(policies: Policies) -> None:
    ran = await policies._desk.lanyard("diff", "deployed", str(policies._folder / "x.yaml"))
    assert ran.code == ERROR


async def test_a_revision_of_git_is_compared_file_and_folder(
    machines: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        command = ["git", *author, *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "policy").mkdir()
    file = tmp_path / "policy" / "lanyard.yaml"
    file.write_text(POLICY)
    (tmp_path / "policy" / "lanyard.test.yaml").write_text("tests: []\n")
    git("init", "--quiet")
    git("add", "policy")
    git("commit", "--quiet", "--message", "one")
    file.write_text(NOTHING)
    monkeypatch.chdir(tmp_path)
    for path in ("policy/lanyard.yaml", "policy"):
        ran = await machines.lanyard("diff", f"git:HEAD:{path}", path)
        assert ran.code == LOST
        assert "(rule: machines read blobs (HEAD:policy/lanyard.yaml:7))" in ran.out


@pytest.mark.parametrize("old", ["git:HEAD", "git:-x:y", "git:nowhere:lanyard.yaml"])
async def test_what_is_no_revision_is_an_error(
    machines: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = await machines.lanyard("diff", old, str(machines.policy))
    assert ran.code == ERROR
    assert ran.err.startswith("lanyard: ")
    assert "Traceback" not in ran.err


async def test_a_broken_policy_is_known_before_anything_is_asked(
    policies: Policies, machines: Desk
) -> None:
    machines.calls()
    ran = await policies.diff(POLICY, "version: 1\nmode: ful\n")
    assert ran.code == ERROR
    assert "new.yaml:2:1: 'mode' must be" in ran.err
    assert machines.calls() == []


async def test_a_listing_that_fails_is_an_error(policies: Policies, machines: Desk) -> None:
    fault = Fault(method="POST", path="ResourceGraph", status=403, code="Forbidden", times=None)
    machines.estate.azure.faults.add(fault)
    ran = await policies.diff(POLICY, NOTHING)
    assert (ran.code, ran.out) == (ERROR, "")


async def test_full_names_every_resource(policies: Policies, machines: Desk) -> None:
    ran = await policies.diff(POLICY, NOTHING, "--full")
    assert f"    {machines.estate.vm_id('vm2')}" in ran.lines


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ("perHour: 2", "The budget of 2 an hour makes at least 2 hours of it."),
        ("perHour: 0", "The budget (limits.removals.perHour) is 0: a person releases each."),
    ],
)
async def test_the_budget_is_named(policies: Policies, limits: str, sentence: str) -> None:
    new = f"{NOTHING}limits: {{removals: {{{limits}}}}}\n"
    assert f"roll-out: {sentence}" in (await policies.diff(POLICY, new)).lines


@pytest.mark.parametrize(
    ("per_hour", "sentence"),
    [
        (2, "3 resources to be given something: the budget of 2 an hour makes at least 2 hours"),
        (0, "3 resources to be given something: the budget (limits.additions.perHour) is 0, a"),
        (3, ""),
    ],
)
async def test_the_budget_of_additions_is_named(
    policies: Policies, per_hour: int, sentence: str
) -> None:
    new = f"{POLICY}limits: {{additions: {{perHour: {per_hour}}}}}\n"
    new = new.replace("limits: {removals: {perHour: 50, graceMinutes: 0}}\n", "")
    lines = (await policies.diff(NOTHING, new)).lines
    found = [line for line in lines if "given something" in line]
    assert len(found) == bool(sentence)
    assert not sentence or found[0].startswith(f"roll-out: {sentence}")


async def test_a_mode_that_takes_nothing_says_so(policies: Policies) -> None:
    ran = await policies.diff(POLICY, NOTHING.replace("full", "add-only"))
    assert ran.code == NOTHING_LOST
    assert any(line.startswith("‖ detach identity") for line in ran.lines)
