"""Whether following an operation needs a right of its own is a switch: Azure has done both."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachine

from simulator.azure import Azure
from simulator.behaviour import Behaviour
from simulator.state import Resource

GROUP = "rg-app"


async def create_as_contributor_of_the_group(azure: Azure) -> None:
    subscription = azure.state.add_subscription("production").id
    scope = f"/subscriptions/{subscription}/resourceGroups/{GROUP}"
    azure.state.resources[scope.lower()] = Resource(
        scope, "Microsoft.Resources/resourceGroups", GROUP, "westeurope", {}, {}
    )
    person = azure.state.add_principal("person", "User")
    azure.assign(person.object_id, "Contributor", scope)
    client = ComputeManagementClient(subscription_id=subscription, **azure.client_options(person))
    profile = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
    machine = VirtualMachine({"location": "westeurope", "properties": profile})
    poller = await client.virtual_machines.begin_create_or_update(
        GROUP, "vm1", machine, polling_interval=1
    )
    await poller.result()


async def test_a_contributor_of_a_group_follows_its_operations_to_their_end() -> None:
    await create_as_contributor_of_the_group(Azure(behaviour=Behaviour(operation_seconds=5)))


async def test_where_polls_need_rights_it_is_refused_at_the_subscription() -> None:
    azure = Azure(behaviour=Behaviour(operation_seconds=5, polls_need_rights=True))
    with pytest.raises(HttpResponseError, match=r"locations/operations/read"):
        await create_as_contributor_of_the_group(azure)
