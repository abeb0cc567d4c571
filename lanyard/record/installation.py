"""Which installation the app is (its setting LANYARD_INSTALLATION), on record for who works beside
it: a command must know whose role assignments are the app's own.
"""

from lanyard.ports.tables import Table

_PARTITION, _KEY = "installation", "installation"


async def record_installation(control: Table, installation: str) -> None:
    """Put it on record, as every sweep of the app does."""
    await control.put(_PARTITION, _KEY, {"id": installation})


async def recorded_installation(control: Table) -> str:
    """The id (GUID, lower case) that the app swept with last, "" where it has not swept yet."""
    row = await control.get(_PARTITION, _KEY)
    return "" if row is None else row.values.get("id", "")
