"""Rows that a sweep cannot read: each is named, and what it is about is left alone. Pure."""

from dataclasses import dataclass, field

from lanyard.ports.tables import id_of
from lanyard.record.rows import DamagedRow
from lanyard.values.resource_id import subscription_of


@dataclass(frozen=True, slots=True)
class Damaged:
    """Rows that cannot be read, by what they are about."""

    resources: list[DamagedRow] = field(default_factory=list)
    identities: list[DamagedRow] = field(default_factory=list)
    holders: list[DamagedRow] = field(default_factory=list)
    grants: list[DamagedRow] = field(default_factory=list)
    held: list[DamagedRow] = field(default_factory=list)

    @property
    def all(self) -> tuple[DamagedRow, ...]:
        """Those of every kind."""
        kinds = (self.resources, self.identities, self.holders, self.grants, self.held)
        return tuple(damage for kind in kinds for damage in kind)

    @property
    def left_alone(self) -> frozenset[str]:
        """The ids (lower case) of the resources that rows are about."""
        return frozenset(id_of(damage.row.key) for damage in self.resources)

    @property
    def subscriptions(self) -> frozenset[str]:
        """Of these resources, as far as their keys say it."""
        found = (subscription_of(id_) for id_ in self.left_alone)
        return frozenset(one.subscription for one in found if one is not None)

    @property
    def principals(self) -> frozenset[str]:
        """Those whose rows do not say where they were seen alive: they are not unknown ones."""
        return frozenset(damage.row.key for damage in self.holders)

    @property
    def grant_names(self) -> frozenset[str]:
        """The names of the grants."""
        return frozenset(damage.row.partition for damage in self.grants)
