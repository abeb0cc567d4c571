"""Cases of the app's own identity: whoever has it is Lanyard. No rule gives it away, whatever it is
called, and none gives it more.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.app.policy_source import DeliveredPolicy
from lanyard.policy import Mode, PolicyError, load_policy
from lanyard.ports.policy import Fetched
from lanyard.record.last_good_policy import LastGood
from lanyard.record.ledger import ResourceRecord
from lanyard.values.errors import Because
from lanyard.values.own_identity import Dedicated, creation_tags
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Fault
from simulator.state import Principal
from tests.support.cases import (
    IDENTITY_TYPE,
    MACHINE_TYPE,
    MINUTE,
    Rules,
    adopt,
    attached,
    begun,
    create,
    exists,
    held,
    hours,
    own,
    pass_time,
    patch,
    roles,
)
from tests.support.compute_examples import CLUSTER, SITE
from tests.support.desk import Desk
from tests.support.estate import INSTALLATION, Estate

OWN = "id-lanyard"


async def lanyards(
    monkeypatch: pytest.MonkeyPatch, rules: Rules | str = "version: 1\n", name: str = OWN
) -> Estate:
    """The app works as an identity of this name in rg-app: as far as it knows, by its principal."""
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    options = estate.azure.client_options(estate.operator)
    msi = ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)
    made = await msi.user_assigned_identities.create_or_update(
        "rg-app", name, Identity(location="westeurope")
    )
    state, before = estate.azure.state, estate.app
    estate.app = state.principals[str(made.principal_id)]
    assert isinstance(estate.app, Principal)
    for assignment in [*state.role_assignments.values()]:
        if assignment.principal_id == before.object_id:
            role = assignment.role_definition_id.rpartition("/")[2]
            estate.azure.assign(estate.app.object_id, role, assignment.scope)
    estate.platform.directory.grant_permission(estate.app.object_id)
    estate.restart()
    await adopt(estate, rules)
    return estate


def named(estate: Estate, name: str = OWN) -> str:
    return f"{estate.scope}/resourceGroups/rg-app/providers/{IDENTITY_TYPE}/{name}"


def rights_of(estate: Estate) -> list[tuple[str, str]]:
    found = estate.azure.state.role_assignments.values()
    mine = [one for one in found if one.principal_id == estate.app.object_id]
    return sorted((one.scope, one.role_definition_id) for one in mine)


async def the_held(estate: Estate, action: str) -> str:
    entry = (await held(estate))[action]
    assert entry.refusal.because is Because.OWN_IDENTITY
    assert not entry.refusal.releasable
    return entry.refusal.reason


@pytest.mark.parametrize(
    "spec",
    [
        "{id: OWN}",
        "{id: UPPER}",
        "{name: id-lanyard, resourceGroup: rg-app, per: [subscription]}",
        "{name: ID-Lanyard, resourceGroup: RG-APP, per: [subscription]}",
        '{name: id-lanyard, resourceGroup: "{resourceGroup}", per: [subscription]}',
    ],
)
async def test_case_B11_however_a_policy_names_it_no_machine_gets_it(
    monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    estate = await lanyards(monkeypatch)
    before = rights_of(estate)
    identity = spec.replace("OWN", named(estate)).replace("UPPER", named(estate).upper())
    vm = await estate.create_vm("vm1")
    await adopt(estate, Rules(identity=identity))
    await hours(estate, 2)
    assert attached(estate, vm) == []
    assert rights_of(estate) == before
    (attach,) = [one for one in await held(estate) if one.startswith("attach identity")]
    assert "is Lanyard's own identity" in await the_held(estate, attach)
    assert (await estate.sweeps.run()).drifted == 0, "held, and looked at no more"


async def test_case_B11_an_identity_of_a_machine_whose_name_comes_to_it_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await lanyards(monkeypatch, Rules(identity=own()))
    before = rights_of(estate)
    vm = await estate.create_vm("lanyard")
    await hours(estate, 2)
    assert attached(estate, vm) == []
    assert rights_of(estate) == before
    assert "attach identity id-lanyard" in await held(estate)
    await estate.delete_vm("lanyard")
    await hours(estate, 4)
    assert exists(estate, OWN)


async def test_case_B11_nor_where_one_answer_of_arm_misses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = "{name: id-lanyard, resourceGroup: rg-app, per: [subscription]}"
    estate = await lanyards(monkeypatch, Rules(identity=spec))
    before = rights_of(estate)
    vm = await estate.create_vm("vm1")
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    fault = Fault(method="GET", path=f"{OWN}$", status=404, code="ResourceNotFound", times=2)
    estate.azure.faults.add(fault)
    await pass_time(estate, MINUTE)
    assert fault.hits
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert rights_of(estate) == before
    assert await the_held(estate, "attach identity id-lanyard")


async def test_case_B11_a_role_for_it_is_held_where_a_person_attached_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await lanyards(monkeypatch)
    before = rights_of(estate)
    vm = await estate.create_vm("vm1", identity=block(named(estate)))
    await adopt(estate, Rules(identity=f"{{id: {named(estate)}}}", role="Key Vault Reader"))
    await hours(estate, 2)
    assert attached(estate, vm) == [OWN], "theirs"
    assert rights_of(estate) == before
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.OWN_IDENTITY


def block(identity: str) -> dict[str, Any]:
    return {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}


async def test_case_B11_the_app_itself_gets_nothing_by_a_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await lanyards(monkeypatch)
    app = await create(estate, SITE)
    await patch(estate, app, identity=block(named(estate)))
    text = f"""
