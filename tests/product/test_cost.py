"""The first rows of the cost table in docs/design.md: ARM calls are counted, not estimated."""

from tests.support.estate import Estate

POLL = "GET operations"


def without_polls(calls: list[str]) -> list[str]:
    return [call for call in calls if "operations/" not in call]


async def prepared(estate: Estate) -> None:
    """Identity and grant exist, because another machine has them."""
    await estate.create_vm("vm0")
    await estate.settle()


async def test_a_new_machine_costs_one_get_and_one_patch(estate: Estate) -> None:
    await prepared(estate)
    await estate.create_vm("vm1")
    events = estate.new_events()
    estate.app_calls()
    message = await estate.deliver(events[-1])
    assert message
    await estate.work(message)
    calls = estate.app_calls()
    assert without_polls(calls) == [
        "GET virtualMachines/vm1",
        "PATCH virtualMachines/vm1",
        "GET virtualMachines/vm1",
    ]
    polls = [call for call in calls if "operations/" in call]
    assert len(polls) <= 1
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_an_event_for_a_machine_already_as_desired_costs_one_get(estate: Estate) -> None:
    await prepared(estate)
    await estate.create_vm("vm0")  # a second write that changes nothing
    estate.app_calls()
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    assert estate.app_calls() == ["GET virtualMachines/vm0"]


async def test_our_own_write_coming_back_costs_nothing(estate: Estate) -> None:
    await estate.create_vm("vm0")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    own = estate.new_events()
    estate.app_calls()
    assert any(e["data"]["operationName"].endswith("virtualMachines/write") for e in own)
    assert [await estate.deliver(event) for event in own] == [None] * len(own)
    assert estate.app_calls() == []
