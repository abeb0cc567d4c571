"""Cases of names and tags that whoever makes a resource chooses: they reach no scope, and no
identity that was not made for that very resource, whatever the policy calls it.
"""

import pytest

from lanyard.planning.desired import desired
from lanyard.policy import PolicyError
from lanyard.policy.load import parse_policy
from lanyard.policy.templates import scope_problem
from lanyard.values.errors import Because
from lanyard.values.roles import role_id
from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Fault
from tests.support.cases import (
    MACHINE_TYPE,
    MINUTE,
    adopt,
    attached,
    begun,
    held,
    hours,
    identity_id,
    pass_time,
    roles,
)
from tests.support.estate import Estate
from tests.support.examples import GROUP as EXAMPLE_GROUP
from tests.support.examples import identity_id as example_identity
from tests.support.examples import vm as example_vm

GROUP = "/subscriptions/{subscription}/resourceGroups"
VAULT = f"{GROUP}/rg/providers/Microsoft.KeyVault/vaults/kv"
CHOSEN = pytest.mark.parametrize("chosen", ["{resource.name}", "{tags.team}"])


# What the file alone shows


@CHOSEN
@pytest.mark.parametrize(
    "scope",
    [
        "/subscriptions/CHOSEN",
        f"{GROUP}/CHOSEN",
        f"{GROUP}/rg-CHOSEN",
        f"{GROUP}/rg-CHOSEN/providers/Microsoft.KeyVault/vaults/kv",
        f"{GROUP}/rg/providers/Microsoft.CHOSEN/vaults/kv",
        f"{GROUP}/rg/providers/Microsoft.KeyVault/CHOSEN/kv",
        f"{VAULT}/CHOSEN/x",
        f"{VAULT}/CHOSEN/Microsoft.Authorization/locks/x",
        f"{VAULT}/providers/Microsoft.CHOSEN/locks/x",
        f"{VAULT}/providers/Microsoft.Authorization/CHOSEN/x",
        f"{VAULT}/PROVIDERS/Microsoft.CHOSEN/locks/x",
    ],
)
def test_case_B01_what_a_maker_chooses_moves_no_scope(scope: str, chosen: str) -> None:
    assert "only be part of a resource's name" in str(
        scope_problem(scope.replace("CHOSEN", chosen))
    )


@CHOSEN
@pytest.mark.parametrize(
    "scope",
    [
        f"{GROUP}/rg/providers/Microsoft.KeyVault/vaults/kv-CHOSEN",
        f"{GROUP}/rg/providers/Microsoft.Storage/storageAccounts/stCHOSEN/blobServices/default",
        f"{VAULT}/secrets/CHOSEN",
        f"{VAULT}/providers/Microsoft.Authorization/locks/CHOSEN",
    ],
)
def test_case_B01_it_may_be_part_of_a_resources_name(scope: str, chosen: str) -> None:
    assert scope_problem(scope.replace("CHOSEN", chosen)) is None


