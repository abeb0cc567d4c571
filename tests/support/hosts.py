"""The two Functions hosts, for a test that holds of both."""

from collections.abc import Mapping
from pathlib import Path

from demo.hosts import PROJECT, microsoft_host
from simulator.functions_host.microsoft import free_port
from simulator.functions_host.process import HostProcess

#: Instead of ten minutes: longer than a lease of Lanyard's lasts, or the case is another one.
HIDDEN_SECONDS = 36


def our_host(settings: Mapping[str, str], directory: Path) -> HostProcess:
    """The project's own; its address stays when it is started again."""
    return HostProcess(
        PROJECT, settings, directory, port=free_port(), message_seconds=HIDDEN_SECONDS
    )


BOTH = {"ours": our_host, "microsoft": microsoft_host}
