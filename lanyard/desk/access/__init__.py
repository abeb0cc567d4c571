"""Who has access to a resource, a resource group or a subscription."""
