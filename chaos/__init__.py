"""Thousands of resources live and die while everything fails, and in the end all must be right."""