@pytest.mark.parametrize(
    "spec",
    [
        'name: "id-{resource.name}", resourceGroup: rg, per: [subscription]',
        'name: "id-{resource.name}-{location}", resourceGroup: rg',
        'name: "id-{resourceGroup}-{location}", resourceGroup: rg',
        'name: "id-{resource.hash}-{location}", resourceGroup: rg',
        'name: "id-{location}", resourceGroup: rg, per: [subscription]',
        'name: "id-{tags.team}-{location}", resourceGroup: rg',
        'name: "id-{location}", resourceGroup: "rg-{resource.name}"',
        'name: "id-{location}", resourceGroup: "rg-{tags.team}"',
        'name: "id-{resource.hash}", resourceGroup: "rg-{resource.name}", per: resource',
        'name: "id-{resource.hash}", resourceGroup: "{tags.team}", per: resource',
    ],
)
def test_case_B01_nor_chooses_an_identity_or_its_group(spec: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy("lanyard.yaml", _policy(spec))


@pytest.mark.parametrize(
    "spec",
    [
        "name: id-all, resourceGroup: rg, per: [subscription]",
        'name: "id-{location}", resourceGroup: "{resourceGroup}"',
        'name: "id-{subscription}-{location}", resourceGroup: "rg-{location}"',
        'name: "id-{resource.hash}", resourceGroup: "rg-{resourceGroup}", per: resource',
    ],
)
def test_what_differs_only_as_the_file_says_is_fine(spec: str) -> None:
    assert parse_policy("lanyard.yaml", _policy(spec))


def _policy(spec: str) -> str:
    return (
        f"version: 1\nidentities: {{main: {{{spec}}}}}\n"
        f"rules: [{{name: r, match: {{types: [{MACHINE_TYPE}]}}, attach: [main]}}]\n"
    )


# An own identity under the name of one that others have

TWO = """
version: 1
mode: full
identities:
  own: {name: "id-{resource.name}", per: resource}
  shared: SHARED
rules:
  - name: own
    match: {types: [MACHINE]}
    attach: [own]
    imdsDefault: accept
    grant: [{role: Key Vault Secrets User, scope: "{resourceGroup}", to: own}]
  - name: served
    match: {types: [MACHINE], tags: {team: web}}
    attach: [shared]
    grant: [{role: Reader, scope: "{resourceGroup}", to: shared}]
orphans: {graceMinutes: 0}
"""
WEB = {"team": "web"}
SHARED = '{name: "id-web-{location}", resourceGroup: rg-app}'
BOTH = pytest.mark.parametrize("by_id", [False, True], ids=["made", "by id"])


def two(estate: Estate, *, by_id: bool = False) -> str:
    identity = identity_id(estate.subscription, "id-web-westeurope", "rg-app")
    shared = f"{{id: {identity}}}" if by_id else SHARED
    return TWO.replace("MACHINE", MACHINE_TYPE).replace("SHARED", shared)


@pytest.mark.parametrize("matched", [True, False], ids=["has both", "has its own alone"])
async def test_case_B02_what_is_for_one_machine_is_given_to_no_identity_that_others_have(
    monkeypatch: pytest.MonkeyPatch, matched: bool
) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    await adopt(estate, two(estate))
    first = await estate.create_vm("web1", tags=WEB)
    await pass_time(estate)
    second = await estate.create_vm("web-westeurope", tags=WEB if matched else {})
    await hours(estate, 2)
    assert attached(estate, first) == ["id-web-westeurope", "id-web1"]
    assert attached(estate, second) == (["id-web-westeurope"] if matched else [])
    assert roles(estate, "id-web-westeurope") == ["Reader"]
    reasons = [entry.refusal.reason for entry in (await held(estate)).values()]
    assert reasons
    assert all("is the identity 'shared' as well" in reason for reason in reasons)


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_case_B01_a_slash_at_the_end_of_its_id_makes_it_nobodys_own(slash: str) -> None:
    """The rule for the identity that others have comes first, and the machine has its name."""
    text = TWO.replace("MACHINE", MACHINE_TYPE).replace(
        "SHARED", f"{{id: {example_identity('id-vm1', EXAMPLE_GROUP)}{slash}}}"
    )
    own, served, end = map(text.index, ("  - name: own", "  - name: served", "orphans"))
    policy = parse_policy("lanyard.yaml", text[:own] + text[served:end] + text[own:served])
    wanted = desired(policy, example_vm(tags=WEB))
    assert [(one.id.name, one.dedicated) for one in wanted.identities.values()] == [
        ("id-vm1", False)
    ]
    assert [grant.role_id for grant in wanted.grants] == [role_id("Reader")]
    reasons = [problem.reason for problem in wanted.unfulfillable]
    assert len(reasons) == 2
    assert all("is the identity 'shared' as well" in reason for reason in reasons)


def test_two_ids_that_differ_in_a_slash_at_the_end_are_the_same_identity() -> None:
    one = example_identity("id-vm1", EXAMPLE_GROUP)
    text = f"version: 1\nidentities: {{first: {{id: {one}}}, second: {{id: {one}/}}}}\nrules: []\n"
    with pytest.raises(PolicyError, match="are the same identity"):
        parse_policy("lanyard.yaml", text)


@BOTH
async def test_case_B01_a_machines_own_identity_is_never_the_one_that_others_have(
    monkeypatch: pytest.MonkeyPatch, *, by_id: bool
) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    await adopt(estate, own_alone(estate))
    first = await estate.create_vm("web-westeurope", tags=WEB)
    await pass_time(estate)
    assert attached(estate, first) == ["id-web-westeurope"]
    await adopt(estate, two(estate, by_id=by_id))
    second = await estate.create_vm("web1", tags=WEB)
    await hours(estate, 2)
    assert attached(estate, second) == ["id-web1"]
    entry = (await held(estate))["attach identity id-web-westeurope"]
    assert entry.refusal.because is Because.ANOTHER_OWNER
    assert "was made for another resource alone" in entry.refusal.reason
    assert (await estate.sweeps.run()).drifted == 0


def own_alone(estate: Estate) -> str:
    """The policy before anybody needs the shared one."""
    rules = two(estate).partition("  - name: served")[0]
    return rules.replace(f"  shared: {SHARED}\n", "")


async def test_case_B01_its_tags_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    await adopt(estate, own_alone(estate))
    await estate.create_vm("web-westeurope")
    await pass_time(estate)
    estate.tables.identities.content.clear()
    await adopt(estate, two(estate))
    vm = await estate.create_vm("web1", tags=WEB)
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-web1"]


async def test_case_B01_once_neither_record_nor_tag_says_so_all_may_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    await adopt(estate, own_alone(estate))
    await estate.create_vm("web-westeurope", tags=WEB)
    await pass_time(estate)
    found = estate.azure.state.resources.values()
    (identity,) = [one for one in found if one.name == "id-web-westeurope"]
    identity.tags.pop("lanyard-resource")
    await adopt(estate, two(estate))
    vm = await estate.create_vm("web1", tags=WEB)
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-web-westeurope", "id-web1"]
    assert "attach identity id-web-westeurope" not in await held(estate)


async def test_case_B01_a_put_that_meets_it_leaves_it_that_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, "version: 1\n")
    await adopt(estate, own_alone(estate))
    first = await estate.create_vm("web-westeurope")
    await pass_time(estate)
    await adopt(estate, two(estate))
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    path, caller = "id-web-westeurope$", estate.app.object_id
    put = Fault(method="PUT", path=path, after=99)
    missed = Fault(
        method="GET", path=path, caller=caller, status=404, code="ResourceNotFound", times=2
    )
    estate.azure.faults.add(put)
    estate.azure.faults.add(missed)
    vm = await estate.create_vm("web1", tags=WEB)
    await pass_time(estate, MINUTE)
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    assert (missed.hits, put.spared) == (2, 2), "made once more, and its tags put back"
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-web1"]
    found = estate.azure.state.resources.values()
    (identity,) = [one for one in found if one.name == "id-web-westeurope"]
    assert identity.tags["lanyard-resource"] == first.key
