"""Patience with Azure, for commands that a person waits for."""

from collections.abc import Awaitable, Callable

from lanyard.errors import Temporary

#: So many seconds a call may wait in all. ARM's throttling asks for about ten; a person waits.
_PATIENCE = 25.0

type Sleep = Callable[[float], Awaitable[None]]


async def patiently[T](call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """The call, again after the delay that a temporary failure asks for, within reason."""
    waited = 0.0
    while True:
        try:
            return await call()
        except Temporary as error:
            delay = max(error.delay, 1.0)
            if waited + delay > _PATIENCE:
                raise
            waited += delay
            await sleep(delay)
