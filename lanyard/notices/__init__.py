"""Decisions as others are notified of them: CloudEvents."""
