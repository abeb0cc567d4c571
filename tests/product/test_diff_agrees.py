"""What `lanyard diff` foresees is what happens: one pair of policies on 200 resources here, pairs
by chance on 2,000 by `make fuzz TARGET=diff`.
"""

import pytest

from lanyard.desk.difference.access import every_access
from tests.support.what_happens import (
    compared,
    deviations,
    everything,
    filled,
    foreseen_and_there,
    settled,
)

OLD = """
version: 1
mode: full
identities:
  regional: {name: "id-l-{location}", resourceGroup: rg-000}
  own: {name: "id-{resource.hash}", per: resource, deleteAfterHours: 1}
rules:
  - name: machines read blobs
    match: {types: [Microsoft.Compute/virtualMachines], tags: {env: prod}}
    attach: [regional]
    imdsDefault: accept
    grant: [{role: Storage Blob Data Reader, scope: "{resourceGroup}", to: regional}]
  - name: apps of one group
    match: {types: [Microsoft.Web/sites], resourceGroups: [rg-001, rg-002]}
    attach: [own]
    grant: [{role: Key Vault Secrets User, scope: "{resourceGroup}", to: own}]
limits: {removals: {perHour: 100000, percent: 100, graceMinutes: 0}}
"""
CONDITION = """scope: "{resourceGroup}", condition: "((!(ActionMatches{'a/b/read'})))\""""
#: One rule is for others, one gives less, one holds, one is new.
NEW = """
version: 1
mode: full
identities:
  regional: {name: "id-l-{location}", resourceGroup: rg-000}
  own: {name: "id-{resource.hash}", per: resource, deleteAfterHours: 1}
rules:
  - name: machines read blobs
    match: {types: [Microsoft.Compute/virtualMachines], tags: {env: test}}
    attach: [regional]
    grant: [{role: Storage Blob Data Reader, scope: "{resourceGroup}", to: regional}]
  - name: apps of one group
    match: {types: [Microsoft.Web/sites], resourceGroups: [rg-001]}
    attach: [own]
    restart: avoid
    grant: [{role: Key Vault Secrets User, scope: "{resourceGroup}", to: own}]
  - name: everything of one group
    match:
      types: [Microsoft.Compute/virtualMachines, Microsoft.Web/sites]
      resourceGroups: [rg-003]
    system: true
    grant: [{role: Contributor, scope: "{subscription}", to: system}]
limits: {removals: {perHour: 100000, percent: 100, graceMinutes: 0}}
"""


async def test_what_is_foreseen_is_what_happens() -> None:
    estate, _ = filled(200, seed=1)
    await settled(estate, OLD)
    old = estate.policy
    estate.change_policy(NEW)
    new = estate.policy
    estate.change_policy(OLD)
    by_record = await compared(estate, old, new, by_record=True)
    by_listing = await compared(estate, old, new, by_record=False)
    before = await everything(estate)
    assert deviations(every_access(by_record.before.world), before) == []
    await settled(estate, NEW)
    after = await everything(estate)
    assert deviations(every_access(by_record.after.world), after) == []
    assert deviations(every_access(by_listing.after.world), after) == []
    assert by_record.loses
    assert any(each.held for each in by_record.resources)


async def test_a_condition_is_that_of_the_one_assignment_also_for_who_keeps_it() -> None:
    """Two machines of a group have a role by one assignment. One is excluded and keeps it as it
    is; the other has it on a condition from now on, and so have both.
    """
    every = "match: {types: [Microsoft.Compute/virtualMachines]}"
    old = OLD.replace(
        "match: {types: [Microsoft.Compute/virtualMachines], tags: {env: prod}}", every
    )
    new = old.replace("Machines]}", "Machines], exclude: {tags: {env: prod}}}", 1).replace(
        'scope: "{resourceGroup}", to: regional', f"{CONDITION}, to: regional"
    )
    estate, _ = filled(24, seed=7)
    assert await foreseen_and_there(estate, old, new) == []


@pytest.mark.parametrize("by_record", [True, False])
async def test_two_equal_policies_differ_in_nothing(by_record: bool) -> None:
    estate, _ = filled(12, seed=2)
    await settled(estate, OLD)
    found = await compared(estate, estate.policy, estate.policy, by_record=by_record)
    assert (found.resources, found.identities, found.loses) == ((), (), False)
