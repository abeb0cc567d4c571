"""A burst, a stop, a storage that is away, a start that is past due: in ours and in Microsoft's."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from azure.storage.blob.aio import ContainerClient

from chaos.storage import StorageFront
from demo.stack import BLOB_READER, TIMERS_OFF, Stack
from simulator.faults import Fault
from simulator.functions_host.ncrontab import parse_schedule
from simulator.functions_host.timer_state import BlobState, Status
from tests.support.app_queues import poisoned
from tests.support.machines import created, principals_of, roles_of, until_in_hand

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
    pytest.mark.host_check,
]

type Either = tuple[Stack, StorageFront]

AWAY_SECONDS = 60


async def served(stack: Stack, names: list[str]) -> None:
    """Each has its identity and role; nothing was given up."""
    for name in names:
        (principal,) = await principals_of(stack, name)
        assert await roles_of(stack, principal) == [BLOB_READER], name
    assert await poisoned(stack) == 0


def slowed(stack: Stack, path: str, seconds: float, times: int) -> Fault:
    """So many of the app's reads take so long."""
    fault = Fault(method="GET", path=path, delay=seconds, times=times, caller=stack.app_principal)
    stack.azure.faults.add(fault)
    return fault


async def test_a_burst_is_served_to_the_last_machine(either: Either) -> None:
    stack, _ = either
    names = [f"vm-burst-{number}" for number in range(40)]
    await created(stack, *names)
    await stack.quiet()
    await served(stack, names)


async def test_a_stop_takes_what_it_cannot_wait_for_and_the_next_host_does_it(
    either: Either,
) -> None:
    """Hidden for the rest of its ten minutes, which are 36 seconds here."""
    stack, _ = either
    names = [f"vm-stopped-{number}" for number in range(6)]
    slow = slowed(stack, "/vm-stopped-.$", 60, len(names))
    await created(stack, *names)
    await until_in_hand(stack, slow, len(names))
    before = time.monotonic()
    assert await stack.host.stop() == 0
    assert 8 < time.monotonic() - before < 25
    stack.azure.faults.clear()
    await stack.host.start()
    await stack.quiet()
    await served(stack, names)


@pytest.mark.parametrize("how", ["503", "reset before it acted"])
async def test_a_storage_that_is_away_for_a_minute_costs_no_machine_its_identity(
    either: Either, how: str
) -> None:
    """The host ends, and whoever started it starts it again."""
    stack, front = either
    kind, ended = how.partition(" ")[0], stack.host.ended
    names = [f"vm-away-{kind}-{number}" for number in range(10)]
    slow = slowed(stack, f"/vm-away-{kind}-.$", 5, len(names))
    await created(stack, *names)
    await until_in_hand(stack, slow, len(names))
    front.down = how
    await asyncio.sleep(AWAY_SECONDS)
    front.down = ""
    stack.azure.faults.clear()
    await stack.quiet()
    assert stack.host.ended > ended
    await served(stack, names)


async def test_a_start_after_a_missed_time_runs_every_timer_at_once(either: Either) -> None:
    stack, _ = either
    schedules = await timed(stack)
    await stack.host.stop()
    for name, schedule in schedules.items():
        await missed(stack, name, schedule)
    for setting in TIMERS_OFF:
        del stack.host.settings[setting]
    before = len(stack.host.log_file.read_text(errors="replace"))
    await stack.host.start()
    async with asyncio.timeout(120):
        while not all(f"Executed 'Functions.{name}'" in said(stack, before) for name in schedules):
            await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.2)
    for name in schedules:
        assert f"Executed 'Functions.{name}' (Succeeded" in said(stack, before), name


def said(stack: Stack, before: int) -> str:
    return stack.host.log_file.read_text(errors="replace")[before:]


async def timed(stack: Stack) -> dict[str, str]:
    """The functions that the clock starts, and their schedules, as the host lists them."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(
            f"{stack.host.url}/admin/functions",
            headers={"x-functions-key": stack.host.keys["master"]},
        )
    bindings = {each["name"]: each["config"]["bindings"][0] for each in answer.json()}
    found = {name: binding.get("schedule") for name, binding in bindings.items()}
    return {name: schedule for name, schedule in found.items() if schedule}


async def missed(stack: Stack, name: str, schedule: str) -> None:
    """What both hosts remember in the same place: it ran two hours ago, and not since."""
    parsed = parse_schedule(schedule)
    last = parsed.next_after(datetime.now(UTC) - timedelta(hours=2))
    status = Status(last, parsed.next_after(last), last)
    container = ContainerClient(
        stack.azurite.blob_url,
        "azure-webjobs-hosts",
        credential=stack.operator.credential,
        **stack.operator.options,
    )
    async with container:
        if not await container.exists():
            await container.create_container()
        await BlobState(container, "lanyard", name).write(status)
