"""What a condition comes to: only what it says for sure is yes or no."""

import pytest

from lanyard.desk.delegation import delegation
from lanyard.policy.condition_outcome import Facts, condition_outcome
from lanyard.policy.conditions import Attribute

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
BLOBS = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
WRITE, DELETE = f"{_ASSIGNMENTS}/write", f"{_ASSIGNMENTS}/delete"
ROLE, KIND = "@Request[a:RoleDefinitionId]", "@Request[a:PrincipalType]"
TO_WHOM = f"@Request[{_ASSIGNMENTS}:PrincipalId] ForAnyOfAnyValues:GuidEquals {{{READER}}}"


def facts(action: str, role: str, source: str = "request") -> Facts:
    names = {"roledefinitionid": role, "principaltype": "ServicePrincipal"}
    prefix = _ASSIGNMENTS.lower()
    return Facts(action, {Attribute(source, f"{prefix}:{name}"): v for name, v in names.items()})


@pytest.mark.parametrize(
    ("action", "role", "passes"),
    [
        (WRITE, BLOBS, True),
        (WRITE, BLOBS.upper(), True),
        (WRITE, READER, False),
        (DELETE, READER, True),
        ("Microsoft.Compute/virtualMachines/write", "", True),
    ],
)
def test_the_condition_of_the_rights_says_which_roles(action: str, role: str, passes: bool) -> None:
    text = delegation([BLOBS], [BLOBS, READER])
    source = "request" if action == WRITE else "resource"
    assert condition_outcome(text, facts(action, role, source)) is passes


HERE = Facts("a/write", {Attribute("request", "a:roledefinitionid"): READER})


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ActionMatches{'A/*'}", True),
        ("!(ActionMatches{'a/write'})", False),
        ("NOT NOT ActionMatches{'a/read'}", False),
        (f"{ROLE} GuidEquals {READER}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{BLOBS}, {READER}}}", False),
        (f"{ROLE} ForAnyOfAnyValues:GuidNotEquals {{{BLOBS}, {READER}}}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{BLOBS}}}", True),
        (f"{KIND} StringEquals 'User'", None),
        (f"{KIND} StringEquals 'User' AND ActionMatches{{'a/read'}}", False),
        (f"{KIND} StringEquals 'User' AND ActionMatches{{'a/write'}}", None),
        (f"{KIND} StringEquals 'User' OR ActionMatches{{'a/write'}}", True),
        (f"{KIND} StringEquals 'User' OR ActionMatches{{'a/read'}}", None),
        (f"!({KIND} StringEquals 'User')", None),
        (f"{ROLE} StringLike '*'", None),
        ("SubOperationMatches{'Blob.List'}", None),
        (f"Exists {ROLE}", True),
        (f"Exists {KIND}", None),
        ("no condition", None),
        ("", None),
    ],
)
def test_what_is_not_known_is_neither(text: str, outcome: bool | None) -> None:
    assert condition_outcome(text, HERE) is outcome


def test_to_whom_is_not_known() -> None:
    bound = f"(!(ActionMatches{{'{WRITE}'}})) OR ({TO_WHOM})"
    assert condition_outcome(bound, facts(WRITE, BLOBS)) is None
    assert condition_outcome(bound, facts(DELETE, BLOBS)) is True
