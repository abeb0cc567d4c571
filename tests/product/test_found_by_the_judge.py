"""What the storm's judge says of the app at work, as it is and with a mistake in it."""

import pytest
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from chaos.monitor import Monitor
from chaos.policy import policy_text
from chaos.record import Row, record_of
from chaos.verdict import Verdict
from lanyard.reconcile.estate import Estate as EstateReads
from lanyard.record.grant_rows import GrantRows
from lanyard.record.rows import MARK
from tests.support.estate import PROFILE, Estate
from tests.support.handlers import started
from tests.support.memory_table import MemoryTable

GROUP = "rg-storm-0"


async def create(estate: Estate, name: str) -> None:
    body = {"location": "westeurope", "properties": PROFILE}
    poller = await estate.compute.virtual_machines.begin_create_or_update(
        GROUP, name, VirtualMachine(body), polling_interval=1
    )
    await poller.result()


async def delete(estate: Estate, name: str) -> None:
    poller = await estate.compute.virtual_machines.begin_delete(GROUP, name, polling_interval=1)
    await poller.result()


def rows(table: MemoryTable) -> list[Row]:
    return [
        {"PartitionKey": row.partition, "RowKey": row.key, **row.values}
        for row in table.content.values()
        if row.partition != MARK
    ]


async def one_of_two_leaves(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Both share an identity and its role; the kinds of violations when one is gone."""
    estate = await started(Estate(policy_text(0)), monkeypatch)
    groups = ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    await groups.resource_groups.create_or_update(GROUP, {"location": "westeurope"})
    monitor = Monitor(estate.azure, estate.app.object_id)
    for name in ("vm1", "vm2"):
        await create(estate, name)
    await estate.settle()
    await delete(estate, "vm1")
    await estate.settle()
    tables = estate.tables
    record = record_of(*map(rows, (tables.resources, tables.grants, tables.decisions)))
    verdict = Verdict(estate.azure, estate.app.object_id, monitor, record)
    return {violation.kind for violation in verdict.violations()}


async def test_an_app_that_looks_before_it_removes_breaks_no_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await one_of_two_leaves(monkeypatch) == set()


async def test_an_app_that_does_not_look_before_it_removes_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unclaimed(*_: object, **__: object) -> bool:
        return False

    async def unneeded(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(GrantRows, "claimed", unclaimed)
    monkeypatch.setattr(EstateReads, "needing", unneeded)
    kinds = await one_of_two_leaves(monkeypatch)
    assert {"removed while it was needed", "assignment missing"} <= kinds
