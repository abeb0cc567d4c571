"""Who may change the condition of a grant, which is one for all who claim it."""

from collections.abc import Collection
from typing import Protocol

from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


class Conditions(Protocol):
    """Who may change the condition of a grant (reconcile/agreement.py)."""

    def in_question(self, grant: Grant) -> bool:
        """Whether anybody can want the grant on another condition."""

    async def holding(
        self, standing: Grant, claimants: Collection[ResourceId], besides: ResourceId
    ) -> str:
        """Who needs it just as it stands, beside the one that wants it otherwise, and why; "" for
        nobody.
        """


class Unconditional:
    """For who adds no claims."""

    def in_question(self, _grant: Grant) -> bool:
        """No."""
        return False

    async def holding(
        self, _standing: Grant, _claimants: Collection[ResourceId], _besides: ResourceId
    ) -> str:
        """Nobody."""
        return ""
