"""The installed `lanyard` makes an app watch a second subscription, over TLS: its machines get
their identity, and everything goes again.
"""

import json
from typing import Any

import pytest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from demo.stack import INSTALLATION, LOCATION, Stack
from tests.support.installed_command import lanyard

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
HOME = "resourceGroups/rg-lanyard/providers"


class Second:
    """Another subscription, of which the operator is Owner."""

    def __init__(self, stack: Stack) -> None:
        azure, operator = stack.azure, stack.addresses.operator.principal
        self.stack = stack
        self.id = azure.state.add_subscription("second").id
        azure.assign(operator.object_id, "Owner", f"/subscriptions/{self.id}")
        self.app_id = f"{stack.operator.scope}/{HOME}/Microsoft.Web/sites/func-lanyard"
        function = f"{self.app_id}/functions/resource_events"
        azure.services.event_grid.addresses[function.lower()] = stack.webhook
        self._options: dict[str, Any] = {
            "base_url": stack.addresses.arm,
            "credential_scopes": ["https://management.azure.com/.default"],
            **stack.operator.options,
        }

    async def run(self, command: str, *arguments: str) -> dict[str, Any]:
        identity = self.stack.azure.state.principals[self.stack.app_principal]
        named = {
            "LANYARD_APP_ID": self.app_id,
            "LANYARD_STORAGE_ID": f"{self.stack.operator.scope}/{HOME}/Microsoft.Storage"
            "/storageAccounts/stlanyard",
            "LANYARD_CLIENT_ID": identity.client_id,
            "LANYARD_PRINCIPAL_ID": identity.object_id,
            "LANYARD_INSTALLATION": INSTALLATION,
            "AZURE_LOCATION": LOCATION,
        }
        code, out, err = await lanyard(self.stack, command, *arguments, "--json", **named)
        assert (err, code) == ("", 0)
        return dict(json.loads(out))

    async def create_groups(self, *names: str) -> None:
        credential = self.stack.operator.credential
        async with ResourceManagementClient(credential, self.id, **self._options) as client:
            for name in names:
                await client.resource_groups.create_or_update(name, {"location": LOCATION})

    async def create_vm(self, name: str) -> None:
        credential = self.stack.operator.credential
        async with ComputeManagementClient(credential, self.id, **self._options) as client:
            body = VirtualMachine({"location": LOCATION, "properties": PROFILE})
            poller = await client.virtual_machines.begin_create_or_update(
                "rg-shop", name, body, polling_interval=1
            )
            await poller.result()

    def identity_of(self, name: str) -> Any:
        path = f"/subscriptions/{self.id}/resourceGroups/rg-shop/providers"
        machine = f"{path}/Microsoft.Compute/virtualMachines/{name}"
        return self.stack.azure.state.resources[machine.lower()].identity

    def left(self) -> list[str]:
        """Everything in the subscription that is somebody's work and neither machine nor group."""
        state = self.stack.azure.state
        person = self.stack.addresses.operator.principal.object_id
        inside = f"/subscriptions/{self.id}/"
        return [
            *(
                each.id
                for each in state.resources.values()
                if each.id.startswith(inside) and "rg-lanyard-events" in each.id
            ),
            *(
                each.id
                for each in state.role_assignments.values()
                if each.id.startswith(inside) and each.principal_id != person
            ),
            *(
                role.role_name
                for role in state.role_definitions.values()
                if self.id in role.role_name
            ),
        ]


async def test_a_second_subscription_is_watched_and_then_no_trace_of_it_is_left(
    stack: Stack,
) -> None:
    second = Second(stack)
    principal = stack.addresses.operator.principal
    stack.azure.services.directory.grant_permission(principal.object_id)
    await second.create_groups("rg-shop", "rg-identities")
    made = await second.run("onboard", second.id, "--yes")
    # What is registered already is kept.
    steps = [step for step in made["subscriptions"][0]["steps"] if step["verb"] != "keep"]
    assert len(steps) > 5
    assert all(step["done"] for step in steps)

    await second.create_vm("vm-second")
    await stack.quiet()
    assert "userAssignedIdentities" in second.identity_of("vm-second")
    assert second.left() != []

    gone = await second.run("uninstall", "--grants", "--attachments", "--yes")
    assert [each["removed"] for each in gone["grants"]] == [True]
    assert [each["removed"] for each in gone["attachments"]] == [True]
    assert second.identity_of("vm-second") is None
    assert second.left() == []
    await second.create_vm("vm-third")
    await stack.quiet()
    assert second.identity_of("vm-third") is None
