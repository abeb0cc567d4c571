"""`{site}/config/web`: what an app or slot was given as `siteConfig`, read only."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.resources import require
from simulator.state import Json, Resource, State

_SITE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}"
#: What App Service answers for an app that asked for nothing; a few of many members.
_DEFAULTS: Json = {
    "numberOfWorkers": 1,
    "alwaysOn": False,
    "http20Enabled": False,
    "minTlsVersion": "1.2",
    "ftpsState": "FtpsOnly",
}


@dataclass(frozen=True)
class _Handlers:
    state: State

    def get(self, request: ArmRequest) -> ArmResponse:
        site = require(self.state, request.path.removesuffix("/config/web"))
        return ArmResponse(200, _show(site))


def _show(site: Resource) -> Json:
    asked = site.properties.get("siteConfig") or {}
    return {
        "id": f"{site.id}/config/web",
        "name": site.name.rpartition("/")[2],
        "type": f"{site.type}/config",
        "location": site.location,
        "properties": {**_DEFAULTS, **asked},
    }


def operations(state: State, versions: tuple[str, ...]) -> list[Operation]:
    """Of apps and of slots."""
    get = _Handlers(state).get
    return [
        Operation(
            "GET", f"{_SITE}/config/web", get, "Microsoft.Web/sites/config/read", versions=versions
        ),
        Operation(
            "GET",
            f"{_SITE}/slots/{{slot}}/config/web",
            get,
            "Microsoft.Web/sites/slots/config/read",
            versions=versions,
        ),
    ]
