"""What ARM shows of a function app: its functions, its host's state, its settings.

Which functions there are, and what the host says of itself, is written beside the app's properties
by whoever plays its host: `hosted`. (App Service asks the app's own host, azure-functions-host
issues 4570 and 6254.)
"""

from dataclasses import dataclass, field

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.resources import require
from simulator.state import Json, State

_SITE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}"
_PAGE = 100
_STATUS = "/host/default/properties/status"


@dataclass
class Hosted:
    """What the host of an app has found."""

    functions: list[str] = field(default_factory=list)
    state: str = "Running"
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FunctionApps:
    """`hosted`: by the lower-case id of the app; an app that nobody plays has no function."""

    state: State
    hosted: dict[str, Hosted] = field(default_factory=dict)

    def functions(self, request: ArmRequest) -> ArmResponse:
        site = require(self.state, request.path.removesuffix("/functions"))
        hosted = self._hosted(site.id)
        return page(request, [_function(site.id, name) for name in hosted.functions], _PAGE)

    def status(self, request: ArmRequest) -> ArmResponse:
        site = require(self.state, request.path.removesuffix(_STATUS))
        hosted = self._hosted(site.id)
        properties: Json = {"state": hosted.state, "version": "4.1052.200", "errors": hosted.errors}
        return ArmResponse(200, {"id": f"{site.id}{_STATUS}", "properties": properties})

    def settings(self, request: ArmRequest) -> ArmResponse:
        site = require(self.state, request.path.removesuffix("/config/appsettings/list"))
        asked = (site.properties.get("siteConfig") or {}).get("appSettings") or ()
        settings = {each["name"]: each["value"] for each in asked}
        return ArmResponse(200, {"id": f"{site.id}/config/appsettings", "properties": settings})

    def _hosted(self, site: str) -> Hosted:
        return self.hosted.get(site.lower(), Hosted())


def _function(site: str, name: str) -> Json:
    return {
        "id": f"{site}/functions/{name}",
        "name": f"{site.rpartition('/')[2]}/{name}",
        "type": "Microsoft.Web/sites/functions",
        "properties": {"name": name, "isDisabled": False, "language": "python"},
    }


def operations(apps: FunctionApps, versions: tuple[str, ...]) -> list[Operation]:
    """Reads alone, and what is a POST because it shows secrets."""
    kind = "Microsoft.Web/sites"
    return [
        Operation(
            "GET", f"{_SITE}/functions", apps.functions, f"{kind}/functions/read", versions=versions
        ),
        Operation(
            "GET",
            f"{_SITE}{_STATUS}",
            apps.status,
            f"{kind}/host/properties/read",
            versions=("2022-03-01", *versions),
        ),
        Operation(
            "POST",
            f"{_SITE}/config/appsettings/list",
            apps.settings,
            f"{kind}/config/list/action",
            versions=versions,
        ),
    ]
