"""The SDKs, for what only a person runs."""
