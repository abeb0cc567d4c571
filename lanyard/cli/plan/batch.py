"""Previews of many resources at once: in order, and one failure stops nothing else."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanyard.desk.look_ahead import Preview, Previewer
from lanyard.policy import Policy
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId

if TYPE_CHECKING:
    from lanyard.desk.azure.inventory import Inventory

#: Reads under way at once: enough to be quick, few beside ARM's 250 in a row.
_AT_ONCE = 8

#: Called with how many are done, and of how many.
type Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one resource: a preview, or why there is none. `gone`: it is not there."""

    id: ResourceId
    preview: Preview | None = None
    error: str = ""
    gone: bool = False


async def look_ahead(
    policy: Policy,
    targets: Sequence[ResourceId],
    previewer: Previewer,
    inventory: "Inventory",
    progress: Progress,
) -> list[Looked]:
    """Preview every target, and all that is below those that are scopes.

    A resource that was named and is not there is an error; one that is gone since the scope was
    listed is left out. Raises Temporary, Permanent where a scope cannot be listed.
    """
    named = [target for target in targets if target.type]
    listed: list[ResourceId] = []
    for scope in [target for target in targets if not target.type]:
        listed += await inventory.resources(scope, policy.types())
    every = list(dict.fromkeys([*named, *listed]))
    look = _Look(previewer, len(every), progress)
    looked = await asyncio.gather(*(look.at(resource) for resource in every))
    return [resource for resource in looked if resource.id in named or not resource.gone]


class _Look:
    """One look ahead: what its resources share is asked for once."""

    def __init__(self, previewer: Previewer, total: int, progress: Progress) -> None:
        self._previewer = previewer
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._total = total
        self._done = 0
        self._progress = progress

    async def at(self, resource: ResourceId) -> Looked:
        """Never raises for the resource's own sake."""
        async with self._slots:
            self._progress(self._done, self._total)
            try:
                preview = await self._previewer.preview(resource)
                if preview is None:
                    return Looked(resource, error=f"{resource} does not exist", gone=True)
                return Looked(resource, preview)
            except (Temporary, Permanent) as error:
                return Looked(resource, error=str(error))
            finally:
                self._done += 1
                self._progress(self._done, self._total)
