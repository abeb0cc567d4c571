"""Deployments of templates to a subscription, as records: whoever begins one says what it makes."""
