"""Event Grid: system topics over the activity of subscriptions and resource groups."""
