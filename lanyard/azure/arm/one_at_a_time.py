"""Writes that exclude each other, one after the other in this process.

App Service takes one change at a time of all apps of a plan, and answers 429 with the code "429",
"Cannot acquire exclusive lock", to every other (recorded): thirty apps of one plan that went at
once would refuse each other for an hour. An environment of container apps answers 409
`ManagedEnvironmentOperationInProgress` while something in it is changed (azure-container-apps issue
701), though not always: its apps, and the pools of a Batch account, go one after the other from
the first such answer on. What another instance, or somebody else, is at is asked again after a
short while, which does not double: nothing failed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from azure.core.exceptions import HttpResponseError

from lanyard.azure.arm.answers import part, text
from lanyard.azure.arm.failures import code_of, retry_after
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import AtWork, NotYet
from lanyard.values.resource_id import folded

#: So long (seconds) one waits in this process before its message is put back.
PATIENCE = 120.0
# When a message that was put back comes again, and a write that another one's lock refused.
_BACK_DELAY = 5.0
_LOCKED_SECONDS = 1.0
_TRIES = 5
_LOCKED_CODE = "429"
# How the codes of services end that name an operation, or a lock of one, in the way (409).
_IN_PROGRESS = ("OperationInProgress", "LockConflict")
# Whose writes exclude each other whatever was answered before.
_ALWAYS = "/serverfarms/"

_PARENTS = ("serverFarmId", "managedEnvironmentId", "environmentId")
_POOL = "microsoft.batch/batchaccounts/pools"

type Sleep = Callable[[float], Awaitable[None]]


def shared_parent(resource: ComputeResource) -> str:
    """What the writes of several resources may exclude each other for (lower-case id), or "": the
    plan of an app or a slot, the environment of a container app or a job, the account of a pool.
    """
    if folded(resource.id.type) == _POOL:
        return "/".join(resource.id.key.split("/")[:-2])
    properties = part(resource.raw, "properties")
    named = (text(properties, each) for each in _PARENTS)
    return folded(next(filter(None, named), ""))


class OneAtATime:
    """Those of one process; a lock lives as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: Parents of which Azure answered that their writes exclude each other.
        self._excluding: set[str] = set()

    @asynccontextmanager
    async def alone(self, parent: str) -> AsyncIterator[None]:
        """While the context is open no other has it. Raises NotYet where that takes long."""
        if not (parent in self._excluding or _ALWAYS in parent):
            yield
            return
        lock = self._locks.setdefault(parent, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE):
                await lock.acquire()
        except TimeoutError as error:
            raise NotYet(f"others of {parent} are written first", _BACK_DELAY) from error
        try:
            yield
        finally:
            lock.release()

    async def past_locks[T](
        self, parent: str, write: Callable[[], Awaitable[T]], sleep: Sleep
    ) -> T:
        """The write, some times over while another instance has the lock of its parent. Raises
        AtWork where that goes on, and what `write` raises.
        """
        for _ in range(_TRIES):
            try:
                return await write()
            except HttpResponseError as error:
                if not parent or not _is_locked(error):
                    raise
                refused = error
            self._excluding.add(parent)
            await sleep(_LOCKED_SECONDS)
        delay = retry_after(refused.response, _BACK_DELAY)
        raise AtWork(f"another write has the lock of {parent}: {refused.message}", delay)


def _is_locked(error: HttpResponseError) -> bool:
    """Every other 429 is of a quota that is used up: that is the limiter's to heed."""
    status, code = error.status_code, code_of(error)
    return (status, code) == (429, _LOCKED_CODE) or (status == 409 and code.endswith(_IN_PROGRESS))
