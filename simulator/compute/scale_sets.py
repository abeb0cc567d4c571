"""Scale sets, uniform and flexible, and how a change of their identity reaches their machines.

Uniform: by the upgrade policy. Manual leaves instances as they are until `manualupgrade`; Automatic
applies the model at once, and so does Rolling here, whose batches and pauses are not simulated.
Flexible: instances are ordinary virtual machines; what they inherit is a switch (U).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator.arm.messages import Caller
from simulator.authorization.access import Access
from simulator.behaviour import FlexibleIdentities
from simulator.compute import errors
from simulator.compute.instances import Instances, capacity_of, size_of
from simulator.compute.models import RULES, VirtualMachines, without_secrets
from simulator.compute.models import TYPE as MACHINES
from simulator.identity import WantedIdentity, carried_principals, kept_identity
from simulator.operations import LongRunning, Operations
from simulator.resources import read_properties, require
from simulator.state import Json, Resource, State
from simulator.times import utc_offset
from simulator.tracked.kind import WRITES, Kind
from simulator.tracked.models import TrackedResources

SCALE_SETS = Kind(
    "Microsoft.Compute/virtualMachineScaleSets",
    rules=RULES,
    top_level=("sku", "plan", "zones", "extendedLocation"),
    read_only=("uniqueId", "timeCreated"),
    slow=WRITES | {"DELETE"},
    shows_state=True,
    etag_member="etag",
)


class ScaleSets(TrackedResources):
    """The scale sets of all subscriptions."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, SCALE_SETS)
        self.instances = Instances(state)

    def manual_upgrade(
        self, resource_id: str, numbers: Sequence[str]
    ) -> tuple[Resource, LongRunning]:
        """Bring instances up to the latest model. Raises AzureError 400, 404 or 409."""
        scale_set = require(self.state, resource_id)
        if is_flexible(scale_set):
            raise errors.not_for_flexible(scale_set.name)
        self.instances.selected(scale_set, numbers)

        def finish() -> None:
            current = self.find(resource_id)
            if current is not None:
                self.instances.upgrade(current, numbers)

        # Recorded. Not during a write, which ends only while the ETag is its own.
        if scale_set.provisioning_state == "Succeeded":
            scale_set = replace(scale_set, etag=scale_set.etag + 1)
            self.store(scale_set)
        return scale_set, self._start(resource_id, finish)

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """An id that differs from every other set's of that name."""
        created = utc_offset(self.state.clock.now())
        return {"uniqueId": self.state.ids.uuid(), "timeCreated": created}

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """A new uniform set needs an upgrade policy."""
        properties = read_properties(body)
        uniform = properties.get("orchestrationMode", "Uniform") != "Flexible"
        if created and uniform and "upgradePolicy" not in properties:
            raise errors.invalid_parameter("upgradePolicy")

    def properties(self, base: Resource, sent: Json, *, merge: bool) -> Json:
        """Without what Compute never gives back; Uniform unless it says otherwise."""
        properties = super().properties(base, sent, merge=merge)
        if isinstance(profile := properties.get("virtualMachineProfile"), dict):
            properties["virtualMachineProfile"] = without_secrets(profile)
        return {"orchestrationMode": "Uniform", **properties}

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:  # noqa: ARG002
        """Instances of another model than the latest say so from here on.

        The ETag moves once more where an identity comes (recorded).
        """
        came = carried_principals(after.identity)[1] - carried_principals(before.identity)[1]
        if before.etag and came:
            after = replace(after, etag=after.etag + 1)
        if before.etag and not is_flexible(after) and self._model(before) != self._model(after):
            self.instances.outdate(after)
        return after

    def completed(self, resource: Resource) -> None:
        """As many instances as there are to be, with the latest model where it goes by itself."""
        if is_flexible(resource):
            return
        if not self._needs_upgrade():
            self.instances.share_identity(resource)
        if _upgrade_mode(resource) != "Manual":
            self.instances.upgrade(resource, ["*"])
        self.instances.scale(resource)

    def _needs_upgrade(self) -> bool:
        return self.state.behaviour.scale_set_identities_need_upgrade

    def _model(self, scale_set: Resource) -> object:
        """What instances copy, in a form that compares."""
        size = size_of(scale_set)
        profile = scale_set.properties.get("virtualMachineProfile")
        if not self._needs_upgrade():
            return size, profile
        return size, profile, carried_principals(scale_set.identity)


