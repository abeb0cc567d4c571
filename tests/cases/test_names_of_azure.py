"""Cases of names: whatever can stand in a name of Azure can stand in a scope, as itself.
What would break an id is refused, and what whoever tags a resource writes reaches none of it.
"""

import pytest

from lanyard.policy import PolicyError
from lanyard.policy.load import parse_policy
from lanyard.values.resource_id import ResourceId
from simulator.state import Resource
from tests.support.cases import (
    MACHINE_TYPE,
    Rules,
    attached,
    begun,
    held,
    hours,
    identity_id,
    pass_time,
    roles,
)
from tests.support.estate import Estate
from tests.support.examples import SUBSCRIPTION

STORAGE = "resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/data"
CONTAINER = f"{STORAGE}/blobServices/default/containers"
#: Names that Azure takes: of a container, a consumer group, a DNS record, a route, a database.
NAMES = [
    "$web",
    "$Default",
    "@",
    "*",
    "*.example",
    "~1",
    "a,b+c;d",
    "two words",
    "[x]",
    "[!a-z]",
    "(x)",
    "a&b=c",
    "it's",
    'so "so"',
    "a|b",
    "a:b",
    "é-я",
    "!^`<>",
]
BREAKING = {
    "a%2Fb",
    "a?b",
    "a#b",
    "a\\\\b",
    "a\\tb",
    "a\\0b",
    "a\\u0085b",
    "a\\u2028b",
    "..",
    ".",
    "",
    " a",
    "a ",
    "a\\u00a0",
    "{x",
}


def with_scope(scope: str) -> str:
    return f"""
version: 1
mode: full
identities: {{main: {{id: {identity_id(SUBSCRIPTION, "id-old")}}}}}
rules:
  - name: one
    match: {{types: [{MACHINE_TYPE}]}}
    attach: [main]
    grant: [{{role: Reader, scope: {scope}, to: main}}]
"""


def quoted(text: str) -> str:
    """In YAML."""
    return text.replace("'", "''")


@pytest.mark.parametrize("name", NAMES)
async def test_case_C24_a_role_is_given_at_a_scope_of_any_name_and_goes_again(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The text of `Rules` has the scope in double quotes.
    written = name.replace('"', '\\"')
    scope = f"/subscriptions/{{subscription}}/{CONTAINER}/{written}"
    estate = await begun(monkeypatch, Rules(scope=scope), "id-old")
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]
    assert await held(estate) == {}
    found = [one.scope for one in estate.azure.state.role_assignments.values()]
    assert f"{estate.scope}/{CONTAINER}/{name}" in found
    assert (await estate.sweeps.run()).drifted == 0
    await estate.delete_vm("vm1")
    await hours(estate, 2)
    assert roles(estate, "id-old") == []


@pytest.mark.parametrize("name", sorted(BREAKING), ids=repr)
@pytest.mark.parametrize("place", ["/x", ""], ids=["inside", "at the end"])
def test_case_C24_what_breaks_an_id_is_refused(name: str, place: str) -> None:
    scope = f'"/subscriptions/{SUBSCRIPTION}/{CONTAINER}/{name}{place and "/blobs/x"}"'
    if not name and not place:
        scope = f'"/subscriptions/{SUBSCRIPTION}/{CONTAINER}/"'
    with pytest.raises(PolicyError, match=r"is no scope|not closed|cannot be seen"):
        parse_policy("lanyard.yaml", with_scope(scope))


@pytest.mark.parametrize("name", ["$web", "two words", "[x]", "a,b", "rg-*", "~"])
@pytest.mark.parametrize(
    "scope",
    [
        "resourceGroups/{}",
        "resourceGroups/{}/providers/Microsoft.Storage/storageAccounts/data",
        "resourceGroups/rg-app/providers/{}/storageAccounts/data",
        "resourceGroups/rg-app/providers/Microsoft.Storage/{}/data",
        "resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/data/{}/x",
        "resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/data/providers/{}/a/b",
    ],
)
def test_case_C24_groups_providers_and_types_stay_as_strict_as_they_were(
    name: str, scope: str
) -> None:
    text = with_scope(f'"/subscriptions/{SUBSCRIPTION}/{scope.format(name)}"')
    with pytest.raises(PolicyError, match="is no scope"):
        parse_policy("lanyard.yaml", text)


@pytest.mark.parametrize("value", ["$web", "*", "two words", "[x]", "a,b", "@", "~"])
async def test_case_C24_a_tag_brings_no_such_name_into_a_scope(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    scope = f"/subscriptions/{{subscription}}/{CONTAINER}/{{tags.data}}"
    estate = await begun(monkeypatch, Rules(scope=scope), "id-old")
    await estate.create_vm("vm1", tags={"data": value})
    await hours(estate, 1)
    assert roles(estate, "id-old") == []
    (entry,) = (await held(estate)).values()
    assert "'data' cannot be part of a name" in entry.refusal.reason


#: A scope, a pattern, and whether the one lies in the other.
PATTERNS = [
    ("[x]", "[x]", True),
    ("[x]", "x", False),
    ("x", "[x]", False),
    ("a", "[!b]", False),
    ("[!b]", "[!B]", True),
    ("$web", "$*", True),
    ("$web", "*", True),
    ("two words", "two *", True),
    ("*", "*", True),
    ("a*b", "a*", True),
]


@pytest.mark.parametrize(("name", "pattern", "fits"), PATTERNS)
async def test_case_C24_only_a_star_is_a_wildcard_of_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, pattern: str, fits: bool
) -> None:
    scope = f"/subscriptions/{{subscription}}/{CONTAINER}/{name}"
    allowed = f"/subscriptions/*/{CONTAINER}/{pattern}"
    allow = f"privileged: {{allow: [{{role: Owner, scopes: ['{allowed}']}}]}}\n"
    estate = await begun(monkeypatch, Rules(role="Owner", scope=scope, more=allow), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert roles(estate, "id-old") == (["Owner"] if fits else [])


@pytest.mark.parametrize("name", ["it's", "a' or id != '", "two words", "vm[1]", "a|b", "$vm"])
async def test_case_C24_a_resource_of_any_name_is_found_served_and_forgotten(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    other = await estate.create_vm("other")
    vm = of_any_name(estate, other, name)
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]
    assert await estate.services.index.shows(vm)
    assert (await estate.ledger.resource(vm)).id == vm
    assert vm in [
        found async for found in estate.ledger.under(ResourceId.parse(vm.resource_group_id))
    ]
    del estate.azure.state.resources[vm.key]
    assert not await estate.services.index.shows(vm)
    await hours(estate, 2)
    assert [record.id async for record in estate.ledger.records()] == [other]


def of_any_name(estate: Estate, like: ResourceId, name: str) -> ResourceId:
    """A machine that the simulated Compute would not make: its names are of few characters."""
    made = estate.azure.state.resources[like.key]
    vm = ResourceId.parse(f"{like.text.rpartition('/')[0]}/{name}")
    estate.azure.state.resources[vm.key] = Resource(
        vm.text, made.type, name, made.location, {}, dict(made.properties)
    )
    return vm


async def test_case_C24_a_policy_for_such_a_scope_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules(
        match=f"scopes: ['/subscriptions/*/resourceGroups/*/providers/{MACHINE_TYPE}/[x]']"
    )
    estate = await begun(monkeypatch, rules, "id-old")
    vm = await estate.create_vm("x")
    bracketed = of_any_name(estate, vm, "[x]")
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert attached(estate, bracketed) == ["id-old"]
