"""Cases of roles: what is privileged by its definition is held, what nobody knows says so."""

from dataclasses import replace

import pytest

from lanyard.planning.orders import Refusal
from lanyard.values.errors import Because
from simulator.faults import Fault
from simulator.state import RoleDefinition
from tests.support.cases import (
    Rules,
    adopt,
    attached,
    begun,
    held,
    hours,
    look,
    pass_time,
    principal,
    sweep,
)
from tests.support.estate import Estate

ROLE = "eeeeeeee-0000-0000-0000-000000000001"
SCOPE = "/subscriptions/*/resourceGroups/rg-app"
ALLOWED = f"privileged: {{allow: [{{role: {ROLE}, scopes: ['{SCOPE}']}}]}}\n"
HARMLESS = ["Microsoft.Storage/storageAccounts/read"]
GROUP, SUBSCRIPTION = "{resourceGroup}", "{subscription}"


def define(estate: Estate, *actions: str, but: tuple[str, ...] = ()) -> None:
    """The custom role, as it is from now on."""
    estate.azure.state.role_definitions[ROLE] = RoleDefinition(
        ROLE, "Custom", "", "CustomRole", [*actions], [*but], [], [], [estate.scope]
    )


async def serving(
    monkeypatch: pytest.MonkeyPatch, *actions: str, scope: str = GROUP, more: str = ""
) -> Estate:
    """vm1 under a rule that gives the custom role."""
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    define(estate, *actions)
    await adopt(estate, Rules(role=ROLE, scope=scope, more=more))
    await estate.create_vm("vm1")
    await pass_time(estate)
    return estate


async def refusals(estate: Estate) -> list[Refusal]:
    """What is held of vm1."""
    listed = (await held(estate)).values()
    return [entry.refusal for entry in listed if entry.resource == estate.vm_id("vm1")]


async def because(estate: Estate) -> list[Because]:
    return [refusal.because for refusal in await refusals(estate)]


def change_conditions(estate: Estate, condition: str) -> None:
    """Somebody binds what the rule's identity has to a condition."""
    of, assignments = principal(estate, "id-old"), estate.azure.state.role_assignments
    for key, each in [*assignments.items()]:
        if each.principal_id == of:
            assignments[key] = replace(each, condition=condition, condition_version="2.0")


def given(estate: Estate) -> int:
    """How many assignments the rule's identity has."""
    return len(estate.assignments(of=principal(estate, "id-old")))


@pytest.mark.parametrize(
    ("actions", "scope", "is_held"),
    [
        (["Microsoft.Authorization/roleDefinitions/write"], GROUP, True),
        (["Microsoft.Authorization/roleAssignmentScheduleRequests/write"], GROUP, True),
        (["Microsoft.Authorization/elevateAccess/action"], GROUP, True),
        (["Microsoft.Authorization/denyAssignments/delete"], GROUP, True),
        (["*/write"], SUBSCRIPTION, True),
        (["Microsoft.Compute/*", "*/read"], SUBSCRIPTION, False),
        (["Microsoft.Authorization/roleAssignments/read"], GROUP, False),
    ],
)
async def test_case_B08_what_can_hand_out_rights_is_held(
    monkeypatch: pytest.MonkeyPatch, actions: list[str], scope: str, is_held: bool
) -> None:
    estate = await serving(monkeypatch, *actions, scope=scope)
    assert await because(estate) == ([Because.PRIVILEGED] if is_held else [])
    assert bool(given(estate)) is not is_held


