"""Scripts on a machine: by whoever plays its inside, for whoever may run them."""

from collections.abc import Sequence

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import RunCommandInput, VirtualMachine
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.azure import Azure

SCRIPT = RunCommandInput(command_id="RunShellScript", script=["echo", "here"])


async def machine_in(azure: Azure, subscription: str) -> ComputeManagementClient:
    owner = azure.state.add_principal("owner", "User")
    azure.assign(owner.object_id, "Owner", f"/subscriptions/{subscription}")
    options = azure.client_options(owner)
    groups = ResourceManagementClient(subscription_id=subscription, **options)
    await groups.resource_groups.create_or_update("rg", {"location": "westeurope"})
    compute = ComputeManagementClient(subscription_id=subscription, **options)
    size = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
    body = VirtualMachine({"location": "westeurope", "properties": size})
    await (await compute.virtual_machines.begin_create_or_update("rg", "vm", body)).result()
    return compute


async def test_what_a_script_prints_is_the_answer() -> None:
    azure = Azure()
    compute = await machine_in(azure, azure.state.add_subscription("one").id)

    async def play(machine: str, script: Sequence[str]) -> str:
        return f"{machine.rpartition('/')[2]}: {' '.join(script)}"

    azure.run_command.player = play
    poller = await compute.virtual_machines.begin_run_command("rg", "vm", SCRIPT)
    said = (await poller.result()).value or []
    assert ["[stdout]\nvm: echo here\n" in str(each.message) for each in said] == [True]


async def test_without_a_player_there_is_no_agent() -> None:
    azure = Azure()
    compute = await machine_in(azure, azure.state.add_subscription("one").id)
    with pytest.raises(HttpResponseError, match="agent is not running"):
        await compute.virtual_machines.begin_run_command("rg", "vm", SCRIPT)


async def test_a_reader_may_run_nothing() -> None:
    azure = Azure()
    subscription = azure.state.add_subscription("one").id
    await machine_in(azure, subscription)
    reader = azure.state.add_principal("reader", "User")
    azure.assign(reader.object_id, "Reader", f"/subscriptions/{subscription}")
    options = azure.client_options(reader)
    compute = ComputeManagementClient(subscription_id=subscription, **options)
    with pytest.raises(HttpResponseError, match="runCommand/action"):
        await compute.virtual_machines.begin_run_command("rg", "vm", SCRIPT)
