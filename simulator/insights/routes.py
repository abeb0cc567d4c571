"""HTTP face of Microsoft.Insights: synchronous, as Azure Monitor is."""

from collections.abc import Mapping

from simulator.arm.messages import Budget, Operation
from simulator.authorization.access import Access
from simulator.insights.models import ACTION_GROUPS, METRIC_ALERTS, QUERY_RULES
from simulator.operations import Operations
from simulator.state import State
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

VERSIONS: Mapping[str, tuple[str, ...]] = {
    METRIC_ALERTS.type: ("2018-03-01",),
    QUERY_RULES.type: ("2021-08-01", "2022-06-15", "2023-03-15-preview", "2023-12-01"),
    ACTION_GROUPS.type: ("2019-06-01", "2021-09-01", "2022-06-01", "2023-01-01"),
}
_BUDGETS = {"PUT": Budget.RESOURCE}
#: A metric alert is created with 200 (recorded).
_STYLES: Mapping[Kind, Style] = {
    METRIC_ALERTS: Style("Microsoft.Insights", created=200, budgets=_BUDGETS),
    QUERY_RULES: Style("Microsoft.Insights"),
    ACTION_GROUPS: Style("Microsoft.Insights", budgets=_BUDGETS),
}


def operations(state: State, running: Operations, access: Access) -> list[Operation]:
    """All operations on alert rules and action groups."""
    made: list[Operation] = []
    for kind, style in _STYLES.items():
        handlers = Handlers(TrackedResources(state, running, access, kind), style)
        made += tracked_operations(handlers, VERSIONS[kind.type])
    return made
