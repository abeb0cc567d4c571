"""What stands in the way of something, and what changes that. Pure."""

from dataclasses import dataclass

from lanyard.planning.actions import Action
from lanyard.planning.verdict import Held
from lanyard.values.errors import Because


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it stays, and what changes that. Nobody can release it: a use is not always seen by who
    would.
    """

    because: Because
    reason: str
    fix: str

    def held(self, action: Action) -> Held:
        """One of its removals, as it is listed."""
        return Held(action, self.because, self.reason, self.fix)
