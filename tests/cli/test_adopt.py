"""`lanyard adopt`: what stands already becomes Lanyard's on a person's word, and others' again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient

from lanyard.cli.adopt.command import COMMAND
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.desk.uninstall import Uninstall
from lanyard.planning.actions import Action, DetachIdentity
from lanyard.reconcile import apply
from lanyard.reconcile.make_before_break import not_lost
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.record.granted import Granted
from lanyard.record.rows import entries
from lanyard.values.grants import Grant, State
from lanyard.values.stamps import Stamp, put_back_stamp, stamp
from simulator.state import RoleAssignment
from tests.support.cases import (
    HOUR,
    NOTHING,
    Rules,
    attached,
    begun,
    identity_id,
    make_identity,
    pass_time,
    patch,
    principal,
    sweep,
)
from tests.support.cases import adopt as deploy
from tests.support.desk import STORAGE, Desk, Ran
from tests.support.documented import undocumented
from tests.support.estate import ANOTHER_INSTALLATION, INSTALLATION, Estate
from tests.support.examples import READER

OK, ERROR, CHANGES = 0, 1, 2
RULES = Rules(identity="id-shared", match="tags: {env: prod}")
BY_TERRAFORM = "by Terraform"
TERRAFORMS = "7e44af04-0000-4000-8000-000000000001"
PROD = {"env": "prod"}
SHOP = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'shop'"


@dataclass
class Adopter:
    """A person who may write role assignments, beside an estate that Terraform made: two machines
    with one identity, and what a rule gives them.
    """

    desk: Desk
    policy: Rules

    @property
    def estate(self) -> Estate:
        return self.desk.estate

    @property
    def group(self) -> str:
        return self.desk.group

    async def adopt(self, *arguments: str, scope: str = "") -> Ran:
        where = ["--policy", str(self.desk.policy)]
        return await self.desk.app("adopt", scope or self.group, *where, *arguments)

    async def items(self, *arguments: str) -> list[dict[str, Any]]:
        ran = await self.adopt("--json", *arguments)
        found = json.loads(ran.out)["items"]
        assert isinstance(found, list)
        return found

    def standing(self) -> list[RoleAssignment]:
        who = principal(self.estate, "id-shared")
        found = self.estate.azure.state.role_assignments.values()
        return [each for each in found if each.principal_id == who]

    def theirs(self) -> RoleAssignment:
        """The one assignment of the identity."""
        (found,) = self.standing()
        return found

    def described(self, text: str | None) -> None:
        """By whoever may."""
        found = self.theirs()
        self.estate.azure.state.role_assignments[found.id.lower()] = replace(
            found, description=text
        )

    async def row(self) -> Granted:
        found = self.theirs()
        grant = Grant(found.scope, READER, found.principal_id)
        row = await self.estate.services.claims._rows.find(grant.name)
        assert row is not None
        return row

    async def machines_go(self) -> None:
        for name in ("vm1", "vm2"):
            await self.estate.delete_vm(name)
        await pass_time(self.estate, HOUR)
        await sweep(self.estate)
        await pass_time(self.estate, HOUR)

    async def no_longer_for_them(self) -> None:
        """No rule is for the machines any more."""
        for name in ("vm1", "vm2"):
            await patch(self.estate, self.estate.vm_id(name), tags={})
        await pass_time(self.estate, HOUR)

    async def deploy(self, policy: Rules) -> None:
        """The app works by another policy, and the person has it, too."""
        await deploy(self.estate, policy)
        self.desk.write_policy(policy.text(self.estate.subscription))


type Making = Any


@pytest.fixture
def making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Making:
    async def make(rules: Rules = RULES, description: str | None = BY_TERRAFORM) -> Adopter:
        estate = await begun(monkeypatch, NOTHING, "id-shared")
        shared = identity_id(estate.subscription, "id-shared")
        block = {"type": "UserAssigned", "userAssignedIdentities": {shared: {}}}
        for name in ("vm1", "vm2"):
            await estate.create_vm(name, tags=PROD, identity=block)
        await pass_time(estate)
        group = f"{estate.scope}/resourceGroups/rg-app"
        estate.azure.assign(
            principal(estate, "id-shared"),
            "Reader",
            group,
            name=TERRAFORMS,
            description=description,
        )
        desk = Desk(tmp_path, monkeypatch, capsys, rules.text(estate.subscription), estate)
        for role in ("Reader", "Role Based Access Control Administrator"):
            estate.azure.assign(desk.person.object_id, role, estate.scope)
        estate.platform.directory.grant_permission(desk.person.object_id)
        await deploy(estate, rules)
        await pass_time(estate, HOUR)
        return Adopter(desk, rules)

    return make


async def revoke(estate: Estate, assignment: RoleAssignment) -> None:
    """As whoever may, by ARM: the activity log has it."""
    client = AuthorizationManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    await client.role_assignments.delete_by_id(assignment.id.lstrip("/"))


def as_it_was(assignment: RoleAssignment) -> RoleAssignment:
    """Without who wrote it last, and when."""
    return replace(assignment, updated_at=0.0, updated_by="")


# What is shown.


async def test_it_shows_what_may_be_adopted_and_changes_nothing(making: Making) -> None:
    it = await making()
    before = it.theirs()
    it.desk.calls()
    ran = await it.adopt("--dry-run")
    assert (ran.code, ran.err) == (CHANGES, "")
    assert "Reader at rg-app for" in ran.out
    assert "'by Terraform'" in ran.out
    assert "rg-app/virtualMachines/vm" in ran.out
    assert ran.out.count("would be adopted") == 3
    assert ran.lines[-1] == "adopt: 3 to be adopted"
    assert it.theirs() == before
    assert [call for call in it.desk.calls() if not call.startswith(("GET", "POST"))] == []


async def test_as_json(making: Making) -> None:
    it = await making()
    ran = await it.adopt("--dry-run", "--json")
    assert ran.code == CHANGES
    document = json.loads(ran.out)
    assert {name: document[name] for name in ("version", "dryRun", "release", "scope")} == {
        "version": 1,
        "dryRun": True,
        "release": False,
        "scope": it.group,
    }
    (assigned,) = [each for each in document["items"] if each["kind"] == "assignment"]
    assert assigned == {
        "kind": "assignment",
        "assignment": it.theirs().id,
        "role": {"id": READER, "name": "Reader"},
        "scope": it.group,
        "condition": None,
        "identity": None,
        "principalId": principal(it.estate, "id-shared"),
        "resources": [str(it.estate.vm_id("vm1")), str(it.estate.vm_id("vm2"))],
        "rules": ["all"],
        "whose": "'by Terraform'",
        "refused": "",
        "done": False,
        "error": "",
    }
    identities = [each["identity"] for each in document["items"] if each["kind"] == "attachment"]
    assert identities == [identity_id(it.estate.subscription, "id-shared")] * 2
    assert document["unread"] == document["damaged"] == []
    assert list(undocumented(document, COMMAND.shape)) == []


async def test_one_resource_is_a_scope_too_and_what_no_rule_is_for_has_nothing(
    making: Making,
) -> None:
    it = await making()
    one = await it.adopt("--json", "--dry-run", scope=str(it.estate.vm_id("vm2")))
    resources = [each["resources"] for each in json.loads(one.out)["items"]]
    assert resources == [[str(it.estate.vm_id("vm2"))]] * 2
    none = await it.adopt(scope=f"{it.group}/providers/Microsoft.Web/sites/shop")
    assert (none.code, none.lines) == (OK, ["adopt: 0 of 0 adopted"])


# What is adopted.


async def test_the_description_alone_is_written_and_says_what_it_said(making: Making) -> None:
    it = await making()
    before = it.theirs()
    ran = await it.adopt("--yes")
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[-1] == "adopt: 3 of 3 adopted"
    now = it.theirs()
    assert as_it_was(replace(now, description=BY_TERRAFORM)) == as_it_was(before)
    said = Stamp.of(now.description or "")
    assert said is not None
    assert (said.installation, said.put_back) == (INSTALLATION, False)
    assert said.adoption is not None
    assert said.adoption.before == BY_TERRAFORM
    row = await it.row()
    assert (row.ours, row.assignment_id, row.state) == (True, now.id, State.ACTIVE)
    decisions = await it.estate.decisions()
    assert [who for what, _, who in decisions if what.startswith("adopt: ")] == [
        "by engineer@example.com"
    ] * 3


async def test_adopted_twice_is_adopted_once(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    before = it.theirs()
    ran = await it.adopt("--yes")
    assert (ran.code, ran.lines) == (OK, ["adopt: 0 of 0 adopted"])
    assert it.theirs() == before


async def test_adopted_it_goes_with_what_needs_it(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    await it.machines_go()
    assert it.standing() == []


async def test_not_adopted_it_stays(making: Making) -> None:
    it = await making()
    before = it.theirs()
    await it.machines_go()
    assert it.theirs() == before


async def test_an_adopted_attachment_is_detached_once_no_rule_is_for_it(making: Making) -> None:
    it = await making()
    vm1, vm2 = it.estate.vm_id("vm1"), it.estate.vm_id("vm2")
    ran = await it.adopt("--yes", scope=str(vm1))
    assert ran.lines[-1] == "adopt: 2 of 2 adopted"
    await it.no_longer_for_them()
    assert (attached(it.estate, vm1), attached(it.estate, vm2)) == ([], ["id-shared"])


async def test_what_the_app_has_not_looked_at_yet_is_claimed_for_who_needs_it(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await making()
    for table in (it.estate.tables.grants, it.estate.tables.resources):
        for row in [row async for row in entries(table)]:
            await table.delete(row.partition, row.key)
    await it.adopt("--yes")
    await pass_time(it.estate)
    row = await it.row()
    assert (row.ours, row.assignment_id) == (True, it.theirs().id)
    await it.machines_go()
    assert it.standing() == []


# Whose it is afterwards.


async def test_what_its_owner_changes_is_theirs_for_good(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    it.described(BY_TERRAFORM)
    await sweep(it.estate)
    assert not (await it.row()).ours
    await it.machines_go()
    assert it.theirs().description == BY_TERRAFORM


async def test_what_its_owner_writes_into_it_makes_it_theirs(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    written = (it.theirs().description or "").replace(BY_TERRAFORM, "by ops: leave it")
    it.described(written)
    await sweep(it.estate)
    assert not (await it.row()).ours
    await it.machines_go()
    assert it.theirs().description == written


async def test_an_identity_that_its_owner_took_off_and_attached_again_is_theirs(
    making: Making,
) -> None:
    """Right after the adoption, while the rule observes: Lanyard attaches nothing meanwhile."""
    it = await making()
    vm1 = it.estate.vm_id("vm1")
    shared = identity_id(it.estate.subscription, "id-shared")
    await it.adopt("--yes")
    await deploy(it.estate, replace(RULES, options={"mode": "observe"}))
    block = {"type": "UserAssigned", "userAssignedIdentities": {shared: {}}}
    for identity in ({"type": "None"}, block):
        await patch(it.estate, vm1, identity=identity)
        await pass_time(it.estate)
    await deploy(it.estate, RULES)
    await it.no_longer_for_them()
    assert attached(it.estate, vm1) == ["id-shared"]
    assert attached(it.estate, it.estate.vm_id("vm2")) == []


async def test_what_its_owner_made_anew_is_theirs(making: Making) -> None:
    """As Terraform does where a description has changed: it deletes and makes."""
    it = await making()
    await it.adopt("--yes")
    gone = it.theirs()
    state = it.estate.azure.state.role_assignments
    del state[gone.id.lower()]
    another = it.estate.azure.assign(
        gone.principal_id, "Reader", it.group, description=BY_TERRAFORM
    )
    await sweep(it.estate)
    await it.machines_go()
    assert it.theirs() == another


async def test_what_its_owner_deletes_is_given_again_and_counted(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    await pass_time(it.estate, HOUR)
    await revoke(it.estate, it.theirs())
    await sweep(it.estate)
    made = it.theirs()
    row = await it.row()
    assert (made.description, row.adopted) == (stamp(INSTALLATION), "")
    assert len(row.moments.taken_at) == 1, "the activity log has it under its own name"


async def test_a_condition_that_somebody_changes_is_put_back_beside_its_description(
    making: Making,
) -> None:
    it = await making()
    await it.adopt("--yes")
    adopted = it.theirs()
    state = it.estate.azure.state.role_assignments
    state[adopted.id.lower()] = replace(adopted, condition=SHOP, condition_version="2.0")
    await sweep(it.estate)
    assert as_it_was(it.theirs()) == as_it_was(adopted)
    assert len((await it.row()).moments.taken_at) == 1


async def test_a_description_that_is_copied_adopts_nothing(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    copied = it.estate.azure.assign(
        principal(it.estate, "id-shared"),
        "Reader",
        f"{it.estate.scope}/resourceGroups/rg-identities",
        description=it.theirs().description,
    )
    await sweep(it.estate)
    await it.machines_go()
    assert it.standing() == [copied]


async def test_it_is_known_again_after_the_tables_were_lost(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    await pass_time(it.estate)
    for table in (it.estate.tables.grants, it.estate.tables.resources):
        for row in [row async for row in entries(table)]:
            await table.delete(row.partition, row.key)
    await sweep(it.estate)
    await pass_time(it.estate, HOUR)
    assert (await it.row()).assignment_id == it.theirs().id
    await it.no_longer_for_them()
    await sweep(it.estate)
    assert it.standing() == []
    assert attached(it.estate, it.estate.vm_id("vm1")) == ["id-shared"], "whoever attached it"


async def test_one_that_nothing_needs_goes_after_the_tables_were_lost(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    await pass_time(it.estate)
    for table in (it.estate.tables.grants, it.estate.tables.resources):
        for row in [row async for row in entries(table)]:
            await table.delete(row.partition, row.key)
    for name in ("vm1", "vm2"):
        await it.estate.delete_vm(name)
    it.estate.new_events()  # lost
    for _ in range(2):  # the first puts it on record
        await sweep(it.estate)
        await pass_time(it.estate, HOUR)
    assert it.standing() == []


async def test_a_sweep_finishes_what_did_not_come_to_be_on_record(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await making()
    before = await it.row()
    await it.adopt("--yes")
    await it.estate.tables.grants.put(before.row.partition, before.row.key, dict(before.row.values))
    assert not (await it.row()).ours
    await sweep(it.estate)
    row = await it.row()
    assert (row.ours, row.assignment_id) == (True, it.theirs().id)


async def test_its_removal_can_be_undone_and_that_withdrawn(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    adopted = it.theirs()
    await it.no_longer_for_them()
    await pass_time(it.estate, HOUR)
    assert it.standing() == []
    removed = json.loads((await it.desk.app("history", "--removals", "--json")).out)
    (decision,) = [each["id"] for each in removed["decisions"] if "raw" in each["removed"]]
    assert (await it.desk.app("undo", decision)).code == OK
    said = Stamp.of(it.theirs().description or "")
    assert it.theirs().id == adopted.id
    assert said is not None
    assert said.put_back
    await sweep(it.estate)
    assert (await it.desk.app("undo", "--withdraw", decision)).code == OK
    assert it.theirs().description == adopted.description
    await sweep(it.estate)
    await pass_time(it.estate, HOUR)
    assert it.standing() == []


# What is released.


@pytest.mark.parametrize(
    "description",
    [BY_TERRAFORM, None, "", ' "quoted"; and blank ', "two\nlines", stamp(ANOTHER_INSTALLATION)],
    ids=["text", "none", "empty", "quoted", "lines", "another installation's"],
)
async def test_released_it_is_as_it_was_to_the_letter(
    making: Making, description: str | None
) -> None:
    it = await making(RULES, description)
    before = it.theirs()
    assert (await it.adopt("--yes")).code == OK
    await pass_time(it.estate, HOUR)
    released = await it.adopt("--release", "--yes")
    assert (released.code, released.lines[-1]) == (OK, "adopt: 3 of 3 released")
    assert as_it_was(it.theirs()) == as_it_was(before)
    assert not (await it.row()).ours
    await sweep(it.estate)
    await it.no_longer_for_them()
    assert [attached(it.estate, it.estate.vm_id(name)) for name in ("vm1", "vm2")] == [
        ["id-shared"]
    ] * 2
    await it.machines_go()
    assert as_it_was(it.theirs()) == as_it_was(before)


async def listing_is_late(it: Adopter) -> None:
    """Resource Graph shows nothing of what is done from now on."""
    it.estate.azure.state.behaviour.resource_graph_lag_seconds = 240
    await pass_time(it.estate, HOUR)


async def earlier_installations(it: Adopter) -> RoleAssignment:
    """It has the name that Lanyard gives, and another installation made it."""
    found = it.theirs()
    del it.estate.azure.state.role_assignments[found.id.lower()]
    it.estate.azure.assign(
        found.principal_id,
        "Reader",
        it.group,
        name=Grant(found.scope, READER, found.principal_id).name,
        description=stamp(ANOTHER_INSTALLATION),
    )
    await sweep(it.estate)
    return it.theirs()


async def test_one_under_lanyards_name_is_released_though_the_listing_is_late(
    making: Making,
) -> None:
    it = await making()
    before = await earlier_installations(it)
    await listing_is_late(it)
    await it.adopt("--yes")
    released = await it.adopt("--release", "--yes")
    assert (released.code, released.lines[-1]) == (OK, "adopt: 3 of 3 released")
    assert as_it_was(it.theirs()) == as_it_was(before)


async def test_one_that_was_on_no_record_is_released_though_the_listing_is_late(
    making: Making,
) -> None:
    it = await making()
    before = it.theirs()
    for table in (it.estate.tables.grants, it.estate.tables.resources):
        for row in [row async for row in entries(table)]:
            await table.delete(row.partition, row.key)
    await listing_is_late(it)
    await it.adopt("--yes")
    released = await it.adopt("--release", "--yes")
    assert (released.code, released.lines[-1]) == (OK, "adopt: 3 of 3 released")
    assert as_it_was(it.theirs()) == as_it_was(before)
    await it.machines_go()
    assert as_it_was(it.theirs()) == as_it_was(before)


async def test_what_is_released_while_the_app_is_about_to_take_it_stays(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await making()
    vm1 = it.estate.vm_id("vm1")
    await it.adopt("--yes")
    await pass_time(it.estate, HOUR)
    asked: list[Ran] = []

    async def released_first(
        actions: Sequence[Action], progress: Progress, services: Services
    ) -> list[Action]:
        if not asked and any(isinstance(each, DetachIdentity) for each in actions):
            asked.append(await it.adopt("--release", "--yes"))
        return await not_lost(actions, progress, services)

    monkeypatch.setattr(apply, "not_lost", released_first)
    await it.no_longer_for_them()
    assert [each.code for each in asked] == [OK]
    assert attached(it.estate, vm1) == ["id-shared"]
    assert attached(it.estate, it.estate.vm_id("vm2")) == ["id-shared"]


async def test_release_shows_first_what_it_would_release(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    before = it.theirs()
    ran = await it.adopt("--release", "--dry-run")
    assert (ran.code, ran.lines[-1]) == (CHANGES, "adopt: 3 to be released")
    assert ran.out.count("would be released") == 3
    items = await it.items("--release", "--dry-run")
    assert sorted((each["kind"], each["whose"]) for each in items) == [
        ("assignment", "Lanyard's; before: 'by Terraform'"),
        ("attachment", ""),
        ("attachment", ""),
    ]
    assert it.theirs() == before


async def test_what_lanyard_gave_itself_is_not_released(making: Making) -> None:
    it = await making()
    del it.estate.azure.state.role_assignments[it.theirs().id.lower()]
    await sweep(it.estate)
    assert it.theirs().description == stamp(INSTALLATION)
    ran = await it.adopt("--release", "--yes")
    assert (ran.code, ran.lines) == (OK, ["adopt: 0 of 0 released"])


async def test_one_that_lanyard_attached_again_is_its_own(making: Making) -> None:
    it = await making()
    vm1 = it.estate.vm_id("vm1")
    await it.adopt("--yes")
    await pass_time(it.estate)
    await patch(it.estate, vm1, identity={"type": "None"})
    await pass_time(it.estate)
    assert attached(it.estate, vm1) == ["id-shared"]
    items = await it.items("--release", "--dry-run")
    attachments = [each["resources"] for each in items if each["kind"] == "attachment"]
    assert attachments == [[str(it.estate.vm_id("vm2"))]]


async def test_one_released_and_adopted_again(making: Making) -> None:
    it = await making()
    for arguments in (["--yes"], ["--release", "--yes"], ["--yes"]):
        assert (await it.adopt(*arguments)).code == OK
    said = Stamp.of(it.theirs().description or "")
    assert said is not None
    assert said.adoption is not None
    assert said.adoption.before == BY_TERRAFORM


async def test_explain_says_that_it_was_adopted(making: Making) -> None:
    it = await making()
    await it.adopt("--yes")
    where = ["explain", it.theirs().id, "--policy", str(it.desk.policy)]
    ran = await it.desk.app(*where)
    assert any(line.endswith("  Lanyard's, adopted") for line in ran.lines)
    (shown,) = json.loads((await it.desk.app(*where, "--json")).out)["assignments"]
    assert (shown["madeByLanyard"], shown["adopted"]) == (True, True)


@pytest.mark.parametrize("name", [TERRAFORMS, "Lanyard's"], ids=["its own name", "Lanyard's"])
async def test_uninstall_leaves_alone_what_was_adopted(making: Making, name: str) -> None:
    it = await making()
    if name != TERRAFORMS:
        await earlier_installations(it)
        await listing_is_late(it)
    await it.adopt("--yes")
    await pass_time(it.estate)
    before = it.theirs()
    where = AppOptions(STORAGE, it.estate.app.object_id, INSTALLATION)
    async with connect.app(AzureOptions(), where) as app:
        uninstall = Uninstall(app.services())
        given = await uninstall.given()
        failures = await uninstall.take_back(
            grants=True, attachments=True, progress=lambda *_: None
        )
    assert (given.grants, given.attachments, len(given.adopted)) == ((), (), 3)
    assert (failures.grants, failures.attachments) == ({}, {})
    assert it.theirs() == before
    assert attached(it.estate, it.estate.vm_id("vm1")) == ["id-shared"]


# What is not to be adopted.


async def refusal(it: Adopter, kind: str = "assignment") -> str:
    found = [each for each in await it.items("--dry-run") if each["kind"] == kind]
    return str(found[0]["refused"])


async def test_another_condition_is_not_what_the_policy_gives(making: Making) -> None:
    it = await making()
    found = it.theirs()
    state = it.estate.azure.state.role_assignments
    state[found.id.lower()] = replace(found, condition=SHOP, condition_version="2.0")
    assert (await refusal(it)).startswith("it stands on another condition: '@Resource")
    ran = await it.adopt("--yes")
    assert (ran.code, ran.lines[-1]) == (OK, "adopt: 2 of 2 adopted, 1 not")
    assert it.theirs().description == BY_TERRAFORM


async def test_a_description_that_cannot_be_kept_whole(making: Making) -> None:
    it = await making(RULES, "x" * 1000)
    assert "too long to be kept" in await refusal(it)
    await it.adopt("--yes")
    assert it.theirs().description == "x" * 1000


async def test_what_a_person_had_put_back(making: Making) -> None:
    it = await making(RULES, put_back_stamp(INSTALLATION))
    assert "a person had it put back" in await refusal(it)


async def test_what_only_an_observing_rule_asks_for(making: Making) -> None:
    it = await making()
    await it.deploy(replace(RULES, options={"mode": "observe"}))
    assert "is in mode observe" in await refusal(it)
    assert "is in mode observe" in await refusal(it, "attachment")


async def test_a_role_that_the_policy_does_not_allow(making: Making) -> None:
    it = await making()
    await it.deploy(replace(RULES, role="Owner"))
    it.estate.azure.assign(principal(it.estate, "id-shared"), "Owner", it.group)
    assert "is privileged" in await refusal(it)


async def test_what_an_exclude_only_keeps_is_not_given(making: Making) -> None:
    it = await making()
    await it.deploy(replace(RULES, match=f"{RULES.match}, exclude: {{tags: {{lanyard: ignore}}}}"))
    for name in ("vm1", "vm2"):
        await patch(it.estate, it.estate.vm_id(name), tags={**PROD, "lanyard": "ignore"})
    assert await it.items("--dry-run") == []


async def test_an_identity_that_was_made_again_since(making: Making) -> None:
    it = await making()
    it.estate.azure.state.resources.pop(identity_id(it.estate.subscription, "id-shared").lower())
    await make_identity(it.estate, "id-shared")
    assert "was deleted or made again" in await refusal(it, "attachment")


# Errors.


async def test_another_policy_than_the_apps_is_refused(making: Making) -> None:
    it = await making()
    it.desk.write_policy(replace(RULES, role="Contributor").text(it.estate.subscription))
    ran = await it.adopt("--yes")
    assert (ran.code, ran.out) == (ERROR, "")
    assert "the app works by another policy (" in ran.err


async def test_nobody_is_asked_where_nobody_can_answer(making: Making) -> None:
    it = await making()
    before = it.theirs()
    ran = await it.adopt("--json")
    assert ran.code == ERROR
    assert "nothing was changed: nobody can be asked here; --yes does it unasked" in ran.err
    assert it.theirs() == before


async def test_a_scope_is_taken_as_it_is_shown(making: Making) -> None:
    it = await making()
    whole = await it.adopt("--dry-run", "--json", scope=it.desk.group)
    named = await it.adopt("--dry-run", "--json", scope="rg-app")
    assert (named.code, json.loads(named.out)) == (CHANGES, json.loads(whole.out))


async def test_what_is_no_scope(making: Making) -> None:
    it = await making()
    ran = await it.adopt(scope="rg-ap")
    assert (ran.code, ran.out) == (ERROR, "")
    assert "'rg-ap' is no resource id, and nothing that can be read is called so" in ran.err


async def test_what_is_not_there(making: Making) -> None:
    it = await making()
    ran = await it.adopt("--dry-run", scope=str(it.estate.vm_id("vm3")))
    assert (ran.code, ran.lines) == (ERROR, ["adopt: 0 to be adopted"])
    assert "rg-app/virtualMachines/vm3: it does not exist" in ran.err


async def test_who_may_not_write_it_changes_nothing(making: Making) -> None:
    it = await making()
    before = it.theirs()
    state = it.estate.azure.state.role_assignments
    for key, each in [*state.items()]:
        if each.principal_id == it.desk.person.object_id and "f58310d9" in each.role_definition_id:
            del state[key]
    ran = await it.adopt("--yes")
    assert ran.code == ERROR
    assert "does not have authorization" in ran.err
    assert it.theirs() == before
    assert ran.lines[-1] == "adopt: 2 of 3 adopted"


async def test_what_changed_since_it_was_shown_is_left_alone(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await making()

    def asked(question: str, *, yes: bool, json: bool) -> None:
        assert question == "adopt: make Lanyard's 3 items?"
        it.described("somebody else's by now")

    monkeypatch.setattr("lanyard.cli.adopt.command.confirm", asked)
    ran = await it.adopt()
    assert ran.code == ERROR
    assert "it is not what was shown any more: look again" in ran.err
    assert it.theirs().description == "somebody else's by now"
