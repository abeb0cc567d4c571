import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.planning.desired import NOTHING, desired
from lanyard.planning.needs import needs_grant, needs_identity
from lanyard.policy.load import parse_policy
from lanyard.policy.templates import TemplateProblem, fill_scope
from lanyard.values.compute import ComputeResource, Identity, SystemAssigned, UserAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from tests.support.examples import GROUP, SUBSCRIPTION, identity_id, vm, vm_id

BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
SHARED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shared"
VAULT = SHARED + "/providers/Microsoft.KeyVault/vaults/kv-{tags.team}"

POLICY = parse_policy(
    "test.yaml",
    f"""
version: 1
identities:
  regional: {{name: "id-{{location}}", resourceGroup: rg-identities}}
  fixed: {{id: {identity_id("id-fixed")}}}
rules:
  - name: prod
    match:
      types: [microsoft.compute/virtualmachines]
      scopes: ["/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-*"]
      locations: [WestEurope]
      tags: {{Env: prod, owner: "*"}}
      exclude: {{tags: {{lanyard: ignore}}}}
    attach: [regional]
    system: true
    grant:
      - {{role: Storage Blob Data Reader, scope: "{{resourceGroup}}", to: regional}}
      - {{role: Reader, scope: "{{resource}}", to: system}}
  - name: everybody
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [regional, fixed]
    grant:
      - {{role: Storage Blob Data Reader, scope: "{{resourceGroup}}", to: regional}}
      - {{role: Key Vault Secrets User, scope: "{VAULT}", to: fixed}}
""",
)
TAGS = {"env": "PROD", "Owner": "me", "team": "pay"}
REGIONAL = identity_id(
    "id-westeurope", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-identities"
)


def test_rules_add_up_and_a_thing_wanted_twice_is_wanted_once_for_both_rules() -> None:
    wanted = desired(POLICY, vm(tags=TAGS))
    assert set(wanted.identities) == {REGIONAL, identity_id("id-fixed")}
    assert wanted.identities[REGIONAL].rules == ("prod", "everybody")
    assert wanted.identities[REGIONAL].location == "westeurope"
    assert wanted.identities[identity_id("id-fixed")].location is None
    assert wanted.system == ("prod",)
    assert [(grant.role_id, grant.scope, grant.to) for grant in wanted.grants] == [
        (BLOB_READER, GROUP, UserAssigned(REGIONAL)),
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", vm_id().text, SystemAssigned()),
        (
            "4633458b-17de-408a-b874-0445c86b69e6",
            VAULT.replace("{tags.team}", "pay"),
            UserAssigned(identity_id("id-fixed")),
        ),
    ]
    assert wanted.grants[0].rules == ("prod", "everybody")


def test_a_resource_that_is_gone_wants_nothing() -> None:
    assert desired(POLICY, None) == NOTHING


@pytest.mark.parametrize(
    "resource",
    [
        vm(tags={**TAGS, "env": "test"}),
        vm(tags={"env": "prod"}),
        vm(tags={**TAGS, "Lanyard": "Ignore"}),
        vm(tags=TAGS, location="northeurope"),
        ComputeResource(
            id=vm_id(group=GROUP.replace("rg-", "x-")),
            location="westeurope",
            tags=TAGS,
            identity=Identity(),
        ),
    ],
    ids=["other tag", "tag missing", "excluded", "other location", "other group"],
)
def test_a_rule_whose_conditions_do_not_all_fit_is_not_for_the_resource(
    resource: ComputeResource,
) -> None:
    assert not desired(POLICY, resource).system


def test_a_star_does_not_reach_over_a_slash() -> None:
    policy = parse_policy(
        "t",
        f"version: 1\nrules:\n  - name: r\n    system: true\n    match:\n"
        f"      types: [Microsoft.Compute/virtualMachines]\n"
        f"      scopes: ['/subscriptions/{SUBSCRIPTION}/resourceGroups/*-app']\n",
    )
    assert desired(policy, vm()).system
    sneaky = ComputeResource(
        id=vm_id("x-app", GROUP + "-2"), location="westeurope", tags={}, identity=Identity()
    )
    assert not desired(policy, sneaky).system


