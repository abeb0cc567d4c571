"""Microsoft.App: container apps and jobs."""
