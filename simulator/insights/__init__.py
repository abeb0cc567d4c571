"""Microsoft.Insights: alert rules and whom they tell. Nothing is measured, and none ever fires."""
