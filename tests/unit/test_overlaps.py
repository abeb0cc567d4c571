"""Two rules with an identity each, for a type that has one: where a resource may fit both."""

import pytest

from lanyard.policy.document import Policy
from lanyard.policy.load import parse_policy
from lanyard.policy.overlaps import overlaps

CLUSTERS = "Microsoft.ContainerService/managedClusters"
MACHINES = "Microsoft.Compute/virtualMachines"
SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"


def policy(first: str, second: str, *, type: str = CLUSTERS, attach: str = "[b]") -> Policy:
    """A rule for each match, with an identity each."""
    text = f"""
version: 1
mode: full
identities:
  a: {{name: "id-a-{{location}}", resourceGroup: rg}}
  b: {{name: "id-b-{{location}}", resourceGroup: rg}}
rules:
  - {{name: one, match: {{types: [{CLUSTERS}]{first}}}, attach: [a]}}
  - {{name: two, match: {{types: [{type}]{second}}}, attach: {attach}}}
"""
    return parse_policy("policy.yaml", text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ", tags: {env: prod}"),
        (", tags: {env: prod}", ""),
        (", tags: {team: a}", ", tags: {env: prod}"),
        (", tags: {env: '*'}", ", tags: {env: prod}"),
        (", tags: {env: [test, prod]}", ", tags: {ENV: pr*}"),
        (f", scopes: [{SUB}]", f", scopes: [{SUB}/resourceGroups/rg-a]"),
        (f", scopes: [{SUB}/resourceGroups/rg-*]", f", scopes: [{SUB}/resourceGroups/RG-a]"),
        (", names: [aks-*]", ", names: ['*-prod']"),
        (", locations: [westeurope]", ", locations: [WestEurope, northeurope]"),
        (", exclude: {tags: {env: test}}", ", tags: {env: prod}"),
    ],
)
def test_two_that_may_meet_are_named(first: str, second: str) -> None:
    ((path, message),) = overlaps(policy(first, second))
    assert path == ("rules", 1, "match")
    assert "'one'" in message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (", tags: {env: test}", ", tags: {ENV: prod}"),
        (", tags: {env: [test, dev]}", ", tags: {ENV: [prod, 'p*']}"),
        (", tags: {env: [prod, test]}", ", exclude: {tags: {env: ['*']}}"),
        (f", scopes: [{SUB}/resourceGroups/rg-a]", f", scopes: [{SUB}/resourceGroups/rg-b]"),
        (", names: [aks-a*]", ", names: [aks-b]"),
        (", resourceGroups: [rg-a]", ", resourceGroups: [rg-b]"),
        (", locations: [westeurope]", ", locations: [northeurope]"),
        (", exclude: {tags: {env: prod}}", ", tags: {env: prod}"),
        (", tags: {env: prod}", ", exclude: {tags: {env: prod}}"),
    ],
)
def test_two_that_never_meet_are_none(first: str, second: str) -> None:
    assert list(overlaps(policy(first, second))) == []


def test_nor_are_two_for_one_identity_or_for_types_that_have_many() -> None:
    assert list(overlaps(policy("", ", tags: {env: prod}", attach="[a]"))) == []
    assert list(overlaps(policy("", "", type=MACHINES))) == []
