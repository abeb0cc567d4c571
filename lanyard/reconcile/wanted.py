"""What the policy wants of a resource by what is on record of it: asked by its reconcile, by a
sweep and by whoever looks ahead.
"""

from lanyard.planning.desired import Desired, desired
from lanyard.planning.kept_after_a_move import keeping_what_it_left_with
from lanyard.planning.plan import Owned
from lanyard.policy import Policy
from lanyard.record.claims import Claims
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Grant


def wanted_for(policy: Policy, record: ResourceRecord, resource: ComputeResource | None) -> Desired:
    """What the policy wants a resource to have and keep, by what is on record of it."""
    claimed = record.owned().claimed
    return keeping_what_it_left_with(desired(policy, resource), resource, record.left_with, claimed)


async def had_of(wanted: Desired, owned: Owned, claims: Claims) -> frozenset[Grant]:
    """Of what a resource claims, what it was given: what was only intended it has not to keep, nor
    is it put back. Asked where a rule excludes it, or rules contradict each other; none otherwise.
    """
    if not wanted.kept.rules and not any(grant.contradicted for grant in wanted.grants):
        return frozenset()
    intended = [each for each in owned.claimed if each not in owned.grants]
    return owned.grants | {each for each in intended if await claims.stood(each)}
