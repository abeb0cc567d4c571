"""An identity is deleted and made again under its name: the old principal is dead wherever it is
still shown, and nobody may take it for the new one.
"""

from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.model import Change, ResourceId
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
    ledger = estate.runtime.reconciler.services.ledger
    await ledger.learn_principal(identity, principal)
    estate.azure.faults.add(Fault(method="PATCH", path="virtualMachines/vm1", status=500))
    await estate.runtime.process(Change(vm, "event"))
    assert await ledger.principal(identity) == principal
    assert (BLOB_READER, principal) in [(role, who) for role, _, who in estate.assignments()]
    await estate.settle()
    assert await estate.identity_of("vm1") == {NAME: principal}


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
