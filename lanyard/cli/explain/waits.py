"""What is held, and what would be: by the list, the mode of the policy, and a pause. Pure."""

from dataclasses import dataclass

from lanyard.cli.frame.held_entries import in_words
from lanyard.planning.actions import Removal
from lanyard.planning.orders import Orders, Pause
from lanyard.planning.orphans import why_held
from lanyard.policy import Policy
from lanyard.record.held import Answer, Entry
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Waits:
    """`entries`: all that is held; `pause`: the one in force."""

    entries: tuple[Entry, ...]
    pause: Pause | None
    policy: Policy

    @property
    def orders(self) -> Orders:
        """What persons decided about all removals at once."""
        return Orders(self.pause)

    def of(self, resource: ResourceId) -> tuple[Entry, ...]:
        """What is held of a resource."""
        return tuple(one for one in self.entries if one.resource == resource)

    def about(self, principal: str, identity: ResourceId | None = None) -> tuple[Entry, ...]:
        """What is held of any resource, and is about a principal (object id), or an identity."""
        named = {principal} if identity is None else {principal, identity.key}
        return tuple(one for one in self.entries if named & _named(one))

    def why(self, removal: Removal, resource: ResourceId | None = None) -> str:
        """Why a removal, from a resource or of what no resource has, is not done, and what has it
        done: as it is listed, else as it would be held; "" where nothing is in its way.
        """
        for one in self.entries:
            is_it = one.refusal.key == removal.key and resource in (None, one.resource)
            if is_it and one.answer is not Answer.RELEASED:
                return in_words(one)
        return why_held(removal, self.policy, self.orders)


def _named(entry: Entry) -> set[str]:
    """Principals and identities that an entry is about: its own, and those of its action's key."""
    return {entry.principal, *entry.refusal.key.split("|")}
