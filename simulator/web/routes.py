"""HTTP face of Microsoft.Web/sites and slots: every write answers 200, but for apps on Container
Apps, whose writes go on (recorded).
"""

from simulator.arm.messages import ArmRequest, Budget, Operation
from simulator.state import Json, Resource
from simulator.tracked.kind import WRITES
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations
from simulator.web import site_config
from simulator.web.models import Sites

VERSIONS = (
    *("2018-11-01", "2019-08-01", "2020-06-01", "2020-09-01", "2020-12-01", "2021-02-01"),
    *("2021-03-01", "2022-03-01", "2022-09-01", "2023-01-01", "2023-12-01", "2024-04-01"),
    *("2024-11-01", "2025-03-01", "2025-05-01"),
)


class _Handlers(Handlers):
    """As every tracked resource, but for the location: a PUT shows it as it was sent (recorded)."""

    def shown(self, request: ArmRequest, resource: Resource) -> Json:
        body = super().shown(request, resource)
        sent = request.json().get("location") if request.method == "PUT" else None
        return {**body, "location": sent} if sent else body


_STYLE = Style(
    "Microsoft.Web",
    created=200,
    location=WRITES,
    results="operationresults",
    results_below=True,
    budgets=dict.fromkeys(WRITES, Budget.RESOURCE),
)


def operations(sites: Sites, slots: Sites) -> list[Operation]:
    """All operations on apps and slots, their configuration included."""
    apps, of_apps = _Handlers(sites, _STYLE), _Handlers(slots, _STYLE)
    both = ("name", "slot")
    return [
        *tracked_operations(apps, VERSIONS),
        *polls(apps),
        *tracked_operations(of_apps, VERSIONS, names=both),
        *polls(of_apps, names=both),
        *site_config.operations(sites.state, VERSIONS),
    ]
