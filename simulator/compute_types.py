"""Every kind of compute beside the plain virtual machine, over one state."""

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.automation import models as automation
from simulator.automation import routes as automation_routes
from simulator.batch import models as batch
from simulator.batch import routes as batch_routes
from simulator.compute import scale_set_routes
from simulator.compute.models import VirtualMachines
from simulator.compute.scale_sets import FlexibleMachines, ScaleSets
from simulator.container_apps import models as container_apps
from simulator.container_apps import routes as container_app_routes
from simulator.container_instance import models as container_instance
from simulator.container_instance import routes as container_instance_routes
from simulator.container_service import routes as container_service_routes
from simulator.container_service.models import ManagedClusters
from simulator.hybrid_compute import models as hybrid_compute
from simulator.hybrid_compute import routes as hybrid_compute_routes
from simulator.logic import models as logic
from simulator.logic import routes as logic_routes
from simulator.operations import Operations
from simulator.state import State
from simulator.web import function_app
from simulator.web import models as web
from simulator.web import routes as web_routes
from simulator.web.function_app import FunctionApps


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
        self.function_apps = FunctionApps(self.sites.state)
        self.container_apps = container_apps.ContainerApps(*parts, container_apps.CONTAINER_APPS)
        self.jobs = container_apps.Jobs(*parts, container_apps.JOBS)
        self.batch_accounts = batch.BatchAccounts(*parts, batch.ACCOUNTS)
        self.pools = batch.Pools(*parts, batch.POOLS)
        self.automation_accounts = automation.AutomationAccounts(*parts, automation.ACCOUNTS)
        self.clusters = ManagedClusters(*parts)
        self.container_groups = container_instance.ContainerGroups(
            *parts, container_instance.GROUPS
        )
        self.arc_machines = hybrid_compute.ArcMachines(*parts, hybrid_compute.MACHINES)
        self.workflows = logic.Workflows(*parts, logic.WORKFLOWS)

    def arm_operations(self) -> list[Operation]:
        """What they add to ARM."""
        return [
            *scale_set_routes.operations(self.scale_sets, self.flexible_machines),
            *web_routes.operations(self.sites, self.slots),
            *function_app.operations(self.function_apps, web_routes.VERSIONS),
            *container_app_routes.operations(self.container_apps, self.jobs),
            *batch_routes.operations(self.batch_accounts, self.pools),
            *automation_routes.operations(self.automation_accounts),
            *container_service_routes.operations(self.clusters),
            *container_instance_routes.operations(self.container_groups),
            *hybrid_compute_routes.operations(self.arc_machines),
            *logic_routes.operations(self.workflows),
        ]
