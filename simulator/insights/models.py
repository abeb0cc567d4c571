"""Alert rules and action groups as ARM keeps them."""

from simulator.tracked.kind import Casing, Kind, Untagged

METRIC_ALERTS = Kind("Microsoft.Insights/metricAlerts", untagged=Untagged.ABSENT)
QUERY_RULES = Kind(
    "Microsoft.Insights/scheduledQueryRules",
    top_level=("kind",),
    untagged=Untagged.ABSENT,
    casing=Casing(
        type="microsoft.insights/scheduledqueryrules",
        path="microsoft.insights/scheduledqueryrules",
        registered="Microsoft.Insights/scheduledqueryrules",
    ),
    system_data=True,
)
ACTION_GROUPS = Kind(
    "Microsoft.Insights/actionGroups",
    display_location=True,
    untagged=Untagged.NULL,
    casing=Casing(type="Microsoft.Insights/ActionGroups", path="microsoft.insights/actionGroups"),
)
