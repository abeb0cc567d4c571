"""HTTP face of Microsoft.Automation/automationAccounts."""

from simulator.arm.messages import Operation
from simulator.automation.models import AutomationAccounts
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

VERSIONS = ("2021-06-22", "2022-08-08", "2023-11-01", "2024-10-23")


def operations(accounts: AutomationAccounts) -> list[Operation]:
    """All operations on Automation accounts."""
    return tracked_operations(
        Handlers(accounts, Style("Microsoft.Automation", located=True)), VERSIONS
    )
