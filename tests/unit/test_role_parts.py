"""In which order an app gets its roles: none may assign roles before its condition is there."""

from typing import Any

import pytest

from lanyard.desk.onboarding.parts import Deployment
from lanyard.desk.onboarding.role_parts import bound_first, role_parts
from lanyard.desk.rights import rights
from lanyard.desk.rights_by_group import rights_by_group
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy

HERE = "11111111-1111-1111-1111-111111111111"
APP = Deployment(app_id="/app", principal_id="22222222-2222", storage_id="/storage")


def policy(mode: str = "full") -> Policy:
    text = f"""
version: 1
mode: {mode}
rules:
  - name: machines
    match: {{types: [Microsoft.Compute/virtualMachines], resourceGroups: [rg-app, rg-new]}}
    system: true
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: system}}]
"""
    return parse_policy("lanyard.yaml", text)


def role(*actions: str) -> dict[str, Any]:
    """The one that is there."""
    return {"properties": {"permissions": [{"actions": [*actions]}]}}


ASSIGN, REMOVE = (f"Microsoft.Authorization/roleAssignments/{each}" for each in ("write", "delete"))


@pytest.mark.parametrize(
    ("mode", "there", "condition_first"),
    [
        ("full", role("*/read"), True),
        ("full", role("*/read", ASSIGN), True),
        ("full", role("*/read", ASSIGN, REMOVE), False),
        ("add-only", role("*/read", ASSIGN, REMOVE), False),
        ("observe", role("*/read", ASSIGN, REMOVE), False),
        ("full", None, False),
    ],
    ids=["from observe", "from add-only", "as it was", "to add-only", "to observe", "new"],
)
def test_the_condition_comes_before_what_it_bounds(
    mode: str, there: dict[str, Any] | None, condition_first: bool
) -> None:
    needed = rights(policy(mode))
    definition, given = role_parts(APP, needed, HERE)
    first, second = bound_first([definition, given], APP, needed, HERE, there)
    ids = (given.id, definition.id) if condition_first else (definition.id, given.id)
    assert (first.id, second.id) == ids
    assert (first.needs, second.needs) == ((), (first.id,))


def test_what_stands_at_groups_comes_first_and_only_where_they_are() -> None:
    needed = rights_by_group(policy())
    parts = [*role_parts(APP, needed, HERE, {"rg-new"})]
    assert [part.about for part in parts] == [
        "definition of custom role Lanyard changes",
        "assignment of custom role Lanyard changes at rg-app",
        "definition of custom role Lanyard grants",
        "assignment of custom role Lanyard grants at rg-app",
        "definition of custom role Lanyard",
        f"assignment of custom role Lanyard at subscription {HERE}",
    ]
    assert bound_first(parts, APP, needed, HERE, role(ASSIGN, REMOVE)) == parts
    bound = [part for part in parts if part.body["properties"].get("condition")]
    assert [part.about for part in bound] == ["assignment of custom role Lanyard grants at rg-app"]
