"""What persons decided beside the policy: a pause, what they released, dismissed. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lanyard.values.errors import Because


class Paused(StrEnum):
    """What is stopped. `everything`: nothing is changed any more, what would be done is held."""

    REMOVALS = "removals"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Pause:
    """What is stopped, by whom, since when (UTC) and why; and until when, None for no end."""

    what: Paused
    by: str
    at: datetime
    reason: str
    until: datetime | None = None

    def __str__(self) -> str:
        end = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until is not None else ""
        return f"paused by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC{end}: {self.reason}"


class Kind(StrEnum):
    """Of what is not done. `conflict`: an addition that somebody else undoes again and again."""

    ADDITION = "addition"
    REMOVAL = "removal"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An action that is not done: why, and how that changes."""

    #: The action's own key.
    key: str
    #: Why, as programs go by it; `reason` says it to people.
    because: Because
    #: What is not done, for people.
    action: str
    reason: str
    #: What has it done after all, for people.
    release: str
    #: Whether a person may release it; otherwise only what `release` names does.
    releasable: bool = False
    kind: Kind = Kind.ADDITION
    #: The rules that ask for an addition, or gave what a removal takes: for the record alone.
    rules: tuple[str, ...] = field(default=(), compare=False)
    #: The key that the action had while its identity did not exist; "" where there is none.
    key_before: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.reason}; {self.release}"


@dataclass(frozen=True, slots=True)
class Orders:
    """In force for one resource. Actions are named by their keys, persons as they signed in."""

    pause: Pause | None = None
    released: frozenset[str] = frozenset()
    dismissed: Mapping[str, str] = field(default_factory=dict)
