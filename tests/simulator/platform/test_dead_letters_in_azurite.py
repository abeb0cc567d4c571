"""The whole way of an event that nobody wants: a real VM write over TLS, a refusing endpoint, and
the dead letter in a real Azurite."""

import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import HardwareProfile, VirtualMachine, VirtualMachineProperties
from azure.storage.blob.aio import ContainerClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.certificates import make_certificates
from simulator.event_grid.models import TopicType, event_subscription
from simulator.listener import HOST, listen
from simulator.serve import Addresses, serve
from simulator.state import Json
from simulator.tokens.credential import AsyncPrincipalCredential

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Estate:
    azure: Azure
    addresses: Addresses
    azurite: Azurite

    @property
    def trust(self) -> str:
        return str(self.addresses.certificates.ca_file)

    @property
    def credential(self) -> AsyncPrincipalCredential:
        return AsyncPrincipalCredential(self.azure.tokens, self.addresses.operator.principal)

    def container(self, name: str) -> ContainerClient:
        return ContainerClient(
            self.azurite.blob_url, name, self.credential, connection_verify=self.trust
        )

    def compute(self) -> ComputeManagementClient:
        return ComputeManagementClient(
            self.credential,
            self.addresses.subscriptions[0],
            base_url=self.addresses.arm,
            credential_scopes=["https://management.azure.com/.default"],
            connection_verify=self.trust,
            polling_interval=0,
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Estate]:
    directory: Path = tmp_path_factory.mktemp("certificates")
    certificates = make_certificates(directory)
    azure = Azure()
    azure.state.add_subscription("one")
    async with (
        Azurite(certificates) as azurite,
        serve(azure, certificates, azurite_blob_url=azurite.blob_url) as addresses,
    ):
        yield Estate(azure, addresses, azurite)


async def refuse(_request: Request) -> Response:
    return Response(status_code=400)


async def make_group(estate: Estate, group: str) -> None:
    credential = estate.credential
    token = await credential.get_token("https://management.azure.com/.default")
    async with httpx.AsyncClient(verify=_trust(estate.trust)) as http:
        answer = await http.put(
            f"{estate.addresses.arm}{group}?api-version=2025-04-01",
            json={"location": "westeurope"},
            headers={"authorization": f"Bearer {token.token}"},
        )
    assert answer.status_code == 201


def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def dead_lettered(container: str) -> Json:
    account = "/subscriptions/s/…/storageAccounts/st"
    properties = {"resourceId": account, "blobContainerName": container}
    return {"endpointType": "StorageBlob", "properties": properties}


async def test_a_refused_event_lies_in_azurite_as_azure_would_put_it(estate: Estate) -> None:
    scope = f"/subscriptions/{estate.addresses.subscriptions[0]}"
    group = f"{scope}/resourceGroups/rg"
    await make_group(estate, group)
    event_grid = estate.azure.services.event_grid
    topic_id = f"{group}/providers/Microsoft.EventGrid/systemTopics/changes"
    event_grid.add_topic(topic_id, scope, TopicType.SUBSCRIPTION)
    async with estate.container("dead") as container, estate.compute() as compute:
        await container.create_container()
        async with listen(Router([Route("/hook", refuse, methods=["POST"])])) as port:
            webhook = {"endpointUrl": f"http://{HOST}:{port}/hook"}
            destination = {"endpointType": "WebHook", "properties": webhook}
            for name, where in (("kept", "dead"), ("dropped", "no-such-container")):
                properties = {
                    "destination": destination,
                    "deadLetterDestination": dead_lettered(where),
                }
                subscription = event_subscription(
                    f"{topic_id}/eventSubscriptions/{name}", properties
                )
                event_grid.put_subscription(subscription)
            poller = await compute.virtual_machines.begin_create_or_update(
                "rg",
                "vm1",
                VirtualMachine(
                    location="westeurope",
                    properties=VirtualMachineProperties(
                        hardware_profile=HardwareProfile(vm_size="Standard_B1s")
                    ),
                ),
            )
            await poller.result()
            await estate.addresses.delivery.settled()
        names = [each.name async for each in container.list_blobs()]
        assert [name.split("/")[:2] for name in names] == [["changes", "KEPT"]]
        content = await (await container.download_blob(names[0])).readall()
    (record,) = json.loads(content)
    assert record["subject"].endswith("/virtualMachines/vm1")
    assert record["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert record["deadLetterReason"] == "UndeliverableDueToHttpBadRequest"
    assert (record["deliveryAttempts"], record["lastDeliveryOutcome"]) == (1, "BadRequest")
    dropped = estate.addresses.delivery.dropped
    assert [each.subscription.name for each in dropped] == ["dropped"]
