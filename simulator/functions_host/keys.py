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

    def refuse_admin(self, request: Request) -> int | None:
        """The status that refuses a call of the admin API: 401, or 403 where it shows a key of
        this host that does not open it. None: it may.
        """
        return self._refusal(request, [self.master])

    def refuse_event_grid(self, request: Request) -> int | None:
        """The same for the webhook."""
        return self._refusal(request, [self.master, self.eventgrid_extension])

    def open_master(self, request: Request) -> bool:
        """Whether an HTTP function of the level "admin" may be called."""
        return _shows(request, [self.master])

    def open_function(self, request: Request) -> bool:
        """Whether an HTTP function of the level "function" may be called."""
        return _shows(request, [self.master, self.function])

    def _refusal(self, request: Request, accepted: list[str]) -> int | None:
        if _shows(request, accepted):
            return None
        return 403 if _shows(request, asdict(self).values()) else 401


def _shows(request: Request, accepted: Iterable[str]) -> bool:
    """The key comes in the header `x-functions-key` or in the query (`code`); the header wins."""
    shown = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
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
