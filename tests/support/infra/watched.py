"""What lets an app watch a subscription: for five policies, as infra/watch.bicep has it by this
project's own reading, and as `lanyard onboard` makes it.
"""

from typing import Any

from lanyard.desk.onboarding.event_parts import after_topic, before_topic, topic
from lanyard.desk.onboarding.parts import Deployment, topic_id
from lanyard.desk.onboarding.role_parts import role_parts
from lanyard.desk.rights import Rights
from tests.support.infra import deployment

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


def parameters(of: Deployment, rights: Rights) -> dict[str, Any]:
    """Those of infra/watch.bicep."""
    return {
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
        "topicIdentity": of.topic_identity,
        "location": of.location,
    }


def by_bicep(of: Deployment, rights: Rights, subscription: str = SUBSCRIPTION) -> dict[str, Any]:
    given = {"topic": {"identity": {"principalId": TOPIC_PRINCIPAL}}}
    values = parameters(of, rights)
    ran = deployment.Deployment("watch.bicep", subscription, "", values, given).run()
    return {each.id: (each.api_version, normal(each.body)) for each in ran.made}


def by_command(of: Deployment, rights: Rights, subscription: str = SUBSCRIPTION) -> dict[str, Any]:
    parts = [
        *role_parts(of, rights, subscription),
        *before_topic(of.location, subscription),
        topic(subscription, identity=of.topic_identity),
        *after_topic(of, subscription, topic_id(subscription), TOPIC_PRINCIPAL),
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


def policy(mode: str, identity: str) -> str:
    return f"version: 1\nmode: {mode}\nidentities: {{i: {{{identity}}}}}\n{RULE}\n"


#: Five policies that lead to different rights, and how many resources each is.
POLICIES = {
    "observe": policy("observe", NAMED),
    "identities in a group": policy("full", NAMED),
    "identities anywhere": policy("full", 'name: "id-{location}", resourceGroup: "rg-{location}"'),
    "an identity that is there": policy("add-only", f"id: {SHARED}"),
    "an identity for each machine": policy("full", 'name: "id-{resource.hash}", per: resource'),
}
