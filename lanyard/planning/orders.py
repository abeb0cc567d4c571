"""What persons said beside the policy: a pause, and what they released or dismissed. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Paused(StrEnum):
    """What is stopped. `everything`: nothing is changed any more, what would be done is held."""

    REMOVALS = "removals"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Pause:
    """A brake that is pulled: what it stops, who pulled it, when (UTC) and why."""

    what: Paused
    by: str
    at: datetime
    reason: str

    def __str__(self) -> str:
        return f"paused by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC: {self.reason}"


class Kind(StrEnum):
    """Of what is not done. `conflict`: an addition that somebody else undoes again and again."""

    ADDITION = "addition"
    REMOVAL = "removal"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that is not done: why, and how that changes. `releasable`: by a person's word."""

    action: str
    reason: str
    release: str
    releasable: bool = False
    kind: Kind = Kind.ADDITION

    def __str__(self) -> str:
        return f"{self.reason}; {self.release}"


@dataclass(frozen=True, slots=True)
class Orders:
    """In force for one resource. Actions are named by their text, persons as they signed in."""

    pause: Pause | None = None
    released: frozenset[str] = frozenset()
    dismissed: Mapping[str, str] = field(default_factory=dict)
