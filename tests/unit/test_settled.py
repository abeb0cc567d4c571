"""The record after a plan: what was not let begin is nobody else's yet."""

import pytest

from lanyard.planning.actions import Action, AttachIdentity, CreateIdentity
from lanyard.planning.outcomes import Outcome
from lanyard.reconcile.settled import Done, settled
from lanyard.record.ledger import ResourceRecord
from lanyard.values.errors import Because, Refused
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId

_PLACE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
OWN = ResourceId.parse(f"{_PLACE}/Microsoft.ManagedIdentity/userAssignedIdentities/id-vm1")
RECORD = ResourceRecord(
    id=ResourceId.parse(f"{_PLACE}/Microsoft.Compute/virtualMachines/vm1"),
    attachments={OWN: 1.0},
    dedicated={OWN: Dedicated("", 0.0, asked_at=1.0)},
)


@pytest.mark.parametrize(
    "action", [CreateIdentity(OWN, "westeurope", ()), AttachIdentity(OWN, ())], ids=str
)
@pytest.mark.parametrize("because", [Because.BUDGET, Because.AZURE_POLICY])
def test_what_only_the_budget_keeps_from_being_done_stays_lanyards(
    action: Action, because: Because
) -> None:
    """Its making, or its attachment, may have been done without an answer; Azure's refusal says
    that it was not.
    """
    refusal = Refused(because, "not now", 60, "wait", releasable=True)
    done = Done((Outcome(action, failure=refusal),), frozenset(), {}, shown={OWN})
    after = settled(RECORD, done, gone=False)
    assert (after == RECORD) is (because is Because.BUDGET)
