"""A storage account without an app, for tests of what works on it."""

from dataclasses import dataclass
from typing import Any

from simulator.azurite import Azurite


@dataclass(frozen=True)
class Storage:
    """`options`: the keyword arguments of any client of it."""

    azurite: Azurite
    options: dict[str, Any]
