"""Rows in Azure Tables: the ledger's only storage in production."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from lanyard.azure.arm.failures import code_of, stored
from lanyard.ports.tables import Row, RowChanged, RowExists, Values

_KEYS = {"PartitionKey", "RowKey"}


class AzureTable:
    """One table; made on the first write that finds it missing."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def get(self, partition: str, key: str) -> Row | None:
        """The row, or None."""
        with stored(self._what("read")):
            try:
                return _row(await self._client.get_entity(partition, key))
            except ResourceNotFoundError:
                return None

    async def insert(self, partition: str, key: str, values: Values) -> Row:
        """Add a row. Raises RowExists."""
        with stored(self._what("insert into")):
            try:
                answer = await self._made(
                    self._client.create_entity, _entity(partition, key, values)
                )
            except ResourceExistsError as error:
                if code_of(error) == "TableBeingDeleted":
                    raise
                raise RowExists(key) from error
        return Row(partition, key, dict(values), answer["etag"])

    async def replace(self, row: Row, values: Values) -> Row:
        """Give the row as read new values. Raises RowChanged."""
        with stored(self._what("replace in")):
            try:
                answer = await self._client.update_entity(
                    _entity(row.partition, row.key, values),
                    mode=UpdateMode.REPLACE,
                    etag=row.version,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                raise RowChanged(row.key) from error
        return Row(row.partition, row.key, dict(values), answer["etag"])

    async def put(self, partition: str, key: str, values: Values) -> None:
        """Add or overwrite a row."""
        with stored(self._what("write to")):
            entity = _entity(partition, key, values)
            await self._made(self._client.upsert_entity, entity, mode=UpdateMode.REPLACE)

    async def delete(self, partition: str, key: str) -> None:
        """Remove a row; a missing one is fine."""
        with stored(self._what("delete from")):
            await self._client.delete_entity(partition, key)

    async def remove(self, row: Row) -> None:
        """Remove the row as read; a missing one is fine. Raises RowChanged."""
        with stored(self._what("delete from")):
            try:
                await self._client.delete_entity(
                    row.partition,
                    row.key,
                    etag=row.version,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceModifiedError as error:
                raise RowChanged(row.key) from error

    async def everything(self) -> AsyncIterator[Row]:
        """All rows of all partitions, in the order of their keys."""
        with stored(self._what("list")):
            try:
                async for entity in self._client.list_entities():
                    yield _row(entity)
            except ResourceNotFoundError:
                return

    async def before(self, partition: str) -> AsyncIterator[Row]:
        """All rows of the partitions whose names sort before this one."""
        async for row in self._query("PartitionKey lt @partition", {"partition": partition}):
            yield row

    async def rows(self, partition: str, *, first: str = "", last: str = "") -> AsyncIterator[Row]:
        """The rows of a partition in key order, keys from `first` up to (not with) `last`."""
        query = "PartitionKey eq @partition and RowKey ge @first"
        parameters = {"partition": partition, "first": first}
        if last:
            query += " and RowKey lt @last"
            parameters["last"] = last
        async for row in self._query(query, parameters):
            yield row

    async def _query(self, query: str, parameters: dict[str, str]) -> AsyncIterator[Row]:
        with stored(self._what("list")):
            try:
                async for entity in self._client.query_entities(query, parameters=parameters):
                    yield _row(entity)
            except ResourceNotFoundError:
                return

    async def _made(self, call: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return await call(*arguments, **options)
        except ResourceNotFoundError:
            # A write that adds a row can miss nothing but the table.
            await self._create_table()
        return await call(*arguments, **options)

    async def _create_table(self) -> None:
        try:
            await self._client.create_table()
        except ResourceExistsError:
            return  # another worker made it at the same moment

    def _what(self, verb: str) -> str:
        return f"{verb} table {self._client.table_name}"


def _entity(partition: str, key: str, values: Values) -> Mapping[str, Any]:
    return {"PartitionKey": partition, "RowKey": key, **values}


def _row(entity: TableEntity) -> Row:
    values = {name: str(value) for name, value in entity.items() if name not in _KEYS}
    return Row(entity["PartitionKey"], entity["RowKey"], values, str(entity.metadata["etag"]))
