"""Which assignment of Azure Policy refuses a write, in each form that Azure answers."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from lanyard.azure.arm.policy_refusals import refused_by_policy
from lanyard.values.errors import Because

SCOPE = "/providers/Microsoft.Management/managementGroups/contoso"
TAGS = f"{SCOPE}/providers/Microsoft.Authorization/policyAssignments/AssignEnforceTagging"
NAMES = f"{SCOPE}/providers/Microsoft.Authorization/policyAssignments/names"


def answer(error: Any, status: int = 403) -> HttpResponseError:
    text = error if isinstance(error, str) else json.dumps({"error": error})
    response = SimpleNamespace(
        status_code=status, reason="Forbidden", headers={}, text=lambda: text, content=text.encode()
    )
    failure = HttpResponseError(response=response)
    if isinstance(error, dict):
        failure.error = SimpleNamespace(code=error.get("code"), message="")  # type: ignore[assignment]
    return failure


def violation(name: str, id_: str) -> dict[str, Any]:
    info = {"policyAssignmentDisplayName": name, "policyAssignmentId": id_}
    return {"type": "PolicyViolation", "info": info}


def disallowed(**more: Any) -> dict[str, Any]:
    return {"code": "RequestDisallowedByPolicy", "message": "Resource 'x' was disallowed.", **more}


IDENTIFIERS = json.dumps(
    [
        {
            "policyAssignment": {"name": "Enforce Owner's Tag", "id": TAGS},
            "policyDefinition": {"name": "Enforce a tag", "id": "/d"},
        }
    ]
)


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (disallowed(additionalInfo=[violation("Owner", TAGS)]), f"Owner ({TAGS})"),
        (
            disallowed(additionalInfo=[violation("Owner", TAGS), violation("Names", NAMES)] * 2),
            f"Owner ({TAGS}), Names ({NAMES})",
        ),
        (disallowed(additionalInfo=[violation("", TAGS)]), f"({TAGS})"),
        (
            disallowed(
                message=f"Resource 'x' was disallowed. Policy identifiers: '{IDENTIFIERS}'."
            ),
            f"Enforce Owner's Tag ({TAGS})",
        ),
        (disallowed(), "which it does not name"),
        (disallowed(additionalInfo=[]), "which it does not name"),
        (disallowed(additionalInfo=[None, 1, {"info": None}]), "which it does not name"),
        (disallowed(message="Policy identifiers: '[1, {}, null'"), "which it does not name"),
    ],
)
def test_a_refusal_names_the_assignments(error: dict[str, Any], names: str) -> None:
    refused = refused_by_policy("create identity id-x", answer(error))
    assert refused is not None
    assert str(refused) == f"create identity id-x: refused by Azure Policy: {names}"
    assert refused.because is Because.AZURE_POLICY
    assert not refused.releasable


@pytest.mark.parametrize("error", [{"code": "AuthorizationFailed"}, {}, "<html>", "", "[]"])
def test_another_answer_is_none(error: Any) -> None:
    assert refused_by_policy("create identity id-x", answer(error)) is None


def test_an_answer_without_an_envelope_names_them_too() -> None:
    error = disallowed(additionalInfo=[violation("Owner", TAGS)])
    refused = refused_by_policy("attach", HttpResponseError(response=_bare(error)))
    assert f"Owner ({TAGS})" in str(refused)


def _bare(error: dict[str, Any]) -> Any:
    text = json.dumps(error)
    return SimpleNamespace(status_code=400, reason="", headers={}, text=lambda: text)