version: 1
mode: full
identities: {{main: {{id: {named(estate, "id-old").replace("rg-app", "rg-identities")}}}}}
rules:
  - name: sites
    match: {{types: [Microsoft.Web/sites]}}
    attach: [main]
    system: true
    grant:
      - {{role: Reader, scope: "{{resourceGroup}}", to: main}}
      - {{role: Reader, scope: "{{resourceGroup}}", to: system}}
"""
    await adopt(estate, text)
    await hours(estate, 2)
    assert attached(estate, app) == [OWN]
    shown = estate.azure.state.resources[app.key].identity or {}
    assert shown["type"] == "UserAssigned"
    assert roles(estate, "id-old") == []
    reasons = {entry.refusal.because for entry in (await held(estate)).values()}
    assert reasons == {Because.OWN_IDENTITY}
    assert "what it is given, Lanyard would have" in await the_held(
        estate, "attach identity id-old"
    )


async def test_case_B11_nor_does_its_own_identity_take_anothers_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await lanyards(monkeypatch)
    other = named(estate, "id-old").replace("rg-app", "rg-identities")
    cluster = await create(estate, CLUSTER, identity=block(other))
    rules = Rules(
        type=CLUSTER.type, identity=f"{{id: {named(estate)}}}", options={"replace": "accept"}
    )
    await adopt(estate, rules)
    await hours(estate, 1)
    assert attached(estate, cluster) == ["id-old"]
    assert Because.OWN_IDENTITY in {e.refusal.because for e in (await held(estate)).values()}


@pytest.mark.parametrize("shown", [False, True], ids=["used where nobody sees", "the app's site"])
async def test_case_B11_it_does_not_go_with_a_machine_whose_name_comes_to_it(
    monkeypatch: pytest.MonkeyPatch, *, shown: bool
) -> None:
    estate = await lanyards(monkeypatch, Rules(identity=own(0)))
    if shown:
        app = await create(estate, SITE)
        await patch(estate, app, identity=block(named(estate)))
    vm = await estate.create_vm("lanyard")
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    fault = Fault(method="GET", path=f"{OWN}$", status=404, code="ResourceNotFound", times=2)
    estate.azure.faults.add(fault)
    await pass_time(estate, MINUTE)
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    assert fault.hits == 2
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert "lanyard-resource" not in tags_of(estate, OWN)
    assert (await estate.ledger.resource(vm)).dedicated == {}
    before = rights_of(estate)
    await estate.delete_vm("lanyard")
    await hours(estate, 4)
    assert exists(estate, OWN)
    assert rights_of(estate) == before
    assert "delete identity id-lanyard" not in await held(estate)


def tags_of(estate: Estate, name: str) -> dict[str, str]:
    return next(one.tags for one in estate.azure.state.resources.values() if one.name == name)


async def test_case_B11_nor_whatever_is_on_record_and_in_its_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await lanyards(monkeypatch, Rules(identity=own(0)))
    vm = await estate.create_vm("lanyard")
    await hours(estate, 1)
    it = ResourceId.parse(named(estate))
    tags_of(estate, OWN).update(creation_tags(vm.text, INSTALLATION))

    def recorded(record: ResourceRecord) -> ResourceRecord:
        return replace(record, dedicated={it: Dedicated("", 0.0)})

    await estate.ledger.update(vm, recorded)
    await estate.delete_vm("lanyard")
    await hours(estate, 4)
    assert exists(estate, OWN)


# Where the file alone shows it

ID = ResourceId.parse(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-lanyard/providers/"
    f"{IDENTITY_TYPE}/id-lanyard-westeurope"
)


def policy(tmp_path: Path, spec: str) -> Path:
    file = tmp_path / "lanyard.yaml"
    file.write_text(
        f"version: 1\nidentities:\n  main: {spec}\n"
        f"rules: [{{name: r, match: {{types: [{MACHINE_TYPE}]}}, attach: [main]}}]\n"
    )
    return file


NAMES_IT = [
    f"{{id: {ID}}}",
    f"{{id: {ID.text.upper()}}}",
    f"{{id: {ID}/}}",
    "{name: id-lanyard-westeurope, resourceGroup: rg-lanyard, per: [subscription]}",
    "{name: ID-lanyard-WestEurope, resourceGroup: RG-Lanyard, per: [subscription]}",
    '{name: "id-lanyard-{location}", resourceGroup: rg-lanyard}',
]
DOES_NOT = [
    f"{{id: {ID}2}}",
    f"{{id: {ID.text.replace('11111111-', '21111111-')}}}",
    '{name: "id-lanyard-{location}", resourceGroup: rg-lanyard2}',
    '{name: "id-lanyard-{location}-x", resourceGroup: rg-lanyard}',
    '{name: "id-{resource.name}", per: resource}',
]


@pytest.mark.parametrize("spec", NAMES_IT)
def test_case_B11_a_file_that_names_it_is_refused(tmp_path: Path, spec: str) -> None:
    file = policy(tmp_path, spec)
    with pytest.raises(
        PolicyError, match=r"lanyard.yaml:3:\d+: id-lanyard-westeurope is Lanyard's own"
    ):
        load_policy(file, ID)
    assert load_policy(file), "who does not know which identity is the app's cannot say"


@pytest.mark.parametrize("spec", DOES_NOT)
def test_case_B11_another_one_is_fine(tmp_path: Path, spec: str) -> None:
    assert load_policy(policy(tmp_path, spec), ID)


async def test_case_B11_a_delivered_version_that_names_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    text = f"version: 1\nidentities: {{main: {{id: {ID}}}}}\n"

    async def fetch(_version: str) -> Fetched:
        return Fetched(text, text)

    good, now = LastGood(estate.tables.control), estate.azure.clock.now
    await good.save("version: 1\nmode: add-only\n")
    source = DeliveredPolicy("blob", fetch, good, estate.services.decisions, now, ID)
    assert (await source.current()).mode is Mode.ADD_ONLY, "the last good one"
    (reason,) = [one.reason for one in await estate.recorded() if one.action == "policy refused"]
    assert "is Lanyard's own identity" in reason


async def test_case_B11_the_command_line_says_so_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    estate = await lanyards(monkeypatch)
    desk = Desk(tmp_path, monkeypatch, capsys, estate=estate)
    vm = await estate.create_vm("vm1")
    desk.write_policy(Rules(identity=f"{{id: {named(estate)}}}").text(estate.subscription))
    for command in ("validate", "rights"):
        ran = await desk.lanyard(command, "--app-identity", named(estate), str(desk.policy))
        assert ran.code == 1
        assert "is Lanyard's own identity" in ran.out + ran.err
    ran = await desk.plan("--app-principal", estate.app.object_id, vm.text)
    assert "is Lanyard's own identity: whoever has it is Lanyard" in ran.out
    assert ran.code == 0, "nothing would be done"
