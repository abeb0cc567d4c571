"""`lanyard onboard` makes just what infra/watch.bicep makes: the same resources, under the same
ids, with the same content. Whoever began with the one can go on with the other.
"""

from typing import Any

import pytest

from lanyard.desk.onboarding.event_parts import after_topic, before_topic, topic
from lanyard.desk.onboarding.parts import Delivery, Deployment, topic_id
from lanyard.desk.onboarding.role_parts import role_parts
from lanyard.desk.rights import Rights
from tests.support.infra import deployment
from tests.support.infra.bounded import needed

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
HOME = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-lanyard-prod"
SHARED = (
    "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-shared/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/id-shared"
)
TOPIC_PRINCIPAL = "44444444-4444-4444-4444-444444444444"
NAMED = 'name: "id-{location}", resourceGroup: rg-i'
MACHINES = "match: {types: [Microsoft.Compute/virtualMachines]}"
GRANT = '{role: Storage Blob Data Reader, scope: "{resourceGroup}", to: i}'
RULE = f"rules: [{{name: r, {MACHINES}, attach: [i], grant: [{GRANT}]}}]"


def app(
    action_group: str = f"{HOME}/providers/Microsoft.Insights/actionGroups/ag", **more: Any
) -> Deployment:
    return Deployment(
        app_id=f"{HOME}/providers/Microsoft.Web/sites/func-lanyard",
        client_id="55555555-5555-5555-5555-555555555555",
        principal_id="66666666-6666-6666-6666-666666666666",
        storage_id=f"{HOME}/providers/Microsoft.Storage/storageAccounts/stlanyard",
        installation="77777777-7777-7777-7777-777777777777",
        action_group_id=action_group,
        location="westeurope",
        **more,
    )


def by_bicep(of: Deployment, rights: Rights) -> dict[str, Any]:
    values = {
        "rights": {
            "actions": [*rights.actions],
            "condition": rights.condition,
            "identityActions": [*rights.identity_actions],
            "identityGroups": [*rights.identity_groups],
            "operatorOn": [
                {
                    "subscriptionId": each.subscription,
                    "resourceGroup": each.resource_group,
                    "name": each.name,
                }
                for each in rights.operator_on
            ],
        },
        "appId": of.app_id,
        "clientId": of.client_id,
        "principalId": of.principal_id,
        "storageId": of.storage_id,
        "delivery": of.delivery.value,
        "eventsStorageId": of.events_account,
        "installation": of.installation,
        "actionGroupId": of.action_group_id,
        "location": of.location,
    }
    given = {"topic": {"identity": {"principalId": TOPIC_PRINCIPAL}}}
    ran = deployment.Deployment("watch.bicep", SUBSCRIPTION, "", values, given).run()
    return {each.id: (each.api_version, normal(each.body)) for each in ran.made}


def by_command(of: Deployment, rights: Rights) -> dict[str, Any]:
    parts = [
        *role_parts(of, rights, SUBSCRIPTION),
        *before_topic(of.location, SUBSCRIPTION),
        topic(SUBSCRIPTION),
        *after_topic(of, SUBSCRIPTION, topic_id(SUBSCRIPTION), TOPIC_PRINCIPAL),
    ]
    return {part.id: (part.api_version, normal(part.body)) for part in parts if not part.registers}


def normal(node: Any) -> Any:
    """Without what is null, and lists of texts in one order."""
    if isinstance(node, dict):
        return {key: normal(value) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        values = [normal(each) for each in node]
        return sorted(values) if all(isinstance(each, str) for each in values) else values
    return node


@pytest.mark.parametrize(
    ("mode", "identity", "count"),
    [
        ("observe", NAMED, 8),
        ("full", NAMED, 10),
        ("full", 'name: "id-{location}", resourceGroup: "rg-{location}"', 10),
        ("add-only", f"id: {SHARED}", 9),
    ],
    ids=["observe", "identities in a group", "identities anywhere", "an identity that is there"],
)
def test_the_command_and_the_template_make_the_same(mode: str, identity: str, count: int) -> None:
    rights = needed(f"version: 1\nmode: {mode}\nidentities: {{i: {{{identity}}}}}\n{RULE}\n")
    made = by_command(app(), rights)
    assert made == by_bicep(app(), rights)
    assert len(made) == count


def test_they_do_so_where_nobody_is_told_of_dead_letters() -> None:
    rights = needed(f"version: 1\nidentities: {{i: {{{NAMED}}}}}\n{RULE}\n")
    assert by_command(app(""), rights) == by_bicep(app(""), rights)


@pytest.mark.parametrize("account", ["", f"{HOME}/providers/Microsoft.Storage/storageAccounts/q"])
def test_they_do_so_where_the_events_come_by_queue(account: str) -> None:
    rights = needed(f"version: 1\nidentities: {{i: {{{NAMED}}}}}\n{RULE}\n")
    by_queue = app(delivery=Delivery.QUEUE, events_storage_id=account)
    made = by_command(by_queue, rights)
    assert made == by_bicep(by_queue, rights)
    assert len(made) == len(by_command(app(), rights)) + 1


def test_a_difference_would_be_found() -> None:
    rights = needed(f"version: 1\nidentities: {{i: {{{NAMED}}}}}\n{RULE}\n")
    assert by_command(app(""), rights) != by_bicep(app(), rights)
