"""The whole of one local Azure, in this process: its state, its services and its front door."""

from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from simulator.arm import cloud_metadata, denials
from simulator.arm.calls import Call
from simulator.arm.guard import Guard
from simulator.arm.messages import Operation
from simulator.arm.pipeline import Pipeline
from simulator.arm.replicas import Replicas
from simulator.arm.routing import Routes
from simulator.authorization import routes as authorization_routes
from simulator.authorization.access import Access
from simulator.authorization.assignments import RoleAssignments, assignment_id, definition_id
from simulator.authorization.conditions import parse_condition
from simulator.authorization.definitions import RoleDefinitions, built_in_roles
from simulator.behaviour import Behaviour
from simulator.clock import Clock
from simulator.compute import models as compute
from simulator.compute import routes as compute_routes
from simulator.compute.run_command import RunCommand
from simulator.compute_types import ComputeTypes
from simulator.faults import Faults
from simulator.locks import routes as lock_routes
from simulator.locks.models import Locks
from simulator.managed_identity import routes as identity_routes
from simulator.managed_identity.attach import Attacher
from simulator.managed_identity.models import UserAssignedIdentities
from simulator.operations import Operations
from simulator.resource_graph import routes as resource_graph_routes
from simulator.resource_groups import routes as resource_routes
from simulator.resource_groups.models import ResourceGroups
from simulator.resource_ids import normalise
from simulator.services import Services
from simulator.state import Principal, RoleAssignment, State
from simulator.tokens.credential import AsyncPrincipalCredential, PrincipalCredential
from simulator.tokens.jwt import TokenIssuer
from simulator.transport import InProcessTransport, SyncInProcessTransport

#: Where in-process clients believe ARM to be: bearer tokens need https.
IN_PROCESS_URL = "https://arm.local"
_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]


