"""The tables of the app: rows are lost, all are lost, or they are as they were some steps ago."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, fields

from lanyard.ports.tables import Row, Tables
from lanyard.record.held import Entry
from lanyard.record.relearning import KEY, PARTITION
from lanyard.record.rows import MARK
from tests.support.histories.accounts import LANYARD
from tests.support.histories.model import Finding, Model, Orders
from tests.support.histories.places import PLACES
from tests.support.histories.step import Step
from tests.support.histories.world import World
from tests.support.memory_table import MemoryTable

ALL = "all"
#: What is lost with each is known again by itself or by a sweep.
TABLES = tuple(each.name for each in fields(Tables))
_TEN_MINUTES = 600.0
#: Seconds that it takes to put tables back, at least.
_RESTORE = 60.0


@dataclass(frozen=True)
class Moment:
    """All tables as they are, and what the model takes from them."""

    rows: dict[str, dict[tuple[str, str], Row]]
    orders: Orders
    released: dict[str, Entry]
    reported: frozenset[str]
    counts: tuple[Counter[tuple[str, int]], Counter[int]]
    swept: float


def moment(world: World) -> Moment:
    """A copy of what is now."""
    model = world.model
    return Moment(
        {name: dict(_table(world, name).content) for name in TABLES},
        deepcopy(model.orders),
        dict(model.released),
        frozenset(world.reported),
        model.counts(),
        world.swept,
    )


@dataclass(frozen=True, repr=False)
class LoseRow(Step):
    """A row of a table is deleted, as an operator may do it: the one of this number."""

    table: str = "resources"
    number: int = 0

    async def act(self, world: World) -> None:
        """If there is any."""
        content = _table(world, self.table).content
        if keys := sorted(key for key in content if key[0] != MARK):
            row = content.pop(keys[self.number % len(keys)])
            resource = row.values.get("id", "").lower() if self.table == "resources" else ""
            _forget(world.model, self.table, resource)


@dataclass(frozen=True, repr=False)
class LoseTable(Step):
    """A table is deleted with all that is in it, or all of them are: "all"."""

    table: str = ALL

    async def act(self, world: World) -> None:
        """The app makes it again, empty."""
        for name in TABLES if self.table == ALL else (self.table,):
            _table(world, name).content.clear()
            _forget(world.model, name)
            if name == "control":
                world.reported.clear()


@dataclass(frozen=True, repr=False)
class PutBack(Step):
    """The tables are put back as they were so many steps ago."""

    steps: int = 1

    async def act(self, world: World) -> None:
        """All of them, as a storage account is put back to a moment."""
        then = world.moments[max(len(world.moments) - 1 - self.steps, 0)]
        swept = then.rows["control"].get((PARTITION, KEY))
        if swept is not None and float(swept.values["at"]) >= world.estate.marks.mark.at:
            return  # nobody puts a copy back that is minutes old, and Lanyard does not notice
        world.estate.azure.clock.advance(_RESTORE)
        for name, rows in then.rows.items():
            content = _table(world, name).content
            content.clear()
            content.update(rows)
        model, circumstances = world.model, world.model.circumstances
        model.orders, model.released = deepcopy(then.orders), dict(then.released)
        model.set_counts(then.counts)
        world.reported = set(then.reported)
        world.note_reported()
        circumstances.put_back = True
        circumstances.relearning |= then.swept < world.swept
        _forget_attachments(model)


@dataclass(frozen=True, repr=False)
class Relearn(Step):
    """All tables are lost; ten minutes and a sweep later the estate is as it was, in every history:
    exactly so where all was quiet before.
    """

    async def act(self, world: World) -> None:
        """Nobody does anything meanwhile."""
        model = world.model
        orders = model.orders
        was_quiet = world.quiet and not orders.pause and not any(orders.dismissed.values())
        orders.dismissed.clear()  # they are forgotten with their table: what they are of is missing
        missing, before = _missing(model), _picture(model)
        await LoseTable().act(world)
        await world.pass_time(_TEN_MINUTES)
        await world.sweep()
        await world.work_off()
        now = _missing(model)
        model.findings += [
            Finding("17.3 as it was", f"{name} has no {thing} any more")
            for name, thing in sorted(now - missing, key=str)
        ]
        if was_quiet:
            after = _picture(model)
            # What could not be given before may be now: what was held is forgotten, too.
            changed = before - after if missing else before ^ after
            model.findings += [
                Finding("17.3 as it was", f"the estate is not as it was: {each}")
                for each in sorted(map(str, changed))
            ]


def _missing(model: Model) -> set[tuple[str, object]]:
    return {
        (place.name, thing)
        for place, resource in model.living()
        for thing in model.missing(place, resource)
    }


def _picture(model: Model) -> set[tuple[object, ...]]:
    """Everything that Lanyard or a person may have given, with whose it is."""
    accounts = model.accounts
    return {
        *(("attached", *where) for where in accounts.attached),
        *(("given", key, each.maker) for key, each in accounts.given.items()),
        *(("made", identity) for identity in accounts.identities),
    }


def _forget(model: Model, table: str, resource: str = "") -> None:
    """What the model held against Lanyard by rows that are gone. `resource`: whose row alone."""
    circumstances, orders = model.circumstances, model.orders
    circumstances.lost = True
    if table == "control":
        orders.pause, orders.reported, circumstances.relearning = "", True, True
        model.set_counts((Counter(), Counter()))
    if table in ("held", "resources"):
        orders.dismissed.clear()
        model.released.clear()
    if table == "resources":
        _forget_attachments(model, resource)


def _forget_attachments(model: Model, resource: str = "") -> None:
    """No record says any more who attached what, and who made the identities of one resource."""
    circumstances, accounts = model.circumstances, model.accounts
    ours = {where for where, maker in accounts.attached.items() if maker == LANYARD}
    circumstances.unknown_attachments |= {where for where in ours if resource in ("", where[0])}
    circumstances.unknown_identities |= {
        place.own for place in PLACES.values() if resource in ("", place.id)
    } & accounts.identities.keys()


def _table(world: World, name: str) -> MemoryTable:
    table: MemoryTable = getattr(world.estate.tables, name)
    return table
