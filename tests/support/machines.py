"""Machines of a running stack: what they have, by Azure's account."""

import asyncio

from demo.stack import LOCATION, Stack
from simulator.faults import Fault

GROUP = "rg-shop"


async def principals_of(stack: Stack, name: str) -> list[str]:
    """Of the identities that are attached to it."""
    machine = await stack.operator.vm(GROUP, name)
    assert machine is not None
    attached = (machine.identity and machine.identity.user_assigned_identities) or {}
    return [str(value.principal_id) for value in attached.values()]


async def roles_of(stack: Stack, principal: str) -> list[str]:
    """The GUIDs of their roles."""
    found = await stack.operator.assignments(principal)
    return [str(one.role_definition_id).rpartition("/")[2] for one in found]


async def created(stack: Stack, *names: str) -> None:
    """At once."""
    await asyncio.gather(*(stack.operator.create_vm(GROUP, name, LOCATION) for name in names))


async def until_in_hand(stack: Stack, slow: Fault, count: int) -> None:
    """Return once the app has begun so many of the calls that the fault slows down."""
    while slow.hits < count:
        await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
