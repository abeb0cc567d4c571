"""The actions that Lanyard needs for a policy that has everything in it."""

from functools import cache

from lanyard.desk.rights import rights
from lanyard.policy.load import parse_policy
from lanyard.values.compute_types import COMPUTE_TYPES

_CUSTOM_ROLE = "00000000-0000-0000-0000-000000000001"


def every_action() -> list[str]:
    """Those of both its roles, but for assigning roles."""
    return list(_every_action())


@cache
def _every_action() -> tuple[str, ...]:
    rows = COMPUTE_TYPES.values()
    types = ", ".join(row.name for row in rows if row.api_version and row.user_assigned)
    text = f"""
version: 1
mode: full
identities:
  shared: {{name: "id-{{location}}", resourceGroup: rg-identities}}
rules:
  - name: everything
    match: {{types: [{types}]}}
    attach: [shared]
    upgradeInstances: true
    grant: [{{role: {_CUSTOM_ROLE}, scope: "{{resourceGroup}}", to: shared}}]
"""
    needed = rights(parse_policy("lanyard.yaml", text))
    identities = "Microsoft.ManagedIdentity/userAssignedIdentities"
    deleting = [f"{identities}/delete", f"{identities}/listAssociatedResources/action"]
    kept = [each for each in needed.actions if "roleAssignments" not in each]
    return (*kept, *needed.identity_actions, *deleting)
