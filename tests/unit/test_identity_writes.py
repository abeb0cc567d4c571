"""One write for all changes of a resource's identities, and what becomes of it when one is bad."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
)
from lanyard.planning.outcomes import Outcome, status_of
from lanyard.reconcile.identity_writes import IdentityWrites
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from tests.support.examples import identity_id, vm

GOOD, OTHER, OLD, GONE, CLOSED = (
    identity_id(name) for name in ("id-good", "id-other", "id-old", "id-gone", "id-closed")
)


@dataclass
class OneMachine:
    """A machine, and the identities that exist. Azure takes a write whole or not at all: not where
    an identity that stays on it or comes to it does not exist, or may not be assigned.
    """

    resource: ComputeResource
    existing: dict[ResourceId, str] = field(default_factory=dict)
    not_allowed: set[ResourceId] = field(default_factory=set)
    outages: list[Temporary] = field(default_factory=list)
    writes: list[tuple[set[str], set[str]]] = field(default_factory=list)

    async def principal(self, identity: ResourceId) -> str | None:
        return self.existing.get(identity)

    async def update_identity(
        self,
        resource: ComputeResource,
        *,
        add: Iterable[ResourceId] = (),
        remove: Iterable[ResourceId] = (),
        enable_system: bool = False,
    ) -> ComputeResource:
        added, removed = set(add), set(remove)
        self._begin(resource, added, removed)
        stays = set(resource.identity.user_assigned) - removed
        self._check(stays | added, added)
        system = "p-system" if enable_system else resource.identity.system_principal_id
        return self._store(Identity(system, {id: self.existing[id] for id in stays | added}))

    async def reattach(self, resource: ComputeResource, identity: ResourceId) -> ComputeResource:
        self._begin(resource, {identity}, {identity})
        self._check({identity}, {identity})
        attached = {**resource.identity.user_assigned, identity: self.existing[identity]}
        return self._store(replace(resource.identity, user_assigned=attached))

    def _begin(
        self, resource: ComputeResource, added: set[ResourceId], removed: set[ResourceId]
    ) -> None:
        assert resource is self.resource, "a write goes out from what was read last"
        self.writes.append(({id.name for id in added}, {id.name for id in removed}))
        if self.outages:
            raise self.outages.pop()

    def _check(self, wanted: set[ResourceId], added: set[ResourceId]) -> None:
        if wanted - self.existing.keys():
            raise Permanent("an identity was not found", "FailedIdentityOperation")
        if added & self.not_allowed:
            raise Permanent("the app may not assign it", "LinkedAuthorizationFailed")

    def _store(self, identity: Identity) -> ComputeResource:
        self.resource = replace(self.resource, identity=identity)
        return self.resource

    # Of the ports, these are not asked.

    def hold(self, resource: ResourceId) -> None:
        raise NotImplementedError

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        raise NotImplementedError

    async def upgrade_instances(self, resource: ComputeResource) -> None:
        raise NotImplementedError

    async def create(self, identity: ResourceId, location: str) -> str:
        raise NotImplementedError

    async def delete(self, identity: ResourceId) -> None:
        raise NotImplementedError


def machine(*attached: ResourceId, deleted: ResourceId | None = None) -> OneMachine:
    """One with these identities on it. `deleted`: another one that is on it and exists no more."""
    there = {id: f"p-{id.name}" for id in (GOOD, OTHER, OLD, CLOSED)}
    block: dict[ResourceId, str | None] = {id: there[id] for id in attached}
    if deleted is not None:
        block[deleted] = "p-dead"
    return OneMachine(vm(attached=block), there, not_allowed={CLOSED})


def attach(identity: ResourceId) -> AttachIdentity:
    return AttachIdentity(identity, ("rule",))


def reattach(identity: ResourceId) -> ReattachIdentity:
    return ReattachIdentity(identity, ("rule",))


async def run(azure: OneMachine, *actions: Action) -> tuple[dict[str, str], IdentityWrites]:
    """The status of each action by its text, and what the writes left behind."""
    writes = IdentityWrites(azure, azure, azure.resource)
    outcomes: list[Outcome] = await writes.run(actions)
    assert len(outcomes) == len(actions)
    assert writes.resource is azure.resource, "the resource as read after the last write"
    return {str(outcome.action): status_of(outcome) for outcome in outcomes}, writes


def attached(azure: OneMachine) -> set[str]:
    return {id.name for id in azure.resource.identity.user_assigned}


async def test_all_changes_are_one_write() -> None:
    azure = machine(OLD)
    actions = (attach(GOOD), attach(OTHER), DetachIdentity(OLD), EnableSystemIdentity(("rule",)))
    status, _ = await run(azure, *actions)
    assert set(status.values()) == {"done"}
    assert azure.writes == [({"id-good", "id-other"}, {"id-old"})]
    assert attached(azure) == {"id-good", "id-other"}
    assert azure.resource.identity.system_principal_id == "p-system"


async def test_without_changes_nothing_is_written() -> None:
    azure = machine(OLD)
    assert (await run(azure))[0] == {}
    assert azure.writes == []


async def test_where_azure_is_down_all_of_it_is_tried_later() -> None:
    azure = machine()
    azure.outages = [Temporary("429", 30)]
    status, writes = await run(azure, attach(GOOD), attach(GONE))
    assert set(status.values()) == {"later"}
    assert len(azure.writes) == 1
    assert writes.gone == [], "nothing is looked into"


async def test_an_identity_that_does_not_exist_is_parked_and_the_others_are_attached() -> None:
    azure = machine()
    writes = IdentityWrites(azure, azure, azure.resource)
    parked, *done = await writes.run([attach(GOOD), attach(GONE), attach(OTHER)])
    assert parked.action == attach(GONE)
    assert isinstance(parked.failure, Permanent)
    assert GONE.text in str(parked.failure)
    assert parked.failure.code == "FailedIdentityOperation"
    assert {status_of(one) for one in done} == {"done"}
    assert attached(azure) == {"id-good", "id-other"}
    assert writes.gone == [GONE]


async def test_where_all_that_is_wanted_is_missing_no_second_write_is_tried() -> None:
    azure = machine()
    status, _ = await run(azure, attach(GONE))
    assert set(status.values()) == {"failed"}
    assert len(azure.writes) == 1


async def test_a_reference_to_a_deleted_identity_goes_with_the_write_that_it_blocked() -> None:
    azure = machine(OLD, deleted=GONE)
    status, writes = await run(azure, attach(GOOD))
    assert set(status.values()) == {"done"}
    assert azure.writes[1:] == [({"id-good"}, {"id-gone"})]
    assert attached(azure) == {"id-good", "id-old"}
    assert writes.gone == [GONE], "what it left is for whoever reconciles it"


async def test_that_reference_goes_with_the_first_write_that_azure_takes_and_with_no_more() -> None:
    azure = machine(deleted=GONE)
    status, _ = await run(azure, attach(CLOSED), attach(GOOD), attach(OTHER))
    assert list(status.values()) == ["failed", "done", "done"]
    assert azure.writes[1:] == [
        ({"id-closed"}, {"id-gone"}),
        ({"id-good"}, {"id-gone"}),
        ({"id-other"}, set()),
    ]


async def test_what_azure_refuses_for_another_reason_stops_nothing_else() -> None:
    azure = machine(OLD)
    status, writes = await run(azure, attach(CLOSED), attach(GOOD), DetachIdentity(OLD))
    assert list(status.values()) == ["failed", "done", "done"]
    assert attached(azure) == {"id-good"}
    assert writes.gone == []


async def test_the_only_change_is_not_written_again_as_it_was() -> None:
    azure = machine(OLD)
    status, _ = await run(azure, attach(CLOSED))
    assert set(status.values()) == {"failed"}
    assert len(azure.writes) == 1


async def test_a_recreated_identity_is_attached_again_in_a_write_of_its_own_at_last() -> None:
    azure = machine(OLD)
    azure.existing[OLD] = "p-new"
    status, _ = await run(azure, reattach(OLD), attach(GOOD))
    assert set(status.values()) == {"done"}
    assert azure.writes == [({"id-good"}, set()), ({"id-old"}, {"id-old"})]
    assert azure.resource.identity.user_assigned[OLD] == "p-new"


async def test_one_that_cannot_be_attached_again_does_not_stop_the_next() -> None:
    azure = machine(OLD, deleted=GONE)
    status, _ = await run(azure, reattach(GONE), reattach(OLD))
    assert list(status.values()) == ["failed", "done"]