def test_a_part_that_a_tag_cannot_fill_is_told_and_the_rest_is_done() -> None:
    wanted = desired(POLICY, vm(tags={}))
    assert [problem.rule for problem in wanted.unfulfillable] == ["everybody"]
    assert "no tag 'team'" in wanted.unfulfillable[0].reason
    assert set(wanted.identities) == {REGIONAL, identity_id("id-fixed")}
    assert len(wanted.grants) == 1


EXCLUDING = f"""
version: 1
identities:
  main: {{id: {identity_id("id-fixed")}}}
rules:
  - name: apps
    match: {{types: [Microsoft.Compute/virtualMachines], exclude: {{tags: {{lanyard: ignore}}}}}}
    attach: [main]
    restart: avoid
    grant: [{{role: Key Vault Secrets User, scope: "{VAULT}", to: main}}]
"""


@pytest.mark.parametrize("team", [{}, {"team": "pay"}])
def test_what_of_an_excluding_rule_is_not_known_is_kept_apart(team: dict[str, str]) -> None:
    policy = parse_policy("test.yaml", EXCLUDING)
    wanted = desired(policy, vm(tags={"lanyard": "ignore", **team}))
    assert (wanted.identities, wanted.grants, wanted.unfulfillable) == ({}, (), ())
    assert (len(wanted.kept.grants), len(wanted.kept.unfilled)) == ((1, 0) if team else (0, 1))
    assert not wanted.restart_accepted
    anything = identity_id("id-anything")
    assert needs_identity(wanted, anything) is not bool(team)
    grant = Grant(GROUP, BLOB_READER, "p-1")
    assert needs_grant(wanted, vm(), {}, grant) is not bool(team)
    assert not needs_grant(wanted, None, {}, grant)


def test_conditions_that_differ_between_excluding_rules_are_known() -> None:
    excluded = "exclude: {tags: {lanyard: ignore}}, types: [Microsoft.Compute/virtualMachines]"
    text = NAMESAKES.replace("types: [Microsoft.Compute/virtualMachines]", excluded)
    kept = desired(parse_policy("test.yaml", text), vm(tags={"lanyard": "ignore"})).kept
    assert (len(kept.grants), kept.unfilled) == (2, ())


NAMESAKES = f"""
version: 1
identities:
  one: {{name: id-same, resourceGroup: rg-one, per: [subscription]}}
  two: {{name: id-same, resourceGroup: rg-two, per: [subscription]}}
rules:
  - name: plain
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [one, two]
    grant:
      - {{role: Reader, scope: "{{resourceGroup}}", to: one}}
      - {{role: Reader, scope: "{{resourceGroup}}", to: two}}
  - name: narrow
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [one, two]
    grant:
      - {{role: Reader, scope: "{GROUP}", to: one, condition: "@Resource[x] exists"}}
      - {{role: Reader, scope: "{GROUP}", to: two, condition: "@Resource[x] exists"}}
"""


def test_what_two_identities_of_one_name_cannot_have_has_two_keys() -> None:
    wanted = desired(parse_policy("test.yaml", NAMESAKES), vm())
    (part,) = {problem.part for problem in wanted.unfulfillable}
    assert "Reader" in part
    assert (
        sorted(problem.rule for problem in wanted.unfulfillable) == ["narrow"] * 2 + ["plain"] * 2
    )
    assert len({problem.key for problem in wanted.unfulfillable}) == 4
    assert all(grant.contradicted for grant in wanted.grants)


@given(st.text(max_size=80))
def test_no_tag_value_moves_a_scope_elsewhere(value: str) -> None:
    try:
        scope = fill_scope(VAULT, vm(tags={"team": value}))
    except TemplateProblem:
        return
    parsed = ResourceId.parse(scope)
    assert parsed.resource_group_id == SHARED
    assert parsed.type == "Microsoft.KeyVault/vaults"
    assert parsed.name == "kv-" + value


@pytest.mark.parametrize(
    "value", ["a/b", "../x", "", "a b", "é", "a.b", "x'or'1", "{location}", "-"]
)
def test_a_tag_that_is_no_name_is_refused(value: str) -> None:
    with pytest.raises(TemplateProblem, match="tag 'team'"):
        fill_scope(VAULT, vm(tags={"team": value}))
