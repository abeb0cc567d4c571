"""Access keys of the host: who may call what. Random, unless a file keeps them."""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from starlette.requests import Request

from simulator.functions_host.errors import StartError


@dataclass(frozen=True)
class Keys:
    """`master` opens everything, `function` every function, `eventgrid_extension` the webhook.

    The values stay out of `repr`, so that they cannot reach a log by accident.
    """

    master: str = field(repr=False)
    function: str = field(repr=False)
    eventgrid_extension: str = field(repr=False)

    def open_admin(self, request: Request) -> bool:
        return _shows(request, [self.master])

    def open_function(self, request: Request) -> bool:
        return _shows(request, [self.master, self.function])

    def open_event_grid(self, request: Request) -> bool:
        return _shows(request, [self.master, self.eventgrid_extension])


def _shows(request: Request, accepted: Iterable[str]) -> bool:
    """Azure takes the key from the query (`code`) or from the header `x-functions-key`."""
    shown = request.query_params.get("code") or request.headers.get("x-functions-key") or ""
    return any(secrets.compare_digest(shown.encode(), key.encode()) for key in accepted)


def load_keys(file: Path | None) -> Keys:
    """Read the keys, or make them; a named file that is not there yet is written (mode 600)."""
    if file is not None and file.exists():
        return _read(file)
    keys = Keys(*(secrets.token_urlsafe(32) for _ in fields(Keys)))
    if file is not None:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            json.dump(asdict(keys), target)
    return keys


def _read(file: Path) -> Keys:
    try:
        keys = Keys(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        keys = None
    if keys is None or not all(isinstance(k, str) and k for k in asdict(keys).values()):
        names = ", ".join(f.name for f in fields(Keys))
        raise StartError(f"{file}: must be a JSON object with the non-empty strings {names}")
    return keys
