"""What somebody gains who has part of the deployment: a queue, the ledger, the policy file."""

import pytest

from lanyard.queue.messages import decode, encode
from lanyard.record.ledger import ResourceRecord
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from tests.support.estate import BLOB_READER, POLICY, Estate
from tests.support.handlers import started
from tests.support.infra.bounded import BoundedEstate, needed

READER = BUILT_IN_ROLES["Reader"]
OWNER = BUILT_IN_ROLES["Owner"]


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """A machine with its access; and someone unrelated, with Reader on the same group."""
    made = await started(Estate(), monkeypatch)
    await made.create_vm("vm1")
    await made.settle()
    return made


def someone(estate: Estate) -> tuple[str, str]:
    """Their principal and the id of their assignment."""
    principal = estate.azure.state.add_principal("someone").object_id
    scope = f"{estate.scope}/resourceGroups/rg-app"
    return principal, estate.azure.assign(principal, "Reader", scope).id.lower()


async def test_a_message_put_on_the_queue_only_makes_lanyard_look(estate: Estate) -> None:
    before = estate.assignments()
    machine = estate.vm_id("vm1")
    forged = Change(
        machine, "event", event_id="e", event_type="Microsoft.Resources.ResourceDeleteSuccess"
    )
    await estate.work(encode(forged))
    await estate.settle()
    assert estate.assignments() == before
    assert len(await estate.identity_of("vm1")) == 1


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", '{"resource": "/subscriptions/x"}', '{"resource": 1}', "\x00" * 9]
)
def test_a_message_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(LanyardError):
        decode(body)


async def test_a_row_that_calls_someone_elses_assignment_ours_removes_nothing(
    estate: Estate,
) -> None:
    """The ledger is not believed alone: name, stamp and content are read from ARM."""
    principal, assignment = someone(estate)
    scope = f"{estate.scope}/resourceGroups/rg-app"
    machine = estate.vm_id("vm-that-never-was")
    forged = ResourceRecord(id=machine, grants=frozenset({Grant(scope, READER, principal)}))
    await estate.ledger.save(forged)
    await estate.worker.process(Change(machine, "event"))
    await estate.sweeps.run()
    await estate.settle()
    assert (await estate.ledger.resource(machine)).empty
    assert assignment in estate.azure.state.role_assignments


async def test_a_row_that_calls_a_living_principal_gone_removes_nothing(estate: Estate) -> None:
    """Before anything is removed for want of its principal, the directory is asked."""
    principal, assignment = someone(estate)
    identity = ResourceId.parse(
        f"{estate.scope}/resourceGroups/rg-identities/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/id-that-never-was"
    )
    await estate.identity_ledger.learn_principal(identity, principal)
    await estate.worker.process(Change(identity, "event"))
    for _ in range(10):  # it asks again, less and less often
        ((change, delay),) = estate.queue.messages
        estate.queue.messages.clear()
        estate.azure.clock.advance(delay)
        await estate.worker.process(change)
    assert assignment in estate.azure.state.role_assignments


GREEDY = POLICY.replace("role: Storage Blob Data Reader", "role: Owner").replace(
    "orphans:", "privileged: {allow: [{role: Owner, scopes: [/subscriptions/*]}]}\norphans:"
)


async def test_a_policy_that_reaches_for_more_than_the_rights_gets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever changes the file alone does not change what the app may do."""
    estate = BoundedEstate(GREEDY, needed(POLICY))
    await started(estate, monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    assert estate.assignments() == []
    failed = [action for action, outcome, _ in await estate.decisions() if outcome == "failed"]
    assert any("Owner" in action for action in failed)


async def test_with_the_rights_made_anew_the_same_policy_would_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that the refusal above is that of the rights; and whoever makes them sees a warning."""
    granted = needed(GREEDY)
    assert any("Owner can assign any role" in note for note in granted.notes)
    estate = BoundedEstate(GREEDY, granted)
    await started(estate, monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    assert [role for role, _, _ in estate.assignments()] == [OWNER]
    assert BLOB_READER not in granted.assignable
