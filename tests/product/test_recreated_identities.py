"""An identity is deleted and made again under its name: the old principal is dead wherever it is
still shown, and nobody may take it for the new one.
"""

from dataclasses import replace

from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.estate import BLOB_READER, Estate

NAME = "id-lanyard-westeurope"


async def recreate(estate: Estate) -> tuple[ResourceId, str]:
    """Returns the identity and its new principal; the events of it are lost."""
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    identities = client.user_assigned_identities
    await identities.delete("rg-identities", NAME)
    made = await identities.create_or_update("rg-identities", NAME, Identity(location="westeurope"))
    estate.new_events()
    return ResourceId.parse(str(made.id)), str(made.principal_id)


async def test_a_resource_that_could_not_be_written_does_not_bring_the_dead_principal_back(
    estate: Estate,
) -> None:
    vm = await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    await estate.settle()
    identity, principal = await recreate(estate)
    identity_ledger = estate.identity_ledger
    await identity_ledger.learn_principal(identity, principal)
    estate.azure.faults.add(Fault(method="PATCH", path="virtualMachines/vm1", status=500))
    await estate.worker.process(Change(vm, "event"))
    assert await identity_ledger.principal(identity) == principal
    assert (BLOB_READER, principal) in [(role, who) for role, _, who in estate.assignments()]
    await estate.settle()
    assert await estate.identity_of("vm1") == {NAME: principal}


async def test_a_resource_that_wants_one_that_was_deleted_unheard_has_it_made_again(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    estate.azure.clock.advance(3600)
    await client.user_assigned_identities.delete("rg-identities", NAME)
    vm2 = await estate.create_vm("vm2")
    await estate.worker.process(Change(vm2, "event"))
    while messages := estate.queue.messages:
        estate.new_events()  # lost
        estate.queue.messages = []
        for change, delay in messages:
            estate.azure.clock.advance(delay)
            await estate.worker.process(change)
    made = await client.user_assigned_identities.get("rg-identities", NAME)
    assert await estate.identity_of("vm2") == {NAME: made.principal_id}
    assert await estate.identity_of("vm1") == {NAME: made.principal_id}
    given = [(role, who) for role, _, who in estate.assignments()]
    assert given == [(BLOB_READER, made.principal_id)]


async def test_while_the_clean_up_of_the_old_principal_waits_its_users_are_looked_at_once(
    estate: Estate,
) -> None:
    estate.azure.behaviour.directory_lag_seconds = 600
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
    await estate.settle()
    identity, _ = await recreate(estate)
    await estate.worker.process(Change(identity, "event"))
    messages, estate.queue.messages = estate.queue.messages, []
    users = [change.resource.name for change, _ in messages if change.source == "identity"]
    assert sorted(users) == ["vm1", "vm2"]
    (later,) = [change for change, _ in messages if change.source == "retry"]
    await estate.worker.process(later)
    assert [change.resource for change, _ in estate.queue.messages] == [identity]


async def test_a_write_that_shows_a_new_principal_is_followed_by_a_plan_with_it(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    _, principal = await recreate(estate)
    await estate.create_vm("vm2")  # the ledger still has the principal of before
    await estate.settle()
    assert await estate.identity_of("vm2") == {NAME: principal}
    assert (BLOB_READER, principal) in [(role, who) for role, _, who in estate.assignments()]


async def test_users_of_an_identity_come_to_the_queue_once_although_it_stumbles(
    estate: Estate,
) -> None:
    for name in ("vm1", "vm2", "vm3"):
        await estate.create_vm(name)
    await estate.settle()
    identity, _ = await recreate(estate)
    stumbling = Stumbling()
    worker = replace(estate.worker, queue=stumbling)
    await worker.process(Change(identity, "event"))
    users = [change.resource.name for change in stumbling.changes if change.source == "identity"]
    assert sorted(users) == ["vm1", "vm2", "vm3"]


class Stumbling:
    """A queue that refuses every other message."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._refused = False

    async def put(self, change: Change, _delay: float = 0) -> None:
        self._refused = not self._refused
        if self._refused:
            raise Temporary("503 ServerBusy", 1)
        self.changes.append(change)
