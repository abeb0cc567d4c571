"""Virtual machines and their states: Creating, Updating, Deleting, Succeeded.

What a PATCH answers and when identities show was recorded (azure-facts section 10).
"""

import copy
from dataclasses import dataclass, replace

from simulator.arm.messages import Caller
from simulator.compute import errors
from simulator.identity import IdentityRules
from simulator.managed_identity.attach import Attacher
from simulator.operations import LongRunning, Operations
from simulator.resource_ids import group_id
from simulator.resources import (
    check_location,
    inside,
    read_location,
    read_properties,
    read_tags,
    remove,
    render,
    require,
)
from simulator.state import Json, Resource, State
from simulator.times import utc_offset
from simulator.tracked.conditions import UNCONDITIONAL, Conditions
from simulator.tracked.models import merged

TYPE = "Microsoft.Compute/virtualMachines"
#: Compute alone keeps keys as they were sent, and gives ids once the work has ended (recorded).
RULES = IdentityRules(keys_as_sent=True, ids_later=True)
_TOP_LEVEL = ("plan", "zones", "extendedLocation", "placement")


@dataclass(frozen=True)
class Accepted:
    """A write that goes on after its answer; `vm` is as answered."""

    vm: Resource
    work: LongRunning
    created: bool = False


@dataclass(frozen=True)
class VirtualMachines:
    """The virtual machines of all subscriptions."""

    state: State
    operations: Operations
    attacher: Attacher

    def put(
        self, resource_id: str, body: Json, caller: Caller, conditions: Conditions = UNCONDITIONAL
    ) -> Accepted:
        """Create, or replace properties and tags. A body without `identity` keeps the identity."""
        existing = self.state.resources.get(resource_id.lower())
        if existing is not None:
            return self._update(existing, body, caller, conditions, merge=False)
        conditions.check(None)
        vm = self._new(resource_id, body, caller)
        return Accepted(vm, self._run(vm), created=True)

    def patch(
        self, resource_id: str, body: Json, caller: Caller, conditions: Conditions = UNCONDITIONAL
    ) -> Accepted:
        """Merge into the machine; tags are replaced as a whole."""
        vm = require(self.state, resource_id)
        return self._update(vm, body, caller, conditions, merge=True)

    def delete(
        self, resource_id: str, conditions: Conditions = UNCONDITIONAL
    ) -> LongRunning | None:
        """Start the deletion, or join the one under way. None where there is no such machine."""
        vm = self.state.resources.get(resource_id.lower())
        if vm is None:
            return None
        conditions.check(etag(vm))
        if vm.provisioning_state != "Deleting":
            self._store(replace(vm, provisioning_state="Deleting"))
        seconds = self.state.behaviour.operation_seconds
        return self.operations.start(seconds, lambda: self._gone(vm))

    def list_in(self, subscription: str, group: str | None) -> list[Resource]:
        """Of a resource group, or of a whole subscription."""
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        return list(inside(self.state, scope, TYPE))

    def _update(
        self, vm: Resource, body: Json, caller: Caller, conditions: Conditions, *, merge: bool
    ) -> Accepted:
        self._check_writable(vm, conditions)
        check_location(vm, body)
        wanted = self.attacher.plan(vm.id, vm.identity, body, caller, merge=merge)
        sent = read_properties(body)
        properties = merged(vm.properties, sent) if merge else {**_own(vm.properties), **sent}
        tags = read_tags(body) if "tags" in body or not merge else vm.tags
        updated = replace(
            vm,
            tags=tags,
            properties=without_secrets(properties),
            identity=self.attacher.accepted(vm.id, vm.name, vm.identity, wanted),
            extra=vm.extra | _top_level(body),
            etag=vm.etag + 1,
            provisioning_state="Updating",
        )
        self._store(updated)
        return Accepted(updated, self._run(updated))

    def _new(self, resource_id: str, body: Json, caller: Caller) -> Resource:
        location = read_location(body)
        properties = read_properties(body)
        if "hardwareProfile" not in properties:
            raise errors.invalid_parameter("hardwareProfile")
        wanted = self.attacher.plan(resource_id, None, body, caller, merge=False)
        name = resource_id.rsplit("/", 1)[-1]
        now = self.state.clock.now()
        own = {"vmId": self.state.ids.uuid(), "timeCreated": utc_offset(now)}
        vm = Resource(
            id=resource_id,
            type=TYPE,
            name=name,
            location=location,
            tags=read_tags(body),
            properties=without_secrets({**properties, **own}),
            identity=self.attacher.accepted(resource_id, name, None, wanted),
            extra=_top_level(body),
            created_at=now,
            provisioning_state="Creating",
            shows_state=True,
        )
        self._store(vm)
        return vm

    def _run(self, vm: Resource) -> LongRunning:
        accepted_etag, key = vm.etag, vm.id.lower()

        def finish() -> None:
            current = self.state.resources.get(key)
            # A later write that is still under way, or a deletion, ends in this one's place.
            if (
                current is not None
                and current.etag == accepted_etag
                and current.provisioning_state in ("Creating", "Updating")
            ):
                identity = self.attacher.completed(current.identity)
                self._store(replace(current, identity=identity, provisioning_state="Succeeded"))

        seconds = self.state.behaviour.operation_seconds
        return self.operations.start(seconds, finish, subject=vm.id)

    def _gone(self, vm: Resource) -> None:
        current = self.state.resources.get(vm.id.lower())
        # Not a machine made anew under the same name since.
        if current is not None and current.properties.get("vmId") == vm.properties.get("vmId"):
            remove(self.state, vm.id)

    def _check_writable(self, vm: Resource, conditions: Conditions) -> None:
        conditions.check(etag(vm))
        if vm.provisioning_state == "Deleting":
            raise errors.marked_for_deletion(vm.name)
        busy = vm.provisioning_state in ("Creating", "Updating")
        if busy and self.state.behaviour.conflict_while_updating:
            raise errors.conflict()

    def _store(self, vm: Resource) -> None:
        self.state.resources[vm.id.lower()] = vm


def show(vm: Resource) -> Json:
    """The machine as ARM answers it."""
    return {**render(vm), "etag": etag(vm)}


def etag(vm: Resource) -> str:
    """Quoted, as in body and header."""
    return f'"{vm.etag}"'


def _own(properties: Json) -> Json:
    return {key: properties[key] for key in ("vmId", "timeCreated") if key in properties}


def _top_level(body: Json) -> Json:
    return {key: body[key] for key in _TOP_LEVEL if key in body}


def without_secrets(properties: Json) -> Json:
    """Compute never gives back a password or user data it was sent."""
    shown = copy.deepcopy({k: v for k, v in properties.items() if k != "provisioningState"})
    shown.pop("userData", None)
    if isinstance(shown.get("osProfile"), dict):
        for secret in ("adminPassword", "customData"):
            shown["osProfile"].pop(secret, None)
    return shown
