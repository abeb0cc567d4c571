"""Rights that stand at resource groups, not at the whole subscription. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lanyard.desk.delegation import delegation
from lanyard.desk.places import Place


class Kind(StrEnum):
    """What a role at groups is for."""

    #: Writing resources of the policy's types.
    CHANGES = "changes"
    #: Assigning and removing roles.
    GRANTS = "grants"
    #: Making, attaching and deleting identities.
    IDENTITIES = "identities"


@dataclass(frozen=True, slots=True)
class Delegated:
    """The roles (GUIDs) that may be assigned, and those whose assignments may be removed."""

    assignable: frozenset[str] = frozenset()
    removable: frozenset[str] = frozenset()

    def __or__(self, other: "Delegated") -> "Delegated":
        """Both together."""
        return Delegated(self.assignable | other.assignable, self.removable | other.removable)

    @property
    def condition(self) -> str:
        """Says so (version 2.0); "" where there is nothing of it."""
        return delegation(self.assignable, self.removable)


@dataclass(frozen=True, slots=True)
class AtGroups:
    """A custom role with these actions, assigned at each of these groups and nowhere else."""

    kind: Kind
    actions: tuple[str, ...]
    places: Mapping[Place, Delegated]

    def groups(self, subscription: str) -> dict[str, str]:
        """Its groups in a subscription (id) by their names, folded, each with the condition of the
        assignment there, "" for none.
        """
        found: dict[str, Delegated] = {}
        for place, delegated in sorted(self.places.items(), key=lambda each: each[0]):
            if place.in_subscription(subscription) is not None:
                found[place.group] = found.get(place.group, Delegated()) | delegated
        return {group: delegated.condition for group, delegated in found.items()}
