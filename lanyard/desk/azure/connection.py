"""Azure as a person at the command line sees it: with their own credentials and rights."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport

from lanyard.azure.arm.activity_log import ActivityLog
from lanyard.azure.arm.clients import Clients, Throttling
from lanyard.azure.arm.compute import Compute
from lanyard.azure.arm.identities import Identities
from lanyard.azure.arm.obstacles import Obstacles
from lanyard.azure.arm.resource_graph import ResourceGraph
from lanyard.azure.arm.role_assignments import Roles
from lanyard.azure.arm.transport import Transport
from lanyard.azure.directory import Directory
from lanyard.desk.azure.inventory import Inventory
from lanyard.desk.azure.patience import PATIENCE, Patient
from lanyard.desk.azure.people import People
from lanyard.desk.azure.scope_rights import ScopeRights
from lanyard.desk.azure.sign_in import SignIn, signed_in
from lanyard.ports.azure import Azure
from lanyard.values.clouds import Cloud, Endpoint
from lanyard.values.resource_id import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a command asks of Azure."""

    clients: Clients  # they also know how to wait
    compute: Compute
    identities: Identities
    assignments: Roles
    inventory: Inventory  # which resources a scope has
    rights: ScopeRights  # who has roles at a scope
    people: People  # what the directory shows of principals

    def ports(self, control_principal: str, installation: str = "") -> Azure:
        """What the product asks of Azure, with the caller's rights.

        `control_principal`: the object id of the app's own identity, "" where it is not known: the
        directory is believed where it knows it. `installation` (GUID, lower case): whose role
        assignments count as Lanyard's own; "" for nobody's.
        """
        return Azure(
            compute=self.compute,
            identities=self.identities,
            assignments=Roles(self.clients, installation),
            index=ResourceGraph(self.clients),
            directory=Directory(self.clients, control_principal),
            activity_log=ActivityLog(self.clients),
            obstacles=Obstacles(self.clients),
            own_principal=folded(control_principal),
        )


@asynccontextmanager
async def reading(cloud: Cloud, sign_in: SignIn) -> AsyncIterator[Reading]:
    """Connected as whoever runs the command, while the context is open.

    Raises Permanent where nobody is signed in.
    """
    async with (
        signed_in(cloud, sign_in) as me,
        reading_over(me.credential, cloud.arm, cloud.graph) as connected,
    ):
        yield connected


@asynccontextmanager
async def reading_over(
    credential: AsyncTokenCredential,
    arm: Endpoint,
    graph: Endpoint,
    transport: AsyncHttpTransport[Any, Any] | None = None,
) -> AsyncIterator[Reading]:
    """Over a credential; the clients are closed at the end. A call waits where it is asked to."""
    clients = Clients(
        credential,
        arm=arm,
        graph=graph,
        transport=Patient(transport or Transport()),
        throttling=Throttling(patience=PATIENCE),
    )
    try:
        yield Reading(
            clients=clients,
            compute=Compute(clients),
            identities=Identities(clients),
            assignments=Roles(clients),
            inventory=Inventory(clients),
            rights=ScopeRights(clients),
            people=People(clients),
        )
    finally:
        await clients.close()
