"""Consumption Logic Apps: one kind of identity, written by PUT."""

from tests.support.arm.generic import generic, graph_rows, identity, make_identities, refused, told
from tests.support.arm.world import LOCATION, World

KIND = "Microsoft.Logic/workflows"
WORKFLOW = f"{KIND}/flow1"
VERSION = "2019-05-01"


async def test_a_put_changes_from_one_kind_of_identity_to_the_other(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    async with generic(world, WORKFLOW, VERSION) as one:
        await one.put(location=LOCATION, identity={"type": "SystemAssigned"}, properties={})
        principal = (await one.get()).identity.principal_id
        both = one.put(location=LOCATION, identity=identity("SystemAssigned, UserAssigned", first))
        assert await refused(both) == "CannotSetResourceIdentity"
        two = one.put(location=LOCATION, identity=identity("UserAssigned", first, second))
        assert await refused(two) == "InvalidParameter"
        await one.put(location=LOCATION, identity=identity("UserAssigned", first))
        assert await one.attached() == ["first"]
    assert world.azure.state.principals[principal].deleted_at is not None


async def test_a_patch_changes_tags_alone(world: World) -> None:
    async with generic(world, WORKFLOW, VERSION) as one:
        await one.put(location=LOCATION, properties={"state": "Enabled"})
        await one.patch(tags={"a": "1"}, identity={"type": "SystemAssigned"})
        assert (await one.identity_type(), (await one.get()).tags) == (None, {"a": "1"})


async def test_writes_and_deletions_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with generic(world, WORKFLOW, VERSION) as one:
        await one.put(location=LOCATION, properties={})
        assert len(await graph_rows(world, KIND)) == 1
        await one.delete()
    assert [action for action, _ in seen] == [f"{KIND}/write", f"{KIND}/delete"]
    async with generic(world, WORKFLOW, VERSION, world.app) as theirs:
        assert await refused(theirs.put(location=LOCATION)) == "AuthorizationFailed"
