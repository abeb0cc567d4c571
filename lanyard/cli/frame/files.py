"""Files that a command writes."""

from pathlib import Path

from lanyard.values.errors import LanyardError


def apart(**files: Path | None) -> None:
    """Raises LanyardError where two options name one file: the second would take its place."""
    named: dict[Path, str] = {}
    for option, file in files.items():
        if file is not None and (other := named.setdefault(file.resolve(), option)) != option:
            raise LanyardError(f"--{other} and --{option} name one file, {file}: name two")


def write(path: Path, text: str, *, folders: bool = False) -> None:
    """Write the text; with `folders`, make those that it is in. Raises LanyardError."""
    try:
        if folders:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LanyardError(f"{path} cannot be written: {error.strerror}") from None
