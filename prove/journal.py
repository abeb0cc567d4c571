"""What a proof has begun, done and taken back, in a file: a run that was stopped goes on by it.

Each entry is on disk before what it is about is tried: what may be there is known, whenever the run
ends. The file has ids in it, so it is for its owner alone; the report has none.
"""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from lanyard.values.errors import LanyardError


def alone(folder: Path) -> int | None:
    """Hold the folder for this process and whatever it starts, for as long as one of them lives:
    an `az` may outlive a run that was killed, and what it makes would be taken back too early.

    Returns the file that holds it (inherited by those that are started), None where another has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    os.set_inheritable(held, True)
    return held


class State(StrEnum):
    """Of a step. BEGUN: it may have done anything of what it does, or nothing."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass
class Entry:
    """What became of a step. `why`: what stopped it; `stays`: why it could not be taken back."""

    state: State
    why: str = ""
    undone: bool = False
    stays: str = ""


@dataclass(kw_only=True)
class Journal:
    """`values`: what later steps need. `measured`: seconds by what took them. `answers`: by the
    name of the question. `cleaning`: nothing new is begun any more.
    """

    file: Path
    subscription: str
    location: str
    suffix: str = field(default_factory=lambda: secrets.token_hex(4))
    cleaning: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """The one of a run that was stopped, None where there is none. Raises LanyardError for a
        file that is no journal.
        """
        if not file.exists():
            return None
        try:
            written = json.loads(file.read_text())
            entries = {name: _entry(each) for name, each in written.pop("entries").items()}
            return cls(file=file, entries=entries, **written)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LanyardError(f"{file} is no journal of a proof: {error}") from None

    def begin(self, name: str) -> None:
        """Before it is tried."""
        self._enter(name, Entry(State.BEGUN))

    def done(self, name: str) -> None:
        """It did what it does."""
        self._enter(name, Entry(State.DONE))

    def fail(self, name: str, why: str) -> None:
        """It did not, or not all."""
        self._enter(name, Entry(State.FAILED, why))

    def leave_out(self, name: str, why: str) -> None:
        """It cannot be tried."""
        self._enter(name, Entry(State.NOT_TRIED, why))

    def clean(self) -> None:
        """From here on everything is taken back."""
        self.cleaning = True
        self.save()

    def undone(self, name: str) -> None:
        """Nothing of it is there any more."""
        entry = self.entries[name]
        entry.undone, entry.stays = True, ""
        self.save()

    def stays(self, name: str, why: str) -> None:
        """Something of it may be there."""
        self.entries[name].stays = why
        self.save()

    def is_over(self, name: str) -> bool:
        """Whether a step needs no other try."""
        entry = self.entries.get(name)
        return entry is not None and entry.state is not State.BEGUN

    def succeeded(self, name: str) -> bool:
        """Whether it did what it does."""
        entry = self.entries.get(name)
        return entry is not None and entry.state is State.DONE

    def is_to_undo(self, name: str) -> bool:
        """Whether something of it may be there."""
        entry = self.entries.get(name)
        return entry is not None and entry.state is not State.NOT_TRIED and not entry.undone

    def keep(self, **values: Any) -> None:
        """For steps to come."""
        self.values |= values
        self.save()

    def save(self) -> None:
        """Whole, or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        written = asdict(self)
        del written["file"]
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
            json.dump(written, target, indent=2)
            target.flush()
            os.fsync(target.fileno())
        new.replace(self.file)

    def _enter(self, name: str, entry: Entry) -> None:
        self.entries[name] = entry
        self.save()


def _entry(written: dict[str, Any]) -> Entry:
    return Entry(State(written.pop("state")), **written)
