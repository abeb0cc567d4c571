"""Every kind of compute beside the plain virtual machine, over one state."""

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.compute import scale_set_routes
from simulator.compute.models import VirtualMachines
from simulator.compute.scale_sets import FlexibleMachines, ScaleSets
from simulator.operations import Operations
from simulator.state import State
from simulator.web import models as web
from simulator.web import routes as web_routes


class ComputeTypes:
    """One service a type. `sites.restarts` and `slots.restarts` count what identities cost."""

    def __init__(
        self, state: State, operations: Operations, access: Access, machines: VirtualMachines
    ) -> None:
        parts = state, operations, access
        self.scale_sets = ScaleSets(*parts)
        self.flexible_machines = FlexibleMachines(state, machines)
        self.sites = web.Sites(*parts, web.SITES)
        self.slots = web.Sites(*parts, web.SLOTS)

    def arm_operations(self) -> list[Operation]:
        """What they add to ARM."""
        return [
            *scale_set_routes.operations(self.scale_sets, self.flexible_machines),
            *web_routes.operations(self.sites, self.slots),
        ]
