"""Conditions of role assignments: how they read, and what a delegated administrator may do."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from simulator.authorization.conditions import Facts, InvalidCondition, parse_condition
from tests.support.arm.world import World

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"
ROLE = "Microsoft.Authorization/roleAssignments:RoleDefinitionId"
KIND = "Microsoft.Authorization/roleAssignments:PrincipalType"

#: As the portal writes "allow user to only assign selected roles to selected principal types".
DELEGATED = f"""
(
 (
  !(ActionMatches{{'{WRITE}'}})
 )
 OR
 (
  @Request[{ROLE}] ForAnyOfAnyValues:GuidEquals {{{READER}}}
  AND
  @Request[{KIND}] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}
 )
)
AND
(
 (
  !(ActionMatches{{'{DELETE}'}})
 )
 OR
 (
  @Resource[{ROLE}] ForAnyOfAnyValues:GuidEquals {{{READER}}}
  AND
  @Resource[{KIND}] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}
 )
)
"""


def holds(text: str, action: str = "a/read", **sources: Mapping[str, str]) -> bool:
    return parse_condition(text)(Facts(action, sources))


def test_the_portals_expression_limits_writes_and_deletes_and_nothing_else() -> None:
    mine = {ROLE: READER.upper(), KIND: "serviceprincipal"}
    assert holds(DELEGATED, WRITE, request=mine)
    assert not holds(DELEGATED, WRITE, request={**mine, ROLE: OWNER})
    assert not holds(DELEGATED, WRITE, request={**mine, KIND: "User"})
    assert not holds(DELEGATED, WRITE, resource=mine)
    assert holds(DELEGATED, DELETE, resource=mine)
    assert not holds(DELEGATED, DELETE, resource={**mine, ROLE: OWNER})
    assert holds(DELEGATED, "Microsoft.Compute/virtualMachines/read")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Resource[a:b] StringEquals 'x'", True),
        ("@Resource[A:B] stringEquals 'x'", True),
        ("@Resource[a:b] StringEquals 'X'", False),
        ("@Resource[a:b] StringEqualsIgnoreCase 'X'", True),
        ("@Resource[a:b] StringNotEquals 'x'", False),
        ("@Resource[a:b] StringLike 'x*'", True),
        ("@Resource[a:b] StringStartsWith 'y'", False),
        ("@Resource[a:b] ForAnyOfAnyValues:StringEquals {'w', 'x'}", True),
        ("@Resource[a:b] ForAnyOfAllValues:StringNotEquals {'w', 'x'}", False),
        ("@Resource[a:b] ForAnyOfAllValues:StringNotEquals {'w', 'v'}", True),
        ("@Resource[a:n] NumericGreaterThan 4", True),
        ("@Resource[a:b] NumericGreaterThan 4", False),
        ("@Resource[a:missing] StringEquals 'x'", False),
        ("NOT @Resource[a:b] StringEquals 'y'", True),
        ("Exists @Resource[a:b]", True),
        ("!Exists @Resource[a:missing]", True),
        ("@Resource[a:b] StringEquals 'y' OR @Resource[a:b] StringEquals 'x'", True),
        ("@Resource[a:b] StringEquals 'y' || @Resource[a:b] StringEquals 'x'", True),
        ("@Resource[a:b] StringEquals 'x' && @Resource[a:b] StringEquals 'y'", False),
        # AND binds tighter than OR.
        ("ActionMatches{'a/*'} OR ActionMatches{'a/*'} AND ActionMatches{'no'}", True),
        ("(ActionMatches{'a/*'} OR ActionMatches{'a/*'}) AND ActionMatches{'no'}", False),
    ],
)
def test_expressions(text: str, expected: bool) -> None:
    assert holds(text, resource={"a:b": "x", "a:n": "5"}) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "ActionMatches{'a'",
        "@Resource[a:b]",
        "@Resource[a:b] Equals 'x'",
        "@Resource[a:b] ForSome:StringEquals 'x'",
        "@Nowhere[a:b] StringEquals 'x'",
        "@Resource[a:b] StringEquals {}",
        "ActionMatches{'a'} ActionMatches{'b'}",
        "ActionMatches{'a'} AND",
        "'unclosed",
    ],
)
def test_malformed_expressions_are_refused(text: str) -> None:
    with pytest.raises(InvalidCondition):
        parse_condition(text)


async def test_a_delegated_administrator_gives_and_takes_only_what_the_condition_names(
    world: World,
) -> None:
    world.azure.assign(
        world.app.object_id,
        "Role Based Access Control Administrator",
        world.group_scope,
        condition=DELEGATED,
    )
    target = world.azure.state.add_principal("target")
    person = world.azure.state.add_principal("person", "User")

    async def put(number: int, role: str, principal: str, kind: str) -> int:
        properties: dict[str, Any] = {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal,
            "principalType": kind,
        }
        path = _path(world, number)
        body = {"properties": properties}
        return (await world.raw("PUT", path, body, principal=world.app)).status

    assert await put(1, READER, target.object_id, "ServicePrincipal") == 201
    assert await put(2, OWNER, target.object_id, "ServicePrincipal") == 403
    assert await put(3, READER, person.object_id, "User") == 403

    world.azure.assign(target.object_id, "Owner", world.group_scope, name=str(UUID(int=4)))
    refused = await world.raw("DELETE", _path(world, 4), principal=world.app)
    assert json.loads(refused.content)["error"]["code"] == "AuthorizationFailed"
    assert (await world.raw("DELETE", _path(world, 1), principal=world.app)).status == 200
    # What is not there cannot be judged: gone is gone.
    assert (await world.raw("DELETE", _path(world, 1), principal=world.app)).status == 204


def _path(world: World, number: int) -> str:
    name = str(UUID(int=number))
    return (
        f"{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        "?api-version=2022-04-01"
    )
