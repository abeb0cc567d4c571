"""Writes that answer as they should and do nothing: people met them."""

from collections.abc import Iterator
from contextlib import contextmanager

from simulator.arm.messages import ArmRequest
from simulator.resource_ids import parse
from simulator.state import State


@contextmanager
def ignoring(state: State, request: ArmRequest) -> Iterator[None]:
    """The state is afterwards as before, where a switch names the type that is written.

    What goes on after the answer finds that the resource is not as it left it, and does nothing.
    """
    resource = parse(request.path)
    ignored = state.behaviour.ignored_writes
    if request.method not in ("PUT", "PATCH") or resource is None:
        yield
        return
    if resource.type.lower() not in ignored:
        yield
        return
    key = request.path.lower()
    before = state.resources.get(key)
    yield
    if before is not None:
        state.resources[key] = before
    else:
        state.resources.pop(key, None)
