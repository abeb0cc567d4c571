"""Publishes decisions."""

from collections.abc import Sequence
from typing import Protocol

from lanyard.notices.model import Notice


class Notifier(Protocol):
    """Publishes decisions. Best effort: it never raises, and takes a few seconds at most."""

    async def publish(self, notices: Sequence[Notice]) -> None:
        """Send the notices, or lose them."""


class Unheard:
    """No decision is published: no topic is set up, or a person decides at the command line."""

    async def publish(self, notices: Sequence[Notice]) -> None:
        """Nothing happens."""
