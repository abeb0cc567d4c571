"""Tokens of the local Azure, and the managed identity endpoints that hand them out."""
