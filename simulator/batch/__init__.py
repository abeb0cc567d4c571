"""Microsoft.Batch: accounts, their pools, and the nodes of these."""
