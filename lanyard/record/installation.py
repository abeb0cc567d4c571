"""What the app is (its setting LANYARD_INSTALLATION, its version, the mode of its policy), on
record for who works beside it: a command must know whose role assignments are the app's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lanyard.ports.tables import Row, Table
from lanyard.record.rows import Columns

_PARTITION, _KEY = "installation", "installation"
_WHAT = ("id", "version", "mode")


@dataclass(frozen=True, slots=True)
class Running:
    """An app as it last began a sweep. `since`: when it first did so in this version and mode."""

    installation: str
    version: str
    mode: str
    since: datetime


async def record_installation(
    control: Table, installation: str, version: str, mode: str, now: Callable[[], float]
) -> None:
    """Put it on record, as every sweep of the app does. `now`: seconds since the epoch."""
    values = {"id": installation, "version": version, "mode": mode}
    row = await control.get(_PARTITION, _KEY)
    if row is None or any(row.values.get(name) != values[name] for name in _WHAT):
        since = datetime.fromtimestamp(now(), UTC).isoformat()
        await control.put(_PARTITION, _KEY, values | {"since": since})


async def recorded_installation(control: Table) -> str:
    """The id (GUID, lower case) that the app swept with last, "" where it has not swept yet."""
    row = await control.get(_PARTITION, _KEY)
    return "" if row is None else row.values.get("id", "")


async def running(control: Table) -> Running | None:
    """What the app is; None where it is not on record. Raises DamagedRow."""
    row = await control.get(_PARTITION, _KEY)
    return None if row is None or "since" not in row.values else _running(row)


def _running(row: Row) -> Running:
    columns = Columns("control", row)
    id_, version, mode = (columns.text(name) for name in _WHAT)
    return Running(id_, version, mode, columns.moment("since"))
