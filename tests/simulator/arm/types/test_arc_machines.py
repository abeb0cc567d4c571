"""Arc machines: a system-assigned identity and no other."""

from tests.support.arm.generic import generic, graph_rows, identity, make_identities, refused, told
from tests.support.arm.world import LOCATION, World

KIND = "Microsoft.HybridCompute/machines"
MACHINE = f"{KIND}/server1"
VERSION = "2025-01-13"
SYSTEM = {"type": "SystemAssigned"}


async def test_a_machine_has_the_identity_its_agent_made_and_loses_it_with_itself(
    world: World,
) -> None:
    seen = told(world)
    async with generic(world, MACHINE, VERSION) as one:
        await one.put(location=LOCATION, identity=SYSTEM, properties={"osName": "linux"})
        shown = await one.get()
        principal = world.azure.state.principals[shown.identity.principal_id]
        assert (shown.properties["status"], principal.deleted_at) == ("Connected", None)
        assert [row["name"] for row in await graph_rows(world, KIND)] == ["server1"]
        await one.delete()
    assert principal.deleted_at is not None
    assert [action for action, _ in seen] == [f"{KIND}/write", f"{KIND}/delete"]


async def test_user_assigned_identities_are_refused(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with generic(world, MACHINE, VERSION) as one:
        await one.put(location=LOCATION, identity=SYSTEM)
        for kind in ("UserAssigned", "SystemAssigned, UserAssigned"):
            patch = one.patch(identity=identity(kind, first))
            assert await refused(patch) == "CannotSetResourceIdentity"
        assert await one.identity_type() == "SystemAssigned"


async def test_machines_are_listed_and_guarded(world: World) -> None:
    async with generic(world, MACHINE, VERSION) as one:
        await one.put(location=LOCATION, identity=SYSTEM)
    path = f"{one.resource_id.rpartition('/')[0]}?api-version={VERSION}"
    assert b'"server1"' in (await world.raw("GET", path)).content
    assert (await world.raw("GET", path, principal=world.app)).status == 403
