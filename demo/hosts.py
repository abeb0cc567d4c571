"""Which Functions host the app runs in: ours, or Microsoft's own where it is at hand."""

from collections.abc import Mapping
from pathlib import Path

from simulator.functions_host.microsoft import MicrosoftHost
from simulator.functions_host.process import HostProcess

PROJECT = Path(__file__).parents[1]
OURS, MICROSOFT = "ours", "microsoft"
NAMES = (OURS, MICROSOFT)


def project_host(settings: Mapping[str, str], directory: Path) -> HostProcess:
    """The app as it lies in the project, in our host."""
    return HostProcess(PROJECT, settings, directory)


def microsoft_host(settings: Mapping[str, str], directory: Path) -> HostProcess:
    """The same in Microsoft's. Raises NoMicrosoftHost where there is none on this machine."""
    return MicrosoftHost(PROJECT, settings, directory)


MAKERS = {OURS: project_host, MICROSOFT: microsoft_host}


async def title_of(host: HostProcess) -> str:
    """Which one it is, and the version that it answers itself."""
    if isinstance(host, MicrosoftHost):
        return f"Microsoft's Functions host {await host.version()}"
    return "the project's own Functions host"
