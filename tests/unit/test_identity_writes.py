"""One write for all changes of a resource's identities, and what becomes of it when one is bad."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    is_removal,
)
from lanyard.planning.life import LOST_IDENTITY, Life
from lanyard.planning.orders import Orders
from lanyard.planning.outcomes import Outcome, only, status_of
from lanyard.policy import RemovalLimit
from lanyard.ports.azure import Directory, Index
from lanyard.reconcile.dangling import References
from lanyard.reconcile.identity_writes import IdentityWrites
from lanyard.reconcile.presence import IdentityPresence
from lanyard.record.identities import IdentityLedger, IdentityRecord
from lanyard.values.compute import ComputeResource, Identity, ManagedIdentity
from lanyard.values.errors import Because, MayPass, NotYet, Permanent, Refused, Temporary
from lanyard.values.own_identity import Created
from lanyard.values.removed import Became, RemovedAttachment, Taken
from lanyard.values.resource_id import ResourceId
from tests.support.examples import identity_id, vm
from tests.support.memory_table import MemoryTable
from tests.support.removals import removals

GOOD, OTHER, OLD, GONE, CLOSED = (
    identity_id(name) for name in ("id-good", "id-other", "id-old", "id-gone", "id-closed")
)


#: Seconds since the epoch.
NOW = 1_800_000_600.0


@dataclass
class OneMachine:
    """A machine, and the identities that exist. Azure takes a write whole or not at all: not where
    an identity that stays on it or comes to it does not exist, or may not be assigned.
    """

    resource: ComputeResource
    existing: dict[ResourceId, str] = field(default_factory=dict)
    not_allowed: set[ResourceId] = field(default_factory=set)
    #: Of the next writes, the last first; None for one that Azure takes.
    outages: list[Temporary | Permanent | None] = field(default_factory=list)
    writes: list[tuple[set[str], set[str]]] = field(default_factory=list)
    table: MemoryTable = field(default_factory=MemoryTable)
    limit: int = 50

    def __post_init__(self) -> None:
        self.removals = removals(self.resource.id, RemovalLimit(per_hour=self.limit, percent=100))

    async def principal(self, identity: ResourceId) -> str | None:
        return self.existing.get(identity)

    async def unchanged(self, resource: ComputeResource) -> ComputeResource:
        assert resource is self.resource, "what was read last"
        return resource

    def alone(self, _resource: ComputeResource) -> AbstractAsyncContextManager[None]:
        return nullcontext()

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
        shown = {id: resource.identity.user_assigned[id] for id in stays}
        return self._store(Identity(system, shown | {id: self.existing[id] for id in added}))

    def _begin(
        self, resource: ComputeResource, added: set[ResourceId], removed: set[ResourceId]
    ) -> None:
        assert resource is self.resource, "a write goes out from what was read last"
        self.writes.append(({id.name for id in added}, {id.name for id in removed}))
        if self.outages and (outage := self.outages.pop()) is not None:
            raise outage

    def _check(self, wanted: set[ResourceId], added: set[ResourceId]) -> None:
        if wanted - self.existing.keys():
            raise Permanent("an identity was not found", "FailedIdentityOperation")
        if added & self.not_allowed:
            raise Permanent("the app may not assign it", "LinkedAuthorizationFailed")

    def _store(self, identity: Identity) -> ComputeResource:
        self.resource = replace(self.resource, identity=identity)
        return self.resource

    # Of the ports, these are not asked.

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        raise NotImplementedError

    def writing(self, resource: ResourceId) -> AbstractContextManager[None]:
        raise NotImplementedError

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        raise NotImplementedError

    async def upgrade_instances(self, resource: ComputeResource) -> None:
        raise NotImplementedError

    async def create(self, identity: ResourceId, location: str, tags: Mapping[str, str]) -> Created:
        raise NotImplementedError

    async def associated(self, identity: ResourceId) -> int:
        raise NotImplementedError

    async def federated(self, identity: ResourceId) -> list[str]:
        raise NotImplementedError

    async def delete(self, identity: ResourceId) -> None:
        raise NotImplementedError


def machine(
    *attached: ResourceId, deleted: ResourceId | None = None, limit: int = 50
) -> OneMachine:
    """One with these identities on it. `deleted`: another one that is on it and exists no more."""
    there = {id: f"p-{id.name}" for id in (GOOD, OTHER, OLD, CLOSED)}
    block: dict[ResourceId, str | None] = {id: there[id] for id in attached}
    if deleted is not None:
        block[deleted] = "p-dead"
    return OneMachine(vm(attached=block), there, not_allowed={CLOSED}, limit=limit)


def attach(identity: ResourceId) -> AttachIdentity:
    return AttachIdentity(identity, ("rule",))


def reattach(identity: ResourceId) -> ReattachIdentity:
    return ReattachIdentity(identity, ("rule",))


@dataclass
class Elsewhere:
    """A directory that knows the principals of the identities that exist, and a listing that shows
    these identities.
    """

    azure: OneMachine

    async def shows(self, resource: ResourceId) -> bool:
        return resource in self.azure.existing

    async def existing(self, principals: Iterable[str]) -> frozenset[str]:
        return frozenset(principals) & set(self.azure.existing.values())


def writes_to(azure: OneMachine) -> IdentityWrites:
    elsewhere = Elsewhere(azure)
    ledger = IdentityLedger(azure.table, lambda: NOW)
    presence = IdentityPresence(ledger, cast(Index, elsewhere), lambda: NOW)
    references = References(azure, presence, cast(Directory, elsewhere))
    return IdentityWrites(
        compute=azure,
        identities=azure,
        references=references,
        removals=azure.removals,
        resource=azure.resource,
    )


async def missed(azure: OneMachine, seconds: float = 60.0, *identities: ResourceId) -> OneMachine:
    """ARM answered 404 for them so long ago."""
    ledger = IdentityLedger(azure.table, lambda: NOW)
    for one in identities or (GONE,):
        await ledger.save_identity(IdentityRecord(one, life=Life(missing=NOW - seconds)))
    return azure


async def run(azure: OneMachine, *actions: Action) -> tuple[dict[str, str], IdentityWrites]:
    """The status of each action by its text, and what the writes left behind."""
    writes = writes_to(azure)
    outcomes: list[Outcome] = await writes.add([a for a in actions if not is_removal(a)])
    if detaches := only(DetachIdentity, actions):
        outcomes += await writes.detach(detaches)
    assert len(outcomes) == len(actions)
    assert writes.resource is azure.resource, "the resource as read after the last write"
    return {str(outcome.action): status_of(outcome) for outcome in outcomes}, writes


def attached(azure: OneMachine) -> set[str]:
    return {id.name for id in azure.resource.identity.user_assigned}


async def test_what_is_added_is_one_write_and_what_is_detached_one_more_after_it() -> None:
    azure = machine(OLD)
    actions = (attach(GOOD), attach(OTHER), DetachIdentity(OLD), EnableSystemIdentity(("rule",)))
    status, _ = await run(azure, *actions)
    assert set(status.values()) == {"done"}
    assert azure.writes == [({"id-good", "id-other"}, set()), (set(), {"id-old"})]
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


async def test_one_that_does_not_exist_is_tried_later_and_the_others_are_attached() -> None:
    azure = machine()
    writes = writes_to(azure)
    parked, *done = await writes.add([attach(GOOD), attach(GONE), attach(OTHER)])
    assert parked.action == attach(GONE)
    assert isinstance(parked.failure, MayPass)
    assert parked.failure.delay == LOST_IDENTITY, "the next plan knows what became of it"
    assert GONE.text in str(parked.failure)
    assert parked.failure.code == "FailedIdentityOperation"
    assert {status_of(one) for one in done} == {"done"}
    assert attached(azure) == {"id-good", "id-other"}
    assert writes.gone == [GONE]


async def test_where_all_that_is_wanted_is_missing_no_second_write_is_tried() -> None:
    azure = machine()
    status, _ = await run(azure, attach(GONE))
    assert set(status.values()) == {"later"}
    assert len(azure.writes) == 1


async def test_a_reference_to_a_deleted_identity_goes_with_the_write_that_it_blocked() -> None:
    azure = await missed(machine(OLD, deleted=GONE))
    status, writes = await run(azure, attach(GOOD))
    assert set(status.values()) == {"done"}
    assert azure.writes[1:] == [({"id-good"}, {"id-gone"})]
    assert attached(azure) == {"id-good", "id-old"}
    assert writes.gone == [GONE], "what it left is for whoever reconciles it"


async def test_that_reference_goes_with_the_first_write_that_azure_takes_and_with_no_more() -> None:
    azure = await missed(machine(deleted=GONE))
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
    assert azure.writes == [({"id-good"}, set()), (set(), {"id-old"}), ({"id-old"}, set())]
    assert azure.resource.identity.user_assigned[OLD] == "p-new"


async def test_one_that_cannot_be_attached_again_does_not_stop_the_next() -> None:
    azure = machine(OLD, deleted=GONE)
    status, _ = await run(azure, reattach(GONE), reattach(OLD))
    assert list(status.values()) == ["failed", "done"]


async def test_what_the_budget_has_no_place_for_stays_and_the_rest_of_the_write_is_made() -> None:
    azure = machine(OLD, OTHER, limit=1)
    first, second = await writes_to(azure).detach([DetachIdentity(OLD), DetachIdentity(OTHER)])
    assert first.failure is None
    assert isinstance(second.failure, Refused)
    assert azure.writes == [(set(), {"id-old"})]


async def test_where_only_a_refused_detach_is_left_nothing_is_written() -> None:
    azure = machine(OLD, limit=0)
    assert (await run(azure, DetachIdentity(OLD)))[0] == {"detach identity id-old": "later"}
    assert azure.writes == []


async def test_the_detach_half_of_a_repair_is_a_removal_and_waits_for_a_place() -> None:
    azure = machine(OLD, limit=0)
    assert set((await run(azure, reattach(OLD)))[0].values()) == {"later"}
    assert azure.writes == []


async def test_a_dangling_reference_is_dropped_as_a_removal_with_its_kind_on_record() -> None:
    azure = await missed(machine(deleted=GONE))
    await run(azure, attach(GOOD), attach(OTHER))
    dropped = [each.removed for each in azure.removals.recorded]
    assert [(d.identity, d.taken) for d in dropped if isinstance(d, RemovedAttachment)] == [
        (GONE.text, Taken.DANGLING)
    ]


async def test_a_dangling_reference_whose_principal_the_directory_knows_stays() -> None:
    azure = await missed(machine(OLD))
    azure.existing[OTHER] = "p-old"  # what ARM misses has a living principal
    azure.resource = replace(
        azure.resource, identity=replace(azure.resource.identity, user_assigned={GONE: "p-old"})
    )
    await writes_to(azure).add([attach(GOOD)])
    assert azure.removals.recorded == []
    assert attached(azure) == {"id-gone"}


async def test_one_404_is_not_enough_to_drop_a_reference() -> None:
    azure = machine(deleted=GONE)
    (outcome,) = await writes_to(azure).add([attach(GOOD)])
    assert isinstance(outcome.failure, NotYet)
    assert outcome.failure.delay == 60
    assert attached(azure) == {"id-gone"}
    ledger = IdentityLedger(azure.table, lambda: NOW)
    assert (await ledger.identity(GONE)).life.missing == NOW, "the next look counts from this one"


@pytest.mark.parametrize("seconds", [1.0, 59.0])
async def test_nor_is_a_second_404_within_the_same_minute(seconds: float) -> None:
    azure = await missed(machine(OLD, deleted=GONE), seconds)
    (outcome,) = await writes_to(azure).detach([DetachIdentity(OLD)])
    assert isinstance(outcome.failure, NotYet)
    assert attached(azure) == {"id-old", "id-gone"}


async def test_a_reference_without_a_principal_is_on_its_way_and_never_dangling() -> None:
    azure = await missed(machine(deleted=GONE))
    azure.resource = replace(azure.resource, identity=Identity(None, {GONE: None}))
    (outcome,) = await writes_to(azure).add([attach(GOOD)])
    assert isinstance(outcome.failure, Permanent)
    assert attached(azure) == {"id-gone"}


async def test_an_identity_that_arm_shows_again_starts_anew() -> None:
    azure = await missed(machine(OLD, deleted=GONE), 60.0, OLD, GONE)
    await run(azure, attach(GOOD))
    ledger = IdentityLedger(azure.table, lambda: NOW)
    assert (await ledger.identity(OLD)).life.missing == 0


async def test_a_dropped_identity_that_had_no_principal_on_record_is_forgotten() -> None:
    azure = await missed(machine(deleted=GONE))
    await run(azure, attach(GOOD))
    assert (await IdentityLedger(azure.table, lambda: NOW).identity(GONE)).row is None


async def test_where_a_reference_may_not_be_dropped_that_is_why_the_write_fails() -> None:
    azure = await missed(machine(OLD, deleted=GONE, limit=0))
    writes = writes_to(azure)
    (attaching,) = await writes.add([attach(GOOD)])
    assert isinstance(attaching.failure, Refused)
    assert attaching.failure.because is Because.BUDGET
    assert attached(azure) == {"id-gone", "id-old"}


async def test_what_a_person_dismissed_takes_nothing_off_besides() -> None:
    azure = await missed(machine(deleted=GONE))
    orders = Orders(dismissed={attach(GOOD).key: "ann"})
    azure.removals = replace(azure.removals, orders=orders)
    (attaching,) = await writes_to(azure).add([attach(GOOD)])
    assert isinstance(attaching.failure, Refused)
    assert attaching.failure.because is Because.DISMISSED
    assert attached(azure) == {"id-gone"}


@pytest.mark.parametrize(
    "refusal", [Permanent("403", "LinkedAuthorizationFailed"), Temporary("429", 30)], ids=str
)
async def test_where_the_second_half_of_a_repair_fails_the_first_is_still_done(
    refusal: Permanent | Temporary,
) -> None:
    azure = machine(OLD, GOOD)
    azure.outages = [refusal, None]
    (outcome,) = await writes_to(azure).add([reattach(OLD)])
    assert outcome.failure is refusal
    assert [each.became for each in azure.removals.recorded] == [Became.DONE]
    assert attached(azure) == {"id-good"}


async def test_a_principal_that_the_resource_does_not_show_is_on_record_as_it_is_known() -> None:
    azure = machine(OLD)
    azure.resource = replace(azure.resource, identity=Identity(None, {OLD: None}))
    await writes_to(azure).detach([DetachIdentity(OLD)])
    (removal,) = azure.removals.recorded
    assert isinstance(removal.removed, RemovedAttachment)
    assert removal.removed.principal_id == "p-id-old"
