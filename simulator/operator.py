"""The person at the desk: Owner of every subscription, known to the directory."""

from dataclasses import dataclass

from simulator.azure import Azure
from simulator.state import Principal


@dataclass(frozen=True)
class Operator:
    """`identity_header` is this person's secret for the run: for tokens, and for the control."""

    principal: Principal
    identity_header: str


def make_operator(azure: Azure) -> Operator:
    """A user who is Owner of all subscriptions there are now and may read the directory."""
    tenant = azure.state.tenant_id
    name = f"operator@{tenant.partition('-')[0]}.onmicrosoft.com"
    principal = azure.state.add_principal("Operator", "User", [name])
    for subscription in azure.state.subscriptions.values():
        azure.assign(principal.object_id, "Owner", f"/subscriptions/{subscription.id}")
    azure.services.directory.grant_permission(principal.object_id)
    header = azure.services.identity_endpoints.header_for_principal(principal)
    return Operator(principal, header)
