"""The mark of the last sweep, in a blob of the app's own storage account."""

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient
from pydantic import TypeAdapter, ValidationError

from lanyard.azure.arm.failures import stored
from lanyard.ports.marks import Mark
from lanyard.values.errors import Permanent

#: The container, made on first use.
CONTAINER = "lanyard-sweeps"
_BLOB = "last.json"
_MARK = TypeAdapter(Mark)


class BlobMark:
    """One blob in a container."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def read(self) -> Mark:
        """The mark; an empty one where there is none. Raises Temporary, Permanent also for a blob
        that is not as it was written: nothing is revoked on the strength of that.
        """
        with stored("read the mark of the last sweep"):
            try:
                answer = await self._container.get_blob_client(_BLOB).download_blob()
                content = await answer.readall()
            except ResourceNotFoundError:
                return Mark()
        try:
            return _MARK.validate_json(content)
        except ValidationError as error:
            message = f"{CONTAINER}/{_BLOB} is not as written: delete it, and the next sweep writes"
            raise Permanent(f"{message} another") from error

    async def write(self, mark: Mark) -> None:
        """Over whatever is there."""
        content = _MARK.dump_json(mark)
        with stored("write the mark of the last sweep"):
            try:
                await self._put(content)
            except ResourceNotFoundError:
                await self._make_container()
                await self._put(content)

    async def _put(self, content: bytes) -> None:
        await self._container.get_blob_client(_BLOB).upload_blob(content, overwrite=True)

    async def _make_container(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return
