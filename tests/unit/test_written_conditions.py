"""Conditions of role assignments as Azure documents them, and where a broken one breaks off.

After "Azure role assignment condition format and syntax" and the examples for Blob Storage and for
delegated role assignments (learn.microsoft.com): every form, function and kind of operator there.
"""

import pytest

from lanyard.policy.conditions import condition_problem

READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
TAG = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags"
ROLES = "Microsoft.Authorization/roleAssignments"
GUID = "a795c7a0-d4a2-40c1-ae25-d81f01202912"


def block(action: str, expression: str) -> str:
    """In the format of the portal."""
    return f"(\n (\n  {action}\n )\n OR \n (\n  {expression}\n )\n)"


LISTS_NOT = f"!(ActionMatches{{'{READ}'}} AND NOT SubOperationMatches{{'Blob.List'}})"
ACCEPTED = {
    "simple": block(f"!(ActionMatches{{'{READ}'}})", "@Resource[a/b:name] StringEquals 'x'"),
    "placeholders": block(
        "!(ActionMatches{'<action>'} AND SubOperationMatches{'<subOperation>'})",
        "@Request[a] StringEquals '<value>'",
    ),
    "tags": block(LISTS_NOT, f"@Resource[{TAG}:Project<$key_case_sensitive$>] StringEquals 'C'"),
    "keys of tags": block(
        LISTS_NOT, f"@Request[{TAG}&$keys$&] ForAllOfAnyValues:StringEquals {{'P', 'Q'}}"
    ),
    "several actions": block(
        f"{LISTS_NOT}\n  AND\n  !(ActionMatches{{'a/b/*'}})", "@Resource[a:b] BoolEquals true"
    ),
    "several expressions": block(
        LISTS_NOT, "@Resource[a] StringLike 'x/*'\n AND\n @Resource[b] StringNotLike 'y?'"
    ),
    "several conditions": f"{block(LISTS_NOT, 'Exists @Request[a]')}\nAND\n"
    + block("!(ActionMatches{'a/delete'})", "NOT Exists @Request[a]"),
    "groups": block(
        LISTS_NOT,
        "(@Resource[a] StringEquals 'x' AND @Environment[isPrivateLink] BoolEquals true)"
        " OR @Resource[a] StringNotEquals 'x' OR NOT Exists @Resource[b]",
    ),
    "a subnet": "@Environment[Microsoft.Network/virtualNetworks/subnets] StringEqualsIgnoreCase "
    "'/subscriptions/<your subscription id>/resourceGroups/g/providers/Microsoft.Network/x'",
    "a moment": "@Environment[UtcNow] DateTimeGreaterThan '2023-04-01T13:00:00.000Z'",
    "a version": "@Request[a:versionId] DateTimeLessThan '2022-06-01T00:00:00.0Z'",
    "two attributes": "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:E_P] "
    f"StringEquals @Resource[{TAG}:Project<$key_case_sensitive$>]",
    "roles": f"@Request[{ROLES}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{GUID}, {GUID}}}"
    f" AND @Request[{ROLES}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User'}}",
    "a quoted id": f"@Request[{ROLES}:PrincipalId] ForAnyOfAllValues:GuidNotEquals {{'{GUID}'}}",
    "an older sub-operation": "@Request[subOperation] ForAnyOfAnyValues:StringEqualsIgnoreCase "
    "{'Blob.Read.WithTagConditions'}",
    "sets": "{'red', 'blue'} ForAllOfAnyValues:StringEquals {'orange', 'red', 'blue'}",
    "numbers": "{10, 20} ForAllOfAllValues:NumericLessThan {15, 25, 30}",
    "symbols": "!(ActionMatches{'a'}) && @Resource[a] StringStartsWithIgnoreCase 'b'",
    "either symbol": "ActionMatches{'a'} || ActionMatches{'b'}",
    "without case": "actionmatches{'a'} and not exists @request[b]",
    "escapes": r"@Resource[a] StringLike 'a\*b\?c\'d' AND @Resource[a] StringEquals 'it''s'",
    "no blanks": "(ActionMatches{'a'})OR(@Resource[a]StringEquals'b')",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_documentation_has_is_a_condition(text: str) -> None:
    assert condition_problem(text) is None
    assert condition_problem(" ".join(text.split())) is None


AND = "@Resource[a] StringEquals 'x' AND "
BROKEN = [
    ("", 0, "the condition ends where an attribute (@Resource[name]) or ActionMatches{'…'}"),
    ("@Resource[a]", 12, "the condition ends where an operator such as StringEquals is expected"),
    ("@Resource[a] StringEquals", 25, "the condition ends where the value"),
    ("@Resource[a] StringEqals 'x'", 13, "did you mean 'StringEquals'?"),
    ("@Resource[a] == 'x'", 13, "'=' means nothing in a condition"),
    ("@Resource[a] Equals 'x'", 13, "unknown operator 'Equals'"),
    ("@Resource[a] ForAnyValues:StringEquals {'x'}", 13, "did you mean 'ForAnyOfAnyValues'?"),
    ("@Resource[a] ForAnyOfAnyValues:StringEqual {'x'}", 31, "did you mean 'StringEquals'?"),
    ("@Resource[a] StringEquals x", 26, "texts stand in single quotes: 'x'"),
    ('@Resource[a] StringEquals "x"', 26, "texts stand in single quotes"),
    ("@Resource[a] StringEquals 'x", 26, "the quote that opens here is not closed"),
    ("@Resource[a] StringEquals {'x', }", 32, "'}' stands where a value is expected"),
    ("@Resource[a] StringEquals {'x' 'y'}", 31, "a comma or a closing brace is expected"),
    ("@Resource[a] StringEquals {'x'", 26, "the brace that opens here is not closed"),
    ("@Resource[a] NumericLessThan 5.5", 29, "5.5 is no whole number"),
    ("@Resource[a] BoolEquals yes", 24, "yes is neither true nor false"),
    ("@Resource[a] GuidEquals abc", 24, "abc is no GUID"),
    ("@Resource[a] DateTimeEquals '2022-06-01'", 28, "'2022-06-01' is no moment"),
    ("Resource[a] StringEquals 'x'", 8, "an attribute begins with its source"),
    ("@Resource[a StringEquals 'x'", 0, "with its brackets closed"),
    ("@Resorce[a] StringEquals 'x'", 0, "did you mean 'Resource'?"),
    ("@Subject[a] StringEquals 'x'", 0, "known: Environment, Principal, Request, Resource"),
    ("@Resource[ ] StringEquals 'x'", 0, "the attribute has no name"),
    ("(ActionMatches{'a'}", 0, "the parenthesis that opens here is not closed"),
    (f"{AND}(ActionMatches{{'a'}}", 34, "the parenthesis that opens here is not closed"),
    ("ActionMatches{'a'})", 18, "no parenthesis is open that this one could close"),
    ("(ActionMatches{'a'} ActionMatches{'b'})", 20, "AND, OR or a closing parenthesis"),
    ("ActionMatch{'a'}", 0, "did you mean 'ActionMatches'?"),
    ("ActionMatches('a')", 13, "a pattern in braces: ActionMatches{'…'}"),
    ("ActionMatches{a}", 14, "a pattern in single quotes"),
    ("ActionMatches{''}", 14, "a pattern in single quotes"),
    ("ActionMatches{'a', 'b'}", 17, "the closing brace of ActionMatches{'…'}"),
    ("Exists 'a'", 7, "an attribute (@Request[name]) is expected"),
    ("ActionMatches{'a'} XOR ActionMatches{'b'}", 19, "AND, OR or the end of the condition"),
    ("ActionMatches{'a'} & ActionMatches{'b'}", 19, "write AND or &&"),
    ("ActionMatches{'a'} AND", 22, "the condition ends where"),
    ("ActionMatches{'a'} AND AND", 23, "'AND' stands where"),
    (f"{AND}ActionMatches{{'b'}} OR ActionMatches{{'c'}}", 53, "AND and OR side by side"),
    ("()", 1, "')' stands where"),
    ("(" * 2000, 40, "parentheses are nested more than 40 deep"),
    ("!" * 2000, 2000, "the condition ends where"),
    ("[" * 2000, 0, "an attribute begins with its source"),
]


@pytest.mark.parametrize(("text", "at", "message"), BROKEN, ids=[text[:40] for text, *_ in BROKEN])
def test_a_broken_condition_is_named_at_its_character(text: str, at: int, message: str) -> None:
    problem = condition_problem(text)
    assert problem is not None
    assert problem.at == at
    assert message in problem.message
