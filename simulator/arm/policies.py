"""Azure Policy, as much of it as refuses a write: a deny assignment that asks for a tag.

The texts are those of Azure's answers (azure-policy documentation, "Troubleshoot errors", and what
users report of `RequestDisallowedByPolicy`).
"""

import json
from collections.abc import Mapping

from simulator.arm.messages import ArmRequest
from simulator.behaviour import Behaviour
from simulator.errors import AzureError
from simulator.resource_ids import parse
from simulator.state import Json

_SCOPE = "/providers/Microsoft.Management/managementGroups/contoso"
_AUTHORIZATION = f"{_SCOPE}/providers/Microsoft.Authorization"


def check(behaviour: Behaviour, request: ArmRequest) -> None:
    """Raises AzureError 403 `RequestDisallowedByPolicy` for a PUT without its tag."""
    resource = parse(request.path)
    if request.method != "PUT" or resource is None:
        return
    tag = behaviour.denied_without_tag.get(resource.type.lower())
    body = request.body if isinstance(request.body, Mapping) else {}
    named = {str(name).lower() for name in body.get("tags") or {}}
    if tag is not None and tag.lower() not in named:
        raise _disallowed(resource.name.rpartition("/")[2], tag)


def _disallowed(name: str, tag: str) -> AzureError:
    assignment: Json = {
        "name": f"Require the tag {tag}",
        "id": f"{_AUTHORIZATION}/policyAssignments/require-{tag.lower()}",
    }
    definition: Json = {
        "name": "Require a tag on resources",
        "id": "/providers/Microsoft.Authorization/policyDefinitions/"
        "871b6d14-10aa-478d-b590-94f262ecfa99",
    }
    found = json.dumps([{"policyAssignment": assignment, "policyDefinition": definition}])
    info: Json = {
        "policyDefinitionDisplayName": definition["name"],
        "policyDefinitionId": definition["id"],
        "policyDefinitionEffect": "deny",
        "policyAssignmentDisplayName": assignment["name"],
        "policyAssignmentId": assignment["id"],
        "policyAssignmentName": f"require-{tag.lower()}",
        "policyAssignmentScope": _SCOPE,
    }
    return AzureError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: '{found}'.",
        more={"target": name, "additionalInfo": [{"type": "PolicyViolation", "info": info}]},
    )
