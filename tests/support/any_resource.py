"""Resources of an estate through the generic client of ARM."""

from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.values.resource_id import ResourceId
from tests.support.estate import Estate


def client(estate: Estate) -> ResourceManagementClient:
    return ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )


async def instance_is_current(estate: Estate, of: ResourceId) -> bool:
    path = f"{of}/virtualMachines/0"
    found = await client(estate).resources.get_by_id(path, api_version="2024-11-01")
    return bool((found.properties or {}).get("latestModelApplied"))
