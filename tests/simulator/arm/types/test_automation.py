"""Automation accounts."""

import pytest

from tests.support.arm.generic import (
    app_token_owner,
    generic,
    graph_rows,
    needs_assign_right,
    refused,
    takes_identities,
    told,
)
from tests.support.arm.world import LOCATION, World

KIND = "Microsoft.Automation/automationAccounts"
ACCOUNT = f"{KIND}/account1"
VERSION = "2024-10-23"


@pytest.mark.parametrize("version", ["2023-11-01", VERSION])
async def test_an_account_takes_identities(world: World, version: str) -> None:
    async with generic(world, ACCOUNT, version) as one:
        await one.put(location=LOCATION, properties={"sku": {"name": "Basic"}})
        await takes_identities(world, one)


async def test_a_write_is_synchronous_and_keeps_the_properties(world: World) -> None:
    world.azure.behaviour.operation_seconds = 60
    async with generic(world, ACCOUNT, VERSION) as one:
        await one.put(location=LOCATION, properties={"sku": {"name": "Basic"}})
        await one.attach("SystemAssigned")
        shown = await one.get()
    assert shown.properties["state"] == "Ok"
    assert shown.properties["sku"] == {"name": "Basic"}
    assert app_token_owner(world, one.resource_id) == shown.identity.principal_id


async def test_writes_and_deletions_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with generic(world, ACCOUNT, VERSION) as one:
        await one.put(location=LOCATION, identity={"type": "SystemAssigned"})
        (row,) = await graph_rows(world, KIND)
        assert row["identity"]["type"] == "SystemAssigned"
        await one.delete()
        assert await graph_rows(world, KIND) == []
        await one.put(location=LOCATION)
    assert [action for action, _ in seen] == [f"{KIND}/write", f"{KIND}/delete", f"{KIND}/write"]
    async with generic(world, ACCOUNT, VERSION, world.app) as theirs:
        assert await refused(theirs.attach("SystemAssigned")) == "AuthorizationFailed"
    await needs_assign_right(world, ACCOUNT, VERSION, "Contributor")
