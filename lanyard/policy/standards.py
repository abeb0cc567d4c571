"""The standards that ship with Lanyard: what most workloads need beside their own data."""

from lanyard.policy.document import Grant, GrantContent, Policy

_GROUP = "{resourceGroup}"

#: Their names begin with "lanyard/", which no name in a policy file may.
SHIPPED: dict[str, list[GrantContent]] = {
    "lanyard/telemetry": [GrantContent(role="Monitoring Metrics Publisher", scope=_GROUP)],
    "lanyard/pull-images": [GrantContent(role="AcrPull", scope=_GROUP)],
    "lanyard/read-secrets": [GrantContent(role="Key Vault Secrets User", scope=_GROUP)],
    "lanyard/read-blobs": [GrantContent(role="Storage Blob Data Reader", scope=_GROUP)],
    "lanyard/queue-worker": [
        GrantContent(role="Storage Queue Data Message Processor", scope=_GROUP),
        GrantContent(role="Storage Queue Data Message Sender", scope=_GROUP),
    ],
}


def contents(policy: Policy, grant: Grant) -> list[GrantContent]:
    """The roles and scopes that a grant stands for: its own, or those of its standard."""
    if grant.standard is not None:
        return policy.standards.get(grant.standard, SHIPPED.get(grant.standard, []))
    if grant.role is None or grant.scope is None:
        return []
    return [GrantContent(role=grant.role, scope=grant.scope, condition=grant.condition)]