async def test_case_B08_a_clone_of_contributor_is_held_at_the_subscription_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    define(estate, "*", but=("Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"))
    await adopt(estate, Rules(role=ROLE, scope=SUBSCRIPTION))
    await estate.create_vm("vm1")
    await pass_time(estate)
    (refusal,) = await refusals(estate)
    assert "is privileged by Microsoft.Authorization/elevateAccess/action" in refusal.reason
    define(
        estate,
        "*",
        but=(
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    )
    estate.azure.clock.advance(300)
    await look(estate, estate.vm_id("vm1"))
    (refusal,) = await refusals(estate)
    assert "is privileged by *:" in refusal.reason
    await adopt(estate, Rules(role=ROLE, scope=GROUP))
    assert await because(estate) == []
    assert given(estate) == 1


async def test_case_B09_a_role_that_becomes_privileged_is_noticed_within_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await serving(monkeypatch, *HARMLESS)
    assert given(estate) == 1
    define(estate, "Microsoft.Authorization/*")
    await pass_time(estate, 300)
    await estate.create_vm("vm2")
    await look(estate, estate.vm_id("vm1"))
    (refusal,) = await refusals(estate)
    assert refusal.because is Because.PRIVILEGED
    assert "stands, and is privileged by" in refusal.reason
    assert given(estate) == 1


async def look_between_sweeps(estate: Estate) -> list[str]:
    """What the app looks at every five minutes; the reads of the role that it took."""
    estate.app_calls()
    assert await estate.sweeps.run_for_new_policy() is None
    calls = [call for call in estate.app_calls() if f"roleDefinitions/{ROLE}" in call]
    await pass_time(estate, 300)
    return calls


@pytest.mark.parametrize("watched", [1, 3])
async def test_case_B09_a_role_that_becomes_privileged_is_held_without_any_event(
    monkeypatch: pytest.MonkeyPatch, watched: int
) -> None:
    estate = await serving(monkeypatch, *HARMLESS)
    others = [estate.azure.state.add_subscription(f"other{n}").id for n in range(1, watched)]
    for other in others:  # where nobody may use it
        path = f"{other}/.*roleDefinitions/{ROLE}"
        code = "RoleDefinitionDoesNotExist"
        estate.azure.faults.add(Fault(method="GET", path=path, status=404, code=code, times=None))
        estate.azure.assign(estate.app.object_id, "Reader", f"/subscriptions/{other}")
    await sweep(estate)
    await pass_time(estate, 300)  # what the look at vm1 read is not known any more
    for _ in range(watched):
        assert len(await look_between_sweeps(estate)) == 1
    assert await because(estate) == []
    define(estate, "Microsoft.Authorization/*")
    assert len(await look_between_sweeps(estate)) == 1
    (refusal,) = await refusals(estate)
    assert refusal.because is Because.PRIVILEGED
    assert "stands, and is privileged by" in refusal.reason
    await look_between_sweeps(estate)
    assert len([each for each in await estate.recorded() if each.outcome == "held"]) == 1


@pytest.mark.parametrize("more", ["", ALLOWED], ids=["harmless", "allowed"])
async def test_case_B09_nobody_is_looked_at_for_a_change_that_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    estate = await serving(monkeypatch, *HARMLESS, more=more)
    await look_between_sweeps(estate)
    define(estate, "Microsoft.Authorization/*" if more else "Microsoft.Compute/*/read")
    await estate.sweeps.run_for_new_policy()
    assert estate.queue.messages == []


async def test_case_B09_the_sweep_finds_what_stands_and_may_not_be_given_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await serving(monkeypatch, "Microsoft.Authorization/*", more=ALLOWED)
    assert given(estate) == 1
    assert await because(estate) == []
    await adopt(estate, Rules(role=ROLE))
    assert await because(estate) == [Because.PRIVILEGED]
    assert given(estate) == 1  # nothing is taken from who works with it
    await sweep(estate)
    assert await because(estate) == [Because.PRIVILEGED]
    await adopt(estate, Rules(role=ROLE, more=ALLOWED))
    assert await because(estate) == []


@pytest.mark.parametrize(
    "role", ["00000000-0000-0000-0000-000000000002", "acdd72a7-3385-48ef-bd42-f606fba81ae8"]
)
@pytest.mark.parametrize("allow", ["", "privileged: {allow: [{role: ROLE, scopes: ['/']}]}\n"])
async def test_case_B19_a_role_that_does_not_exist_is_called_that(
    monkeypatch: pytest.MonkeyPatch, role: str, allow: str
) -> None:
    more = allow.replace("ROLE", role).replace("'/'", f"'{SCOPE}'")
    estate = await begun(monkeypatch, Rules(role=f"{role}", more=more), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    (refusal,) = await refusals(estate)
    assert refusal.because is Because.ROLE
    assert refusal.reason.endswith(
        "no role has this id here; Cosmos DB's data roles are no roles of Azure RBAC"
    )
    assert "privileged" not in f"{refusal.reason} {refusal.release}"
    assert attached(estate, estate.vm_id("vm1")) == ["id-old"]  # all else goes on
    assert given(estate) == 0


async def test_case_B19_a_role_that_may_not_be_read_is_called_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    define(estate, *HARMLESS)
    estate.azure.faults.add(
        Fault(status=403, code="AuthorizationFailed", times=None, path=f"roleDefinitions/{ROLE}")
    )
    await adopt(estate, Rules(role=ROLE))
    await estate.create_vm("vm1")
    await pass_time(estate)
    (refusal,) = await refusals(estate)
    assert refusal.because is Because.ROLE
    assert refusal.reason.endswith("its definition may not be read")
    assert given(estate) == 0
    await adopt(estate, Rules(role=ROLE, more=ALLOWED))  # whatever it allows, it may be given
    assert await because(estate) == []
    assert given(estate) == 1


async def test_a_definition_is_read_once_in_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await serving(monkeypatch, *HARMLESS)
    read = f"roleDefinitions/{ROLE}"
    assert len([call for call in estate.app_calls() if read in call]) == 1
    for name in ("vm2", "vm3", "vm4"):
        await estate.create_vm(name)
    await pass_time(estate)
    assert [call for call in estate.app_calls() if read in call] == []


async def two_subscriptions(
    monkeypatch: pytest.MonkeyPatch, turned: bool, status: int, code: str
) -> Estate:
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    other = estate.azure.state.add_subscription("other").id
    define(estate, *HARMLESS)
    path = f"{other}/.*roleDefinitions/{ROLE}"
    estate.azure.faults.add(Fault(method="GET", path=path, status=status, code=code, times=None))
    scopes = ["{resourceGroup}", f"/subscriptions/{other}/resourceGroups/rg-x"]
    grants = [f'{{role: {ROLE}, scope: "{each}", to: main}}' for each in scopes]
    text = Rules().text(estate.subscription)
    before = text[text.index("grant: [") : text.index("]\n", text.index("grant: [")) + 1]
    wanted = ", ".join(reversed(grants) if turned else grants)
    await adopt(estate, text.replace(before, f"grant: [{wanted}]"))
    return estate


@pytest.mark.parametrize("turned", [False, True])
async def test_case_B19_a_role_is_judged_where_it_is_given(
    monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    estate = await two_subscriptions(monkeypatch, turned, 404, "RoleDefinitionDoesNotExist")
    define(estate, "Microsoft.Authorization/*")
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert set(await because(estate)) == {Because.PRIVILEGED, Because.ROLE}


async def test_case_B19_what_cannot_be_read_here_is_given_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await two_subscriptions(monkeypatch, False, 403, "AuthorizationFailed")
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert len(estate.assignments(of=principal(estate, "id-old"))) == 1


@pytest.mark.parametrize("cluster", ["aks", "providers"])
async def test_case_B08_a_name_hides_nothing(monkeypatch: pytest.MonkeyPatch, cluster: str) -> None:
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    binds = ["Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/*"]
    estate.azure.state.role_definitions[ROLE] = RoleDefinition(
        ROLE, "Binds", "", "CustomRole", [], [], binds, [], [estate.scope]
    )
    clusters = "providers/Microsoft.ContainerService/managedClusters/{tags.cluster}"
    scope = f"{estate.scope}/resourceGroups/rg-app/{clusters}/namespaces/{{tags.ns}}"
    await adopt(estate, Rules(role=ROLE, scope=scope))
    await estate.create_vm("vm1", tags={"cluster": cluster, "ns": "x"})
    await pass_time(estate)
    assert estate.assignments(of=principal(estate, "id-old")) == []


async def test_case_B09_what_an_excluded_machine_keeps_is_looked_at_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = "exclude: {tags: {lanyard: ignore}}"
    scopes = "['/subscriptions/*/resourceGroups/rg-app']"
    allow = f"privileged: {{allow: [{{role: Owner, scopes: {scopes}}}]}}\n"
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    await adopt(estate, Rules(role="Owner", match=out, more=allow))
    vm1 = await estate.create_vm("vm1")
    await pass_time(estate)
    estate.azure.state.resources[vm1.key].tags = {"lanyard": "ignore"}
    await look(estate, vm1)
    await adopt(estate, Rules(role="Owner", match=out))
    await hours(estate, 1)
    assert given(estate) == 1
    assert set(await because(estate)) == {Because.PRIVILEGED}


@pytest.mark.parametrize(
    ("role", "how"),
    [("Reader", ""), ("Owner", "stands on another condition, and ")],
    ids=["new", "given before"],
)
async def test_case_B09_what_stands_on_another_condition_is_listed_as_standing(
    monkeypatch: pytest.MonkeyPatch, role: str, how: str
) -> None:
    """Somebody changes the condition of a privileged grant that may not be given any more."""
    allow = f"privileged: {{allow: [{{role: Owner, scopes: ['{SCOPE}']}}]}}\n"
    estate = await begun(monkeypatch, Rules(role=role, more=allow), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    await adopt(estate, Rules(role="Owner"))
    change_conditions(estate, "@Resource[a:b] StringEquals 'c'")
    await sweep(estate)
    (refusal,) = [e for e in await refusals(estate) if e.because is Because.PRIVILEGED]
    assert f"rg-app {how}is privileged by " in refusal.reason
    assert given(estate) == 1
