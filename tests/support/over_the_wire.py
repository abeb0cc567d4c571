"""What a person makes in an Azure by its API."""

from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.azure import Azure
from simulator.state import Principal
from tests.support.estate import PROFILE


async def make_machine(azure: Azure, owner: Principal, subscription: str) -> None:
    options = azure.client_options(owner)
    async with ResourceManagementClient(subscription_id=subscription, **options) as resources:
        await resources.resource_groups.create_or_update("rg-app", {"location": "westeurope"})
    async with ComputeManagementClient(subscription_id=subscription, **options) as compute:
        body = VirtualMachine({"location": "westeurope", "properties": PROFILE})
        poller = await compute.virtual_machines.begin_create_or_update("rg-app", "vm1", body)
        await poller.wait()
