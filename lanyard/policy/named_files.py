"""Files that people name: read whole, or not at all."""

import sys
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TextIO

from lanyard.values.errors import LanyardError

#: Names standard input, in place of a file.
STANDARD_INPUT = Path("-")


class Unreadable(LanyardError):
    """A file cannot be read; the message says why, without its name."""


def content_of(path: Path, most: int = -1) -> bytes:
    """What is in the file, or its first `most` bytes and one. Raises Unreadable: also for a pipe or
    a device, which may have no end. Standard input ends where whoever writes it says so.
    """
    if path == STANDARD_INPUT:
        return _standard_input(sys.stdin, most)
    try:
        mode = path.stat().st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)):
            raise Unreadable("it is no file but a pipe or a device")
        with path.open("rb") as file:
            return file.read(most if most < 0 else most + 1)
    except OSError as error:
        raise Unreadable(str(error.strerror)) from None
    except ValueError:
        raise Unreadable("its name has a character that no name has") from None


@lru_cache(maxsize=1)
def _standard_input(stream: TextIO, most: int) -> bytes:
    """Kept: it is read once, and a policy is asked for more than once."""
    return stream.buffer.read(most if most < 0 else most + 1)


def is_folder(path: Path) -> bool:
    """Whether there is a folder of this name; none where the name is too long for any."""
    try:
        return path != STANDARD_INPUT and path.is_dir()
    except OSError:
        return False


def entries_of(folder: Path) -> list[Path]:
    """What is in a folder, by name. Raises Unreadable."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise Unreadable(str(error.strerror)) from None
