"""Microsoft.Resources: subscriptions, resource groups, tags and the listing of all resources."""
