"""Grants that are worth a look: the warnings of `validate`."""

import pytest

from lanyard.policy.grants_to_look_at import grants_to_look_at
from lanyard.policy.load import parse_policy

SCOPES = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
VAULT = f"{SCOPES}/providers/Microsoft.KeyVault/vaults/kv-{{tags.team}}"
MACHINES = "Microsoft.Compute/virtualMachines"


def messages(role: str, scope: str, types: str = MACHINES, more: str = "") -> list[str]:
    text = f"""version: 1
mode: full
identities: {{own: {{name: "id-{{resource.hash}}", per: resource}}}}
rules:
  - name: r
    match: {{types: [{types}]}}
    attach: [own]
    grant: [{{role: {role}, scope: "{scope}", to: own}}]
{more}"""
    found = [*grants_to_look_at(parse_policy("lanyard.yaml", text))]
    assert all(path == ("rules", 0, "grant", 0) for path, _ in found)
    return [message for _, message in found]


@pytest.mark.parametrize(
    ("role", "scope", "message"),
    [
        (
            "Owner",
            "{resourceGroup}",
            "Owner at {resourceGroup} is privileged by Microsoft.Authorization/roleAssignments/"
            "write: it is held unless 'privileged.allow' names it",
        ),
        (
            "Contributor",
            "{subscription}",
            "Contributor at {subscription} is privileged by *: it is held unless "
            "'privileged.allow' names it",
        ),
        (
            "Contributor",
            "{resourceGroup}",
            "Contributor at {resourceGroup} is powerful: who holds it can write everything (*)",
        ),
        (
            "Virtual Machine Contributor",
            "{resource}",
            "Virtual Machine Contributor at {resource} is powerful: who holds it can run code as "
            f"what it runs on ({MACHINES}/runCommand/action)",
        ),
    ],
)
def test_it_says_what_makes_it_so(role: str, scope: str, message: str) -> None:
    assert messages(role, scope) == [message]


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("Reader", "{subscription}"),
        ("Key Vault Secrets User", VAULT),
        ("Storage Account Contributor", VAULT),
        ("Virtual Machine Contributor", VAULT),
        ("eeeeeeee-0000-0000-0000-000000000001", "{subscription}"),
    ],
)
def test_what_is_harmless_there_or_not_known_is_no_warning(role: str, scope: str) -> None:
    assert messages(role, scope) == []


def test_a_type_that_counts_is_enough() -> None:
    both = f"Microsoft.Web/sites, {MACHINES}"
    assert messages("Virtual Machine Contributor", "{resource}", "Microsoft.Web/sites") == []
    assert len(messages("Virtual Machine Contributor", "{resource}", both)) == 1


def test_what_the_policy_allows_is_no_news() -> None:
    allow = f"privileged: {{allow: [{{role: Owner, scopes: ['{SCOPES}']}}]}}\n"
    assert messages("Owner", "{resourceGroup}", more=allow) == []
    assert len(messages("User Access Administrator", "{resourceGroup}", more=allow)) == 1
