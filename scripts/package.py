"""The app's package as a deployment takes it: `python scripts/package.py FILE.zip`. Whether a file
or folder is in it: `python scripts/package.py --holds PATH`.

What git knows of the project, less what .funcignore names (its patterns are those of .gitignore).
The same files give the same bytes.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
_IGNORE = ".funcignore"
# A zip begins in 1980; a fixed time keeps packages of the same files alike.
_TIME = (1980, 1, 1, 0, 0, 0)


def files() -> list[str]:
    """The names of what is deployed, sorted."""
    known = _listed("--cached", "--others", "--exclude-standard")
    ignored = _listed("--cached", "--others", "--ignored", f"--exclude-from={_IGNORE}")
    return sorted(name for name in known - ignored if (PROJECT / name).is_file())


def holds(path: str) -> bool:
    """Whether a file, or anything in a folder, is deployed; by its path from the project."""
    wanted = path.removeprefix("./").rstrip("/")
    return any(name == wanted or name.startswith(f"{wanted}/") for name in files())


def write(target: Path) -> int:
    """Write the package; returns how many files are in it."""
    names = files()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, (PROJECT / name).read_bytes())
    return len(names)


def _listed(*options: str) -> set[str]:
    ran = subprocess.run(  # noqa: S603
        ["git", "ls-files", "-z", *options],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        check=True,
        text=True,
    )
    return {name for name in ran.stdout.split("\0") if name}


if __name__ == "__main__":
    if sys.argv[1] == "--holds":
        if holds(sys.argv[2]):
            sys.exit()
        sys.exit(f"{sys.argv[2]} is not deployed: not in this project, or {_IGNORE} leaves it out")
    package = Path(sys.argv[1])
    package.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{package}: {write(package)} files\n")
