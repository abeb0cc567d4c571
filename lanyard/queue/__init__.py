"""The work that waits: one reconcile at a time for a resource, one for many events."""
