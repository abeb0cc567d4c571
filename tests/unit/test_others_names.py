"""Names of identities of one resource that come to one which others have: shown where they can, and
nowhere else.
"""

import pytest

from lanyard.policy.load import parse_policy
from lanyard.policy.others_names import names_of_others

VM, SLOT = "Microsoft.Compute/virtualMachines", "Microsoft.Web/sites/slots"
SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
BY_ID = f"id: {SUB}/resourceGroups/RG-ids/providers/{IDENTITY}/ID-pay"
REGIONAL = 'name: "id-pay-{location}", resourceGroup: rg-ids'
SAME_GROUP = 'name: "id-pay-{location}", resourceGroup: "{resourceGroup}"'


def found(own: str, shared: str, match: str = f"types: [{VM}]") -> list[str]:
    text = (
        f"version: 1\nidentities:\n  own: {{{own}, per: resource}}\n  shared: {{{shared}}}\n"
        f"rules: [{{name: r, match: {{{match}}}, attach: [own]}}]\n"
    )
    return [message for _, message in names_of_others(parse_policy("lanyard.yaml", text))]


BY_NAME = 'name: "id-{resource.name}"'
MEET = [
    (BY_NAME, REGIONAL, f"types: [{VM}]", "'pay-westeurope' in 'rg-ids'"),
    (BY_NAME, SAME_GROUP, f"types: [{VM}]", "'pay-westeurope' in 'a'"),
    (BY_NAME, BY_ID, f"types: [{VM}]", "'pay' in 'rg-ids'"),
    (BY_NAME, BY_ID, f"types: [{VM}], scopes: ['{SUB}']", "'pay' in 'rg-ids'"),
    (BY_NAME, BY_ID, f"types: [{VM}], names: ['p*']", "'pay'"),
    (BY_NAME, REGIONAL, f"types: [{VM}], locations: [japaneast]", "'pay-japaneast'"),
    (
        'name: "id-{resourceGroup}-{resource.name}", resourceGroup: rg-ids',
        BY_ID.replace("ID-pay", "id-a-x"),
        f"types: [{VM}]",
        "'x' in 'a'",
    ),
    (
        'name: "id-{resource.name}-{resource.name}"',
        BY_ID.replace("ID-pay", "id-a-a"),
        f"types: [{VM}]",
        "'a' in",
    ),
    (
        'name: "id-{resource.name}-{resourceGroup}", resourceGroup: "{resourceGroup}-ids"',
        BY_ID.replace("ID-pay", "id-pay-rg"),
        f"types: [{VM}]",
        "'pay' in 'rg'",
    ),
    (BY_NAME, REGIONAL, f"types: [{SLOT}]", "'pay/westeurope' in 'rg-ids'"),
]


@pytest.mark.parametrize(("own", "shared", "match", "shown"), MEET)
def test_it_shows_a_resource_that_comes_to_it(
    own: str, shared: str, match: str, shown: str
) -> None:
    (message,) = found(own, shared, match)
    assert shown in message
    assert "would come to the identity 'shared', which others have" in message


OTHER = SUB.replace("1111-", "2222-")


@pytest.mark.parametrize(
    ("own", "shared", "match"),
    [
        ('name: "id-{resource.hash}"', REGIONAL, f"types: [{VM}]"),
        ('name: "own-{resource.name}"', REGIONAL, f"types: [{VM}]"),
        ('name: "id-{resource.name}-own"', REGIONAL, f"types: [{VM}]"),
        ('name: "id-{resource.name}-{resource.name}"', REGIONAL, f"types: [{VM}]"),
        (BY_NAME, REGIONAL, f"types: [{VM}], resourceGroups: ['rg-app*']"),
        (BY_NAME, REGIONAL, f"types: [{VM}], names: ['vm-*']"),
        (BY_NAME, BY_ID, f"types: [{VM}], scopes: ['{OTHER}']"),
        (BY_NAME, BY_ID, f"types: [{SLOT}]"),
        (BY_NAME, BY_ID.replace("ID-pay", "id-p_y"), f"types: [{VM}]"),
    ],
)
def test_it_shows_nothing_that_cannot_be(own: str, shared: str, match: str) -> None:
    assert found(own, shared, match) == []


def test_it_is_shown_at_the_name_once_for_each_that_it_may_be() -> None:
    text = (
        f"version: 1\nidentities:\n  own: {{{BY_NAME}, per: resource}}\n"
        f"  first: {{{REGIONAL}}}\n  second: {{{BY_ID}}}\n"
        f"rules: [{{name: r, match: {{types: [{VM}]}}, attach: [own, first]}}]\n"
    )
    paths = [path for path, _ in names_of_others(parse_policy("lanyard.yaml", text))]
    assert paths == [("identities", "own", "name")] * 2
