"""Files that a command writes."""

from pathlib import Path

from lanyard.values.errors import LanyardError


def write(path: Path, text: str, *, folders: bool = False) -> None:
    """Write the text; with `folders`, make those that it is in. Raises LanyardError."""
    try:
        if folders:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LanyardError(f"{path} cannot be written: {error.strerror}") from None
