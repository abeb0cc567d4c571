"""What the local Azure has beside the ARM services: directory, Event Grid, storage, identities."""

from starlette.routing import BaseRoute, Mount

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.blobs import routes as blob_routes
from simulator.blobs.models import BlobStore
from simulator.deployments import routes as deployment_routes
from simulator.deployments.models import Deployments
from simulator.directory import routes as directory_routes
from simulator.directory.models import Directory
from simulator.directory.recycle_bin import RecycleBin
from simulator.event_grid import custom_topic_routes, publishing
from simulator.event_grid import routes as event_grid_routes
from simulator.event_grid.custom_topics import CustomTopics
from simulator.event_grid.service import EventGrid
from simulator.faults import Faults
from simulator.insights import activity_log, component_routes, ingestion, workspaces
from simulator.insights import routes as insights_routes
from simulator.insights.components import Components
from simulator.network import routes as network_routes
from simulator.operations import Operations
from simulator.policy import routes as policy_routes
from simulator.policy.models import Policies
from simulator.state import State
from simulator.storage import routes as storage_routes
from simulator.storage.models import StorageAccounts
from simulator.tokens.endpoints import ManagedIdentityEndpoints
from simulator.tokens.jwt import TokenIssuer


class Services:
    """One of each, over one state. `graph`, `blob`, `publishing` (to custom topics) and `ingestion`
    (of telemetry) record their requests in `calls`.
    """

    def __init__(
        self,
        state: State,
        tokens: TokenIssuer,
        access: Access,
        faults: Faults,
        operations: Operations,
    ) -> None:
        self.tokens = tokens
        self.identity_endpoints = ManagedIdentityEndpoints(state, tokens)
        self.directory = Directory(state)
        self.recycle_bin = RecycleBin(state, self.directory.behaviour)
        self.event_grid = EventGrid(state)
        self.custom_topics = CustomTopics(state, operations, access)
        self.components = Components(state, operations, access)
        self.storage_accounts = StorageAccounts(state, operations, access)
        self.blobs = BlobStore(state)
        self.policies = Policies(state)
        self.deployments = Deployments(state)
        self.graph = directory_routes.data_plane(state, tokens, faults)
        self.blob = blob_routes.data_plane(state, tokens, faults)
        self.publishing = publishing.data_plane(state, tokens, faults)
        self.ingestion = ingestion.data_plane(state, tokens, faults)
        self._state = state
        self._access = access
        self._operations = operations

    def operations(self) -> list[Operation]:
        """What they add to ARM."""
        return [
            *event_grid_routes.operations(
                self._state, self.event_grid, self._access, self._operations
            ),
            *custom_topic_routes.operations(self.custom_topics),
            *storage_routes.operations(self.storage_accounts),
            *component_routes.operations(self.components),
            *activity_log.operations(self._state),
            *insights_routes.operations(self._state, self._operations, self._access),
            *workspaces.operations(
                workspaces.Workspaces(self._state, self._operations, self._access)
            ),
            *deployment_routes.operations(self.deployments),
            *policy_routes.operations(self.policies),
            *network_routes.operations(self._state, self._operations, self._access),
        ]

    def routes(self) -> list[BaseRoute]:
        """What is served beside ARM, on the same address, each below a folder of its own."""
        blobs = blob_routes.routes(self.blobs, self.storage_accounts, self._access, self.blob)
        graph = directory_routes.routes(self.directory, self.recycle_bin, self.graph)
        topics = publishing.routes(self.custom_topics, self._access, self.publishing)
        telemetry = ingestion.routes(self.components, self._access, self.ingestion)
        return [
            Mount("/graph", routes=graph),
            Mount("/blob", routes=blobs),
            Mount("/eventgrid", routes=topics),
            Mount("/insights", routes=telemetry),
        ]
