"""How many identities one request may attach."""

from tests.support.arm.generic import generic, make_identities, refused
from tests.support.arm.world import LOCATION, World

ACCOUNT = "Microsoft.Automation/automationAccounts/account1"


async def test_more_than_150_at_once_are_refused_and_more_than_that_in_all_are_not(
    world: World,
) -> None:
    ids = await make_identities(world, *(f"id{number}" for number in range(151)))
    async with generic(world, ACCOUNT, "2024-10-23") as one:
        await one.put(location=LOCATION)
        assert await refused(one.attach("UserAssigned", *ids)) == "FailedIdentityOperation"
        assert await one.attached() == []
        await one.attach("UserAssigned", *ids[:150])
        await one.attach("UserAssigned", *ids)
        assert len(await one.attached()) == 151
