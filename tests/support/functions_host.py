"""What the small app under the local Functions host needs: Azurite, and tokens for it."""

from dataclasses import dataclass
from pathlib import Path

from azure.storage.queue.aio import QueueServiceClient

from simulator.azurite import Azurite
from simulator.certificates import Certificates
from tests.support.azurite.token_endpoint import TokenEndpoint

APP = Path(__file__).parents[1] / "fixtures" / "functions_app"
CLIENT_ID = "00000000-0000-0000-0000-00000000c11e"


@dataclass(frozen=True)
class Storage:
    """Azurite with what clients need to reach it."""

    azurite: Azurite
    certificates: Certificates
    tokens: TokenEndpoint
    service: QueueServiceClient

    async def prepared(self, work_queue: str) -> dict[str, str]:
        """The environment of the small app, its queue made: the host makes none."""
        await self.service.create_queue(work_queue)
        return self.settings(work_queue)

    def settings(self, work_queue: str) -> dict[str, str]:
        """The environment of the small app; `work_queue` keeps tests out of each other's way."""
        return {
            **self.tokens.environment,
            "SSL_CERT_FILE": str(self.certificates.ca_file),
            "Storage__queueServiceUri": self.azurite.queue_url,
            "Storage__credential": "managedidentity",
            "Storage__clientId": CLIENT_ID,
            "AzureWebJobsStorage__blobServiceUri": self.azurite.blob_url,
            "AzureWebJobsStorage__queueServiceUri": self.azurite.queue_url,
            "AzureWebJobsStorage__clientId": CLIENT_ID,
            "AzureFunctionsWebHost__hostid": work_queue,
            "WORK_QUEUE": work_queue,
            "TICK": "* * * * * *",
        }
