"""Machines in subscriptions besides the one that an estate is in, which the app may read or not."""

from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from tests.support.any_resource import client
from tests.support.cases import pass_time, sweep, version
from tests.support.compute_examples import MACHINE
from tests.support.estate import Estate


async def machine_in(
    estate: Estate, vm: ResourceId, subscription: str, **more: object
) -> ResourceId:
    """One of the machine's name in another subscription, of which the operator is Owner."""
    azure, operator = estate.azure, estate.operator
    azure.assign(operator.object_id, "Owner", f"/subscriptions/{subscription}")
    options = azure.client_options(operator)
    groups = ResourceManagementClient(subscription_id=subscription, **options).resource_groups
    await groups.create_or_update("rg-app", {"location": "westeurope"})
    machine = ResourceId.parse(vm.text.replace(estate.subscription, subscription))
    poller = await client(estate).resources.begin_create_or_update_by_id(
        machine.text, {**MACHINE.body, **more}, api_version=version(machine), polling_interval=1
    )
    await poller.result()
    return machine


async def lose_a_subscription(estate: Estate, vm: ResourceId) -> str:
    """One in which the app served a machine of this one's name and has no right any more; returns
    its id.
    """
    azure, app = estate.azure, estate.app.object_id
    rights = [each for each in azure.state.role_assignments.values() if each.principal_id == app]
    lost = azure.state.add_subscription("lost").id
    given = [
        azure.assign(app, each.role_definition_id.rpartition("/")[2], f"/subscriptions/{lost}")
        for each in rights
    ]
    machine = await machine_in(estate, vm, lost, tags={"env": "prod"})
    await estate.worker.process(Change(machine, "event"))
    await pass_time(estate)
    assert azure.state.resources[machine.key].identity
    for assignment in given:
        del azure.state.role_assignments[assignment.id.lower()]
    await sweep(estate)
    return lost
