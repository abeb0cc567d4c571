"""Logging of the host and the app: one line a record on stderr, with the invocation id."""

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar

from simulator.functions_host.errors import StartError

#: Of the host's own tasks; the worker process has the worker library's.
current_invocation: ContextVar[str | None] = ContextVar("current_invocation", default=None)

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
# They log every request and token fetch at Information: noise beside the app's own lines.
_CHATTY = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity")


class OneLine(logging.Formatter):
    """`time level [invocation] logger: message`; line breaks, as in tracebacks, become `\\n`."""

    def __init__(self, invocation_id: Callable[[], str | None]) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03d %(levelname)s [%(invocation)s] %(name)s: %(message)s"
        )
        self.datefmt = "%Y-%m-%dT%H:%M:%S"
        self._invocation_id = invocation_id

    def format(self, record: logging.LogRecord) -> str:
        record.invocation = self._invocation_id() or "-"
        return super().format(record).replace("\r", "").replace("\n", "\\n")


def parse_level(name: str) -> int:
    """A .NET log level, any case. Raises StartError for an unknown one."""
    if name.lower() not in _LEVELS:
        known = ", ".join(level.capitalize() for level in _LEVELS)
        raise StartError(f"host.json: logging.logLevel.default: {name!r} is none of {known}")
    return _LEVELS[name.lower()]


def set_up_logging(
    level: int, invocation_id: Callable[[], str | None] = current_invocation.get
) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(invocation_id))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
