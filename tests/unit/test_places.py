"""Which groups a rule names, and where it leads beyond them."""

import pytest

from lanyard.desk.places import Place, given, made, matched
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy

ONE, TWO = (f"{digit * 8}-1111-1111-1111-111111111111" for digit in "12")
AT_ONE = f"/subscriptions/{ONE}"


def policy(match: str, identity: str = 'name: "id-{location}", resourceGroup: rg-i') -> Policy:
    text = f"""
version: 1
identities: {{i: {{{identity}}}}}
rules:
  - name: r
    match: {{types: [Microsoft.Compute/virtualMachines], {match}}}
    attach: [i]
"""
    return parse_policy("lanyard.yaml", text)


def shown(places: frozenset[Place]) -> set[tuple[str, str]]:
    return {(place.group, place.subscription) for place in places}


@pytest.mark.parametrize(
    ("match", "places"),
    [
        ("locations: [westeurope]", {("", "*")}),
        ("resourceGroups: [rg-A, rg-b]", {("rg-a", "*"), ("rg-b", "*")}),
        ("resourceGroups: [rg-a, rg-*]", {("rg-a", "*"), ("", "*")}),
        (f"scopes: [{AT_ONE}]", {("", ONE)}),
        (f"scopes: [{AT_ONE}/resourceGroups/RG-a]", {("rg-a", ONE)}),
        (f"scopes: [{AT_ONE}/resourceGroups/rg-*]", {("", ONE)}),
        ('scopes: ["/subscriptions/*/resourceGroups/rg-a"]', {("rg-a", "*")}),
        (f"scopes: [{AT_ONE}], resourceGroups: [rg-a]", {("rg-a", ONE)}),
        (
            f"scopes: [{AT_ONE}/resourceGroups/rg-*], resourceGroups: [rg-a, other]",
            {("rg-a", ONE)},
        ),
        (f"scopes: [{AT_ONE}/resourceGroups/rg-a], resourceGroups: ['*']", {("rg-a", ONE)}),
        (f"subscriptions: [{ONE}, {TWO}], resourceGroups: [a]", {("a", ONE), ("a", TWO)}),
        (f"subscriptions: [{ONE}, shop-*], resourceGroups: [a]", {("a", "*")}),
        (f'subscriptions: [{ONE}, {TWO}], scopes: ["/subscriptions/1*"]', {("", ONE)}),
        (
            f"scopes: [{AT_ONE}/resourceGroups/rg-a/providers/Microsoft.Compute/*/*]",
            {("rg-a", ONE)},
        ),
    ],
)
def test_the_groups_of_a_match(match: str, places: set[tuple[str, str]]) -> None:
    (rule,) = policy(match).rules
    assert shown(matched(rule)) == places


VAULT = "providers/Microsoft.KeyVault/vaults/kv"
NAMED = f"scopes: [{AT_ONE}/resourceGroups/rg-a]"


@pytest.mark.parametrize(
    ("scope", "places"),
    [
        ("{resource}", {("rg-a", ONE)}),
        ("{resourceGroup}", {("rg-a", ONE)}),
        ("{subscription}", {("", ONE)}),
        (f"/subscriptions/{TWO}", {("", TWO)}),
        (f"/subscriptions/{TWO}/resourceGroups/RG-v/{VAULT}", {("rg-v", TWO)}),
        (f"/subscriptions/{{subscription}}/resourceGroups/rg-v/{VAULT}", {("rg-v", ONE)}),
        ("/subscriptions/{subscription}/resourceGroups/{resourceGroup}", {("rg-a", ONE)}),
        (f"/subscriptions/{TWO}/resourceGroups/{{resourceGroup}}/{VAULT}", {("rg-a", TWO)}),
        (f"/subscriptions/{{subscription}}/resourceGroups/rg-{{location}}/{VAULT}", {("", ONE)}),
    ],
)
def test_where_roles_are_given(scope: str, places: set[tuple[str, str]]) -> None:
    (rule,) = policy(NAMED).rules
    assert shown(given(rule, scope)) == places


@pytest.mark.parametrize(
    ("identity", "places"),
    [
        ('name: "id-{location}", resourceGroup: rg-I', {("rg-i", ONE)}),
        ('name: "id-{location}", resourceGroup: "{resourceGroup}"', {("rg-a", ONE)}),
        ('name: "id-{location}", resourceGroup: "rg-{location}"', {("", ONE)}),
        ('name: "id-{resource.name}", per: resource', {("rg-a", ONE)}),
    ],
)
def test_where_identities_are_made(identity: str, places: set[tuple[str, str]]) -> None:
    found = policy(NAMED, identity)
    (rule,) = found.rules
    assert shown(made(rule, found.identities["i"])) == places


def test_two_subscriptions_keep_their_groups() -> None:
    """Not every group in every subscription that is named."""
    both = f"scopes: [{AT_ONE}/resourceGroups/rg-a, /subscriptions/{TWO}/resourceGroups/rg-b]"
    (rule,) = policy(both).rules
    wanted = {("rg-a", ONE), ("rg-b", TWO)}
    assert shown(given(rule, "{resourceGroup}")) == wanted
    beside = policy(both, 'name: "id-{location}", resourceGroup: "{resourceGroup}"').identities["i"]
    assert shown(made(rule, beside)) == wanted


def test_a_place_is_in_the_subscriptions_that_fit() -> None:
    assert Place("rg-a", "1*").in_subscription(ONE) == f"{AT_ONE}/resourceGroups/rg-a"
    assert Place("rg-a", "1*").in_subscription(TWO) is None
    assert Place("", ONE).in_subscription(ONE) == AT_ONE
