"""The standards that ship with Lanyard: what most workloads need beside their own data."""

from typing import Annotated

from pydantic import Field

from lanyard.policy.section import Condition, Given, Name, Section, Text

_GROUP = "{resourceGroup}"


class GrantContent(Section):
    """A role at a scope, on a condition where one is given."""

    role: Name = Field(description="A built-in role's name, or the GUID of any role.")
    scope: Text = Field(
        description="Where: a scope's id as a template, or {resource}, {resourceGroup}, "
        "{subscription} alone for that very scope."
    )
    condition: Annotated[Condition | None, Given] = Field(
        None, description="A role assignment condition (ABAC, version 2.0)."
    )


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
