"""HTTP face of Microsoft.Web/sites and slots: every write answers 200."""

from simulator.arm.messages import Operation
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations
from simulator.web import site_config
from simulator.web.models import Sites

VERSIONS = (
    *("2018-11-01", "2019-08-01", "2020-06-01", "2020-12-01", "2021-02-01", "2021-03-01"),
    *("2022-03-01", "2022-09-01", "2023-01-01", "2023-12-01", "2024-04-01", "2024-11-01"),
    "2025-03-01",
    "2025-05-01",
)
_STYLE = Style("Microsoft.Web", created=200)


def operations(sites: Sites, slots: Sites) -> list[Operation]:
    """All operations on apps and slots, their configuration included."""
    return [
        *tracked_operations(Handlers(sites, _STYLE), VERSIONS),
        *tracked_operations(Handlers(slots, _STYLE), VERSIONS, names=("name", "slot")),
        *site_config.operations(sites.state, VERSIONS),
    ]
