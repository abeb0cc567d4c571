"""Look-ups in scopes: what the policy's table has for a tag, or any other variable."""

import pytest

from lanyard.planning.desired import desired
from lanyard.policy import PolicyError
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.resource_id import ResourceId
from tests.support.estate import parsed

GROUP = "/subscriptions/{subscription}/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
TABLES = "{vault: {payments: kv-pay, Search: kv-search-2, westeurope: kv-we}}"


def text(scope: str, tables: str = TABLES, more: str = "") -> str:
    return (
        f"version: 1\nvars: {tables}\nidentities:\n"
        '  own: {name: "id-{resource.hash}", per: resource}\n'
        "rules:\n  - name: all\n    match: {types: [Microsoft.Web/sites]}\n    attach: [own]\n"
        f'    grant: [{{role: Key Vault Secrets User, scope: "{scope}", to: own}}]\n{more}'
    )


def site(**tags: str) -> ComputeResource:
    where = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
    id_ = ResourceId.parse(f"{where}/providers/Microsoft.Web/sites/app1")
    return ComputeResource(id=id_, location="westeurope", tags=tags, identity=Identity())


def scopes(policy: str, resource: ComputeResource) -> list[str]:
    wanted = desired(parsed(policy), resource)
    assert not wanted.unfulfillable, wanted.unfulfillable
    return [grant.scope.rpartition("/")[2] for grant in wanted.grants]


@pytest.mark.parametrize(
    ("name", "tags", "found"),
    [
        ("{vars.vault[tags.team]}", {"team": "payments"}, "kv-pay"),
        ("{vars.vault[tags.team]}", {"Team": "SEARCH"}, "kv-search-2"),
        ("x-{vars.vault[tags.team]}-{location}", {"team": "search"}, "x-kv-search-2-westeurope"),
        ("{vars.vault[location]}", {}, "kv-we"),
    ],
)
def test_what_the_table_has_stands_in_the_scope(
    name: str, tags: dict[str, str], found: str
) -> None:
    assert scopes(text(f"{VAULT}/{name}"), site(**tags)) == [found]


def test_names_of_tables_and_tags_may_have_a_slash() -> None:
    scope = f"{VAULT}/{{vars.a/b[tags.c/d]}}-{{tags.c/d}}"
    assert scopes(text(scope, "{a/b: {x: kv}}"), site(**{"c/d": "x"})) == ["kv-x"]


def test_a_look_up_by_what_no_tag_chooses_may_be_a_group() -> None:
    scope = "/subscriptions/{subscription}/resourceGroups/{vars.vault[location]}"
    assert scopes(text(scope), site()) == ["kv-we"]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"team": "nobody"}, "vars.vault has nothing for 'nobody', which tags.team is here"),
        ({}, "the resource has no tag 'team'"),
    ],
)
def test_what_is_not_in_it_is_told_and_nothing_is_given(tags: dict[str, str], reason: str) -> None:
    wanted = desired(parsed(text(f"{VAULT}/{{vars.vault[tags.team]}}")), site(**tags))
    assert (wanted.grants, len(wanted.identities)) == ((), 1)
    assert [problem.reason for problem in wanted.unfulfillable] == [reason]


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (f"{VAULT}/{{vars.vaults[tags.team]}}", "did you mean 'vault'"),
        (f"{VAULT}/{{vars.vault}}", "is no look-up; write {vars.TABLE[tags.KEY]}"),
        (f"{VAULT}/{{vars.vault[team]}}", "unknown variable {team}"),
        (f"{VAULT}/{{vars.vault[vars.vault[location]]}}", "is no look-up"),
        (
            "/subscriptions/{subscription}/resourceGroups/{vars.vault[tags.team]}",
            "a tag may only be part of a resource's name",
        ),
        (f"{GROUP}/providers/Microsoft.KeyVault/{{vars.vault[tags.team]}}/x", "a tag may only be"),
    ],
)
def test_a_look_up_that_cannot_be(scope: str, reason: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parsed(text(scope))
    assert reason in str(refused.value)


@pytest.mark.parametrize("value", ["a/b", "../x", "{x}", "a?b"])
def test_a_value_that_leaves_its_place_is_refused(value: str) -> None:
    with pytest.raises(PolicyError, match="cannot be part of a name in a scope"):
        parsed(text(f"{VAULT}/x", f'{{vault: {{a: "{value}"}}}}'))


def test_keys_that_are_one_are_refused() -> None:
    with pytest.raises(PolicyError, match="look-ups have no case: 'PAY' is 'pay'"):
        parsed(text(f"{VAULT}/x", "{vault: {pay: a, PAY: b}}"))


def test_it_stands_in_scopes_only() -> None:
    policy = text(f"{VAULT}/x").replace("id-{resource.hash}", "id-{vars.vault[location]}")
    with pytest.raises(PolicyError, match="may stand in scopes only"):
        parsed(policy)


def test_what_a_table_has_is_part_of_the_version() -> None:
    first = parsed(text(f"{VAULT}/{{vars.vault[location]}}"))
    assert (
        first.digest
        != parsed(text(f"{VAULT}/{{vars.vault[location]}}", TABLES.replace("kv-we", "k"))).digest
    )
