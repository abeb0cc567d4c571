"""Alert rules and action groups as ARM keeps them."""

from simulator.tracked.kind import Kind

METRIC_ALERTS = Kind("Microsoft.Insights/metricAlerts")
QUERY_RULES = Kind("Microsoft.Insights/scheduledQueryRules", top_level=("kind",))
ACTION_GROUPS = Kind("Microsoft.Insights/actionGroups")
