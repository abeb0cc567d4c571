"""An app whose body does not show whom its identity is: nothing is given until it does."""

from typing import Any

import pytest

from tests.support.cases import NOTHING, begun, create, hours, look, pass_time
from tests.support.compute_examples import CONTAINER_APP, SITE, Example
from tests.support.estate import Estate

NOBODY = "00000000-0000-0000-0000-000000000000"
POLICY = """
version: 1
mode: full
identities: {{main: {{name: "id-main-{{location}}", resourceGroup: rg-identities}}}}
rules:
  - name: all
    match: {{types: [{type}]}}
    {has}
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: {to}}}]
"""
SYSTEM = {"has": "system: true", "to": "system"}
SHARED = {"has": "attach: [main]", "to": "main"}
each_way = pytest.mark.parametrize(
    "left_out",
    [{}, {"principalId": None}, {"principalId": ""}, {"principalId": NOBODY}],
    ids=["missing", "null", "empty", "zeros"],
)
each_app = pytest.mark.parametrize("app", [SITE, CONTAINER_APP], ids=str)


def given(estate: Estate) -> list[str]:
    """Whom Readers at the group are."""
    assignments = estate.azure.state.role_assignments.values()
    return [each.principal_id for each in assignments if each.scope.endswith("/rg-app")]


async def nothing_goes_out(estate: Estate) -> None:
    """No write of an assignment, whatever became of it."""
    assert [each for each in estate.app_calls() if each.startswith("PUT roleAssignments")] == []
    assert given(estate) == []


@each_app
@each_way
async def test_a_system_assigned_identity_without_a_principal_is_given_nothing_yet(
    monkeypatch: pytest.MonkeyPatch, app: Example, left_out: dict[str, Any]
) -> None:
    estate = await begun(monkeypatch, NOTHING)
    made = await create(estate, app, identity={"type": "SystemAssigned"})
    whole = estate.azure.state.resources[made.key].identity or {}
    shown = {name: each for name, each in whole.items() if name != "principalId"}
    estate.azure.state.resources[made.key].identity = {**shown, **left_out}
    estate.change_policy(POLICY.format(type=app.type, **SYSTEM))
    await look(estate, made)
    await nothing_goes_out(estate)
    estate.azure.state.resources[made.key].identity = whole
    await pass_time(estate, 60)
    assert given(estate) == [whole["principalId"]]


@each_app
@each_way
async def test_an_attached_identity_without_a_principal_is_given_what_it_is_itself(
    monkeypatch: pytest.MonkeyPatch, app: Example, left_out: dict[str, Any]
) -> None:
    estate = await begun(monkeypatch, POLICY.format(type=app.type, **SHARED))
    made = await create(estate, app)
    await pass_time(estate, 60)
    (whose,) = given(estate)
    block = estate.azure.state.resources[made.key].identity or {}
    (identity,) = block["userAssignedIdentities"]
    block["userAssignedIdentities"][identity] = left_out
    await look(estate, made)
    await hours(estate, 2)
    assert given(estate) == [whose]


@each_way
async def test_an_identity_that_shows_no_principal_of_its_own_is_given_nothing_yet(
    monkeypatch: pytest.MonkeyPatch, left_out: dict[str, Any]
) -> None:
    estate = await begun(monkeypatch, NOTHING, "id-main-westeurope")
    (made,) = [
        one for one in estate.azure.state.resources.values() if one.name == "id-main-westeurope"
    ]
    whole = made.properties
    shown = {name: each for name, each in whole.items() if name != "principalId"}
    made.properties = {**shown, **left_out}
    app = await create(estate, SITE)
    estate.change_policy(POLICY.format(type=SITE.type, **SHARED))
    await look(estate, app)
    await nothing_goes_out(estate)
    made.properties = whole
    await pass_time(estate, 60)
    assert given(estate) == [whole["principalId"]]
