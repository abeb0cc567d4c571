"""The Azure clouds: where each has its services. Pure.

Sources: `az cloud list`, and Microsoft's page "National clouds" for Microsoft Graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class CloudName(StrEnum):
    """The clouds by the names that `az cloud` gives them."""

    PUBLIC = "AzureCloud"
    US_GOVERNMENT = "AzureUSGovernment"
    CHINA = "AzureChinaCloud"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and the audience that its tokens are for; no trailing slashes."""

    url: str
    audience: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """`authority` is the host that gives tokens, `storage` what storage addresses end in."""

    authority: str
    arm: Endpoint
    graph: Endpoint
    storage: str


def _cloud(authority: str, arm: str, graph: str, storage: str) -> Cloud:
    return Cloud(authority, _endpoint(arm), _endpoint(graph), storage)


def _endpoint(host: str) -> Endpoint:
    return Endpoint(f"https://{host}", f"https://{host}")


CLOUDS: Mapping[CloudName, Cloud] = {
    CloudName.PUBLIC: _cloud(
        "login.microsoftonline.com",
        "management.azure.com",
        "graph.microsoft.com",
        "core.windows.net",
    ),
    CloudName.US_GOVERNMENT: _cloud(
        "login.microsoftonline.us",
        "management.usgovcloudapi.net",
        "graph.microsoft.us",
        "core.usgovcloudapi.net",
    ),
    CloudName.CHINA: _cloud(
        "login.chinacloudapi.cn",
        "management.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "core.chinacloudapi.cn",
    ),
}


def cloud_of(name: CloudName, environment: Mapping[str, str]) -> Cloud:
    """The cloud, with the addresses that LANYARD_ARM_ENDPOINT, LANYARD_ARM_AUDIENCE and the same
    for GRAPH name instead of its own.
    """
    cloud = CLOUDS[name]
    return replace(
        cloud,
        arm=_named(environment, "ARM", cloud.arm.url),
        graph=_named(environment, "GRAPH", cloud.graph.url),
    )


def _named(environment: Mapping[str, str], service: str, own: str) -> Endpoint:
    url = environment.get(f"LANYARD_{service}_ENDPOINT", own).rstrip("/")
    return Endpoint(url, environment.get(f"LANYARD_{service}_AUDIENCE", url).rstrip("/"))
