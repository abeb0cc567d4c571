"""A deployment goes on in Azure whether or not whoever began it still waits for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.errors import gateway_error
from simulator.resource_ids import normalise
from simulator.state import State

RUNNING, SUCCEEDED, CANCELED = "Running", "Succeeded", "Canceled"


@dataclass
class Deployment:
    """`makes` happens at `ends_at` on the simulator's clock, unless it is called off before."""

    id: str
    ends_at: float
    makes: Callable[[], None]
    state: str = RUNNING


@dataclass
class Deployments:
    """By the lower-case id."""

    state: State
    found: dict[str, Deployment] = field(default_factory=dict)

    def begin(self, id_: str, seconds: float, makes: Callable[[], None]) -> None:
        """Raises AzureError 409 while one of that name goes on."""
        before = self.found.get(id_.lower())
        if before is not None and self._looked_at(before).state == RUNNING:
            text = (
                f"Unable to edit or replace deployment '{id_.rpartition('/')[2]}': previous "
                "deployment is still active."
            )
            raise gateway_error(409, "DeploymentActive", text)
        self.found[id_.lower()] = Deployment(id_, self.state.clock.now() + seconds, makes)

    def get(self, id_: str) -> Deployment:
        """Raises AzureError 404."""
        found = self.found.get(normalise(id_).lower())
        if found is None:
            name = id_.rpartition("/")[2]
            raise gateway_error(
                404, "DeploymentNotFound", f"Deployment '{name}' could not be found."
            )
        return self._looked_at(found)

    def cancel(self, id_: str) -> None:
        """Raises AzureError 409 where it has ended."""
        found = self.get(id_)
        if found.state != RUNNING:
            text = f"The deployment '{id_.rpartition('/')[2]}' has ended already."
            raise gateway_error(409, "DeploymentCannotBeCancelled", text)
        found.state = CANCELED

    def settle(self) -> None:
        """What has ended by now has made what it makes."""
        for each in self.found.values():
            self._looked_at(each)

    def _looked_at(self, found: Deployment) -> Deployment:
        if found.state == RUNNING and self.state.clock.now() >= found.ends_at:
            found.state = SUCCEEDED
            found.makes()
        return found
