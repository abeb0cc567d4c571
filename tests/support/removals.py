"""The removals of one reconcile, over tables in memory."""

from lanyard.planning.orders import Orders
from lanyard.policy import Mode, RemovalLimit
from lanyard.reconcile.removals import Removals
from lanyard.record.budget import RemovalBudget
from lanyard.record.decisions import Author, Decisions
from lanyard.record.kill_switch import KillSwitch
from lanyard.values.resource_id import ResourceId
from tests.support.memory_marks import as_swept
from tests.support.memory_table import MemoryTable


def removals(resource: ResourceId, limit: RemovalLimit, orders: Orders | None = None) -> Removals:
    """At a moment in the middle of an hour, with nothing on record."""
    control = MemoryTable()
    as_swept(control)
    budget = RemovalBudget(control, limit, KillSwitch(control, _now), _now)
    decisions = Decisions(MemoryTable(), Author("app", "digest"), _now)
    return Removals(
        mode=Mode.FULL,
        decisions=decisions,
        budget=budget,
        resource=resource,
        cause={},
        orders=orders or Orders(),
    )


def _now() -> float:
    return 1_800_000_600.0