class Azure:
    """One tenant. `clock` stands still unless it is made running; `seed` decides every id."""

    def __init__(
        self, seed: int = 1, clock: Clock | None = None, behaviour: Behaviour | None = None
    ) -> None:
        self.state = State(seed=seed, clock=clock, behaviour=behaviour)
        self.tokens = TokenIssuer(self.state)
        self.faults = Faults(seed, self.state.clock.now)
        self.operations = Operations(self.state)
        self.replicas = Replicas(self.state)
        self.access = Access(self.state)
        self.locks = Locks(self.access)
        self.role_definitions = RoleDefinitions(self.state, self.access)
        for role in built_in_roles():
            self.state.role_definitions[role.guid] = role
        self.arm = Routes()
        self._pipeline = Pipeline(
            self.state,
            self.arm,
            Guard(self.behaviour, self.access, self.tokens, self.locks),
            self.faults,
            self.operations,
            self.replicas,
        )
        self.services = Services(self.state, self.tokens, self.access, self.faults, self.operations)
        self._mounts: list[BaseRoute] = [*cloud_metadata.routes(), *self.services.routes()]
        self._app: Starlette | None = None
        self._add_services()

    @property
    def clock(self) -> Clock:
        """The one clock of all services."""
        return self.state.clock

    @property
    def behaviour(self) -> Behaviour:
        """The switches, which may be flipped while it runs."""
        return self.state.behaviour

    @property
    def calls(self) -> list[Call]:
        """Every ARM request so far, oldest first; clear it between the steps of a test."""
        return self._pipeline.calls

    def calls_of(self, object_id: str) -> list[Call]:
        """The ARM requests of one principal."""
        return [call for call in self.calls if call.caller == object_id]

    def mount(self, path: str, routes: Iterable[BaseRoute]) -> None:
        """Serve `routes` below `path`; ARM has all the rest. The latest mount of a path wins."""
        self._mounts.insert(0, Mount(path, routes=list(routes)))
        self._app = None

    def add_operations(self, operations: Iterable[Operation]) -> None:
        """Serve more operations of ARM; the latest wins where two fit."""
        self.arm.add(operations)

    @property
    def app(self) -> Starlette:
        """ARM at "/", and what was mounted."""
        if self._app is None:
            arm = Route("/{path:path}", _ArmEndpoint(self._pipeline), methods=_METHODS)
            self._app = Starlette(routes=[*self._mounts, arm])
        return self._app

    def transport(self) -> InProcessTransport:
        """For the SDK's aio clients: `transport=azure.transport()`."""
        return InProcessTransport(self.app, self.clock)

    def sync_transport(self) -> SyncInProcessTransport:
        """For the SDK's synchronous clients."""
        return SyncInProcessTransport(self.app, self.clock)

    def client_options(self, principal: Principal) -> dict[str, Any]:
        """Keyword arguments of any aio management client that is to act as `principal`."""
        return {
            "credential": AsyncPrincipalCredential(self.tokens, principal),
            "transport": self.transport(),
            **_ENDPOINT,
        }

    def sync_client_options(self, principal: Principal) -> dict[str, Any]:
        """The same for the synchronous clients."""
        return {
            "credential": PrincipalCredential(self.tokens, principal),
            "transport": self.sync_transport(),
            **_ENDPOINT,
        }

    def assign(
        self,
        principal_id: str,
        role: str,
        scope: str,
        *,
        condition: str | None = None,
        name: str | None = None,
        description: str | None = None,
        made_at: float | None = None,
    ) -> RoleAssignment:
        """Give a role (display name or GUID) straight in the state, at work at once.

        `made_at` is on the clock, now by default. Raises KeyError for an unknown role and
        InvalidCondition.
        """
        if condition is not None:
            parse_condition(condition)
        definition = self.role_definitions.by_name(role)
        principal = self.state.principals.get(principal_id)
        name, at = name or self.state.ids.uuid(), self.clock.now() if made_at is None else made_at
        made = RoleAssignment(
            id=assignment_id(scope, name),
            name=name,
            scope=normalise(scope),
            role_definition_id=definition_id(scope, definition.guid),
            principal_id=principal_id,
            principal_type=principal.kind if principal else "ServicePrincipal",
            description=description,
            condition=condition,
            condition_version="2.0" if condition else None,
            created_at=at,
            created_by=principal_id,
            updated_at=at,
            updated_by=principal_id,
        )
        self.state.role_assignments[made.id.lower()] = made
        return made

    def attacher(self, resource_type: str, **options: Any) -> Attacher:
        """What attaches identities to resources of a type, for its service."""
        return Attacher(self.state, self.access, f"{resource_type}/write", **options)

    def _add_services(self) -> None:
        groups = ResourceGroups(self.state, self.operations)
        machines = compute.VirtualMachines(
            self.state, self.operations, self.attacher(compute.TYPE, rules=compute.RULES)
        )
        identities = UserAssignedIdentities(self.state)
        assignments = RoleAssignments(self.state, self.access)
        resources = resource_routes.operations(
            groups, self.operations, self.access, self.arm.operations
        )
        self.arm.add(resources)
        self.arm.add(compute_routes.operations(machines, self.operations))
        self.run_command = RunCommand(self.state)
        self.arm.add(self.run_command.operations())
        self.compute_types = ComputeTypes(self.state, self.operations, self.access, machines)
        self.arm.add(self.compute_types.arm_operations())
        self.arm.add(identity_routes.operations(identities))
        self.arm.add(authorization_routes.operations(assignments, self.role_definitions))
        self.arm.add(lock_routes.operations(self.state, self.locks))
        self.arm.add(denials.operations(self.behaviour))
        self.arm.add(resource_graph_routes.operations(self.state, self.access))
        self.arm.add(self.services.operations())


_ENDPOINT: dict[str, Any] = {
    "base_url": IN_PROCESS_URL,
    "credential_scopes": ["https://management.azure.com/.default"],
}


class _ArmEndpoint:
    """The pipeline as an ASGI app."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        response = await self._pipeline.serve(Request(scope, receive))
        await response(scope, receive, send)
