"""The policy's text from a blob, by the app's own identity (Storage Blob Data Reader)."""

from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotModifiedError
from azure.storage.blob.aio import BlobClient

from lanyard.azure.arm.failures import translated
from lanyard.ports.policy import Fetched
from lanyard.values.errors import Permanent

#: A policy is text written by people; what is longer is not read.
MOST_BYTES = 1_000_000


class PolicyBlob:
    """One blob."""

    def __init__(self, client: BlobClient) -> None:
        self._client = client

    async def fetch(self, version: str) -> Fetched | None:
        """Its text and ETag, unless `version` is still its ETag. Raises Temporary, Permanent."""
        condition: dict[str, Any] = {}
        if version:
            condition = {"etag": version, "match_condition": MatchConditions.IfModified}
        with translated(f"read the policy {self._client.url}"):
            try:
                answer = await self._client.download_blob(**condition)
                if answer.size > MOST_BYTES:
                    raise Permanent(f"{self._client.url} is {answer.size} bytes: no policy")
                content = await answer.readall()
            except ResourceNotModifiedError:
                return None
            except HttpResponseError as error:
                if error.status_code == 304:
                    return None
                raise
        try:
            return Fetched(content.decode("utf-8-sig"), answer.properties.etag)
        except UnicodeDecodeError as error:
            raise Permanent(f"{self._client.url} is no UTF-8 text") from error
