"""The instances of a uniform scale set: each runs the model that was last applied to it.

They are resources of their own only below their set: neither ARM's listing nor Resource Graph's
table `resources` has them. The set's system-assigned identity is theirs too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator.compute import errors
from simulator.resources import inside, require
from simulator.state import Json, Resource, State
from simulator.times import utc_offset

TYPE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"


@dataclass(frozen=True)
class Instances:
    """The instances of all uniform scale sets."""

    state: State

    def of(self, scale_set_id: str) -> list[Resource]:
        """In the order of their creation."""
        return list(inside(self.state, scale_set_id, TYPE))

    def get(self, instance_id: str) -> Resource:
        """Raises AzureError 404."""
        return require(self.state, instance_id)

    def scale(self, scale_set: Resource) -> None:
        """Create those that the set's capacity lacks, remove the youngest of those beyond it."""
        present = self.of(scale_set.id)
        capacity = capacity_of(scale_set)
        # Not `remove`: the principal in an instance's block is the set's.
        for surplus in present[capacity:]:
            del self.state.resources[surplus.id.lower()]
        numbers = [int(each.name.rpartition("_")[2]) for each in present]
        first = max(numbers, default=-1) + 1
        for number in range(first, first + capacity - len(present)):
            self._create(scale_set, number)

    def outdate(self, scale_set: Resource) -> None:
        """Mark all as not running the set's latest model."""
        for each in self.of(scale_set.id):
            self._store(replace(each, properties={**each.properties, "latestModelApplied": False}))

    def upgrade(self, scale_set: Resource, numbers: Sequence[str]) -> None:
        """Apply the set's model to these, or to all by "*"."""
        for each in self.selected(scale_set, numbers):
            current = {**each.properties, **_model(scale_set), "latestModelApplied": True}
            self._store(replace(each, properties=current, identity=scale_set.identity))

    def share_identity(self, scale_set: Resource) -> None:
        """Give all of them the set's identity, whatever model they run."""
        for each in self.of(scale_set.id):
            self._store(replace(each, identity=scale_set.identity))

    def selected(self, scale_set: Resource, numbers: Sequence[str]) -> list[Resource]:
        """Those with these numbers, all of them by "*". Raises AzureError 400."""
        by_number = {each.name.rpartition("_")[2]: each for each in self.of(scale_set.id)}
        if "*" in numbers:
            return list(by_number.values())
        for number in numbers:
            if number not in by_number:
                raise errors.unknown_instance(number)
        return [by_number[number] for number in numbers]

    def _create(self, scale_set: Resource, number: int) -> None:
        now = self.state.clock.now()
        self._store(
            Resource(
                id=f"{scale_set.id}/virtualMachines/{number}",
                type=TYPE,
                name=f"{scale_set.name}_{number}",
                location=scale_set.location,
                tags=scale_set.tags,
                properties={
                    "latestModelApplied": True,
                    "modelDefinitionApplied": "VirtualMachineScaleSet",
                    "vmId": self.state.ids.uuid(),
                    "timeCreated": utc_offset(now),
                    **_model(scale_set),
                },
                identity=scale_set.identity,
                extra={"instanceId": str(number), "sku": size_of(scale_set)},
                created_at=now,
                shows_state=True,
                graph_table="computeresources",
            )
        )

    def _store(self, instance: Resource) -> None:
        self.state.resources[instance.id.lower()] = instance


def capacity_of(scale_set: Resource) -> int:
    """How many instances there are to be."""
    capacity = _sku(scale_set).get("capacity")
    return max(0, capacity) if isinstance(capacity, int) else 0


def size_of(scale_set: Resource) -> Json:
    """The sku of one instance."""
    return {key: value for key, value in _sku(scale_set).items() if key != "capacity"}


def _sku(scale_set: Resource) -> Json:
    sku = scale_set.extra.get("sku")
    return sku if isinstance(sku, dict) else {}


def _model(scale_set: Resource) -> Json:
    """What of the set's profile an instance shows."""
    profile = scale_set.properties.get("virtualMachineProfile")
    given = profile if isinstance(profile, dict) else {}
    shown = {key: given[key] for key in ("osProfile", "storageProfile") if key in given}
    return {**shown, "hardwareProfile": {"vmSize": size_of(scale_set).get("name", "")}}
