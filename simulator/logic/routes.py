"""HTTP face of Microsoft.Logic/workflows."""

from simulator.arm.messages import Budget, Operation
from simulator.logic.models import Workflows
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

#: Logic Apps count their reads by themselves (recorded).
_STYLE = Style("Microsoft.Logic", budgets={"GET": Budget.RESOURCE})
VERSIONS = ("2016-06-01", "2017-07-01", "2018-07-01-preview", "2019-05-01")


def operations(workflows: Workflows) -> list[Operation]:
    """All operations on workflows."""
    return tracked_operations(Handlers(workflows, _STYLE), VERSIONS)
