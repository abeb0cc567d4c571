"""Replicas of ARM that have not heard yet."""

from tests.support.estate import Estate


async def reads(estate: Estate) -> int:
    """The status of a read of the machine, as Lanyard makes it."""
    found = await estate.services.compute.read(estate.vm_id("vm1"))
    return 404 if found is None else 200


async def test_a_read_answers_404_for_what_is_there_for_a_while() -> None:
    estate = Estate()
    await estate.create_groups()
    machine = await estate.create_vm("vm1")
    estate.azure.replicas.miss(machine.text, 30)
    assert await reads(estate) == 404
    assert machine.text.lower() in estate.azure.state.resources
    estate.azure.clock.advance(30)
    assert await reads(estate) == 200


async def test_a_read_shows_what_is_gone_for_a_while() -> None:
    estate = Estate()
    await estate.create_groups()
    machine = await estate.create_vm("vm1")
    estate.azure.replicas.keep(machine.text, 30)
    await estate.delete_vm("vm1")
    assert await reads(estate) == 200
    estate.azure.replicas.catch_up()
    assert await reads(estate) == 404