@dataclass(frozen=True)
class FlexibleMachines:
    """Creates, changes and deletes the virtual machines that flexible scale sets consist of.

    Each call gives back the work it started, by the id of the machine.
    """

    state: State
    machines: VirtualMachines

    def of(self, scale_set_id: str) -> list[Resource]:
        """Those that name the set, whoever created them."""
        subscription = scale_set_id.split("/")[2]
        return [
            each
            for each in self.machines.list_in(subscription, None)
            if scale_set_of(each) == scale_set_id.lower()
        ]

    def settle(self, scale_set: Resource, caller: Caller) -> dict[str, LongRunning]:
        """As many as the capacity says; those there already inherit where the switch says so."""
        present = self.of(scale_set.id)
        if self._inheritance is FlexibleIdentities.ALL:
            for machine in present:
                self._inherit(machine, scale_set)
        capacity = capacity_of(scale_set)
        return dict(self._create(scale_set, caller) for _ in range(capacity - len(present)))

    def delete(self, scale_set: Resource) -> dict[str, LongRunning]:
        """All of them."""
        started = {each.id: self.machines.delete(each.id) for each in self.of(scale_set.id)}
        return {machine: work for machine, work in started.items() if work is not None}

    @property
    def _inheritance(self) -> FlexibleIdentities:
        return self.state.behaviour.flexible_identities

    def _create(self, scale_set: Resource, caller: Caller) -> tuple[str, LongRunning]:
        group = scale_set.id.rpartition("/providers/")[0]
        name = f"{scale_set.name}_{self.state.ids.uuid()[:8]}"
        size = size_of(scale_set).get("name", "")
        body: Json = {
            "location": scale_set.location,
            "properties": {
                "hardwareProfile": {"vmSize": size},
                "virtualMachineScaleSet": {"id": scale_set.id},
            },
        }
        machine_id = f"{group}/providers/{MACHINES}/{name}"
        accepted = self.machines.put(machine_id, body, caller)
        if self._inheritance is not FlexibleIdentities.NONE:
            self._inherit(accepted.vm, scale_set)
        return machine_id, accepted.work

    def _inherit(self, machine: Resource, scale_set: Resource) -> None:
        """Compute does it, so nobody's rights are asked for."""
        own, given = kept_identity(machine.identity), kept_identity(scale_set.identity)
        carried = {each.lower() for each in own.user_assigned}
        added = [each for each in given.user_assigned if each.lower() not in carried]
        wanted = WantedIdentity(own.system or given.system, (*own.user_assigned, *added))
        attacher = self.machines.attacher
        identity = attacher.accepted(machine.id, machine.name, machine.identity, wanted)
        inherited = replace(machine, identity=attacher.completed(identity))
        self.state.resources[machine.id.lower()] = inherited


def is_flexible(scale_set: Resource) -> bool:
    """Whether its instances are virtual machines of their own."""
    return bool(scale_set.properties.get("orchestrationMode") == "Flexible")


def scale_set_of(machine: Resource) -> str | None:
    """The lower-case id of the flexible set that a machine belongs to."""
    reference = machine.properties.get("virtualMachineScaleSet")
    return str(reference.get("id")).lower() if isinstance(reference, dict) else None


def _upgrade_mode(scale_set: Resource) -> str:
    policy = scale_set.properties.get("upgradePolicy")
    return str(policy.get("mode", "Manual")) if isinstance(policy, dict) else "Manual"
