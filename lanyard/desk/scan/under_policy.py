"""What a policy would change, by the listing alone: the same desired, plan and guard as everywhere,
on resources as Resource Graph shows them, without a call for each. Pure.

A look ahead at each resource (look_ahead.py) reads it fresh and knows the conditions of grants that
stand; here a grant that stands counts as it is wanted.
"""

from collections.abc import Iterator

from lanyard.desk.look_ahead import Preview, look_ahead
from lanyard.desk.scan.report import Estate
from lanyard.planning.desired import Desired, desired
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.sweep.listings import Resources
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.grants import Content, Grant


def previews(policy: Policy, estate: Estate) -> Iterator[Preview]:
    """What would be done to each compute resource, in the order of their ids."""
    resources = Resources()
    for listed in estate.resources:
        resources.add(listed)
    standing = {assignment.content for assignment in estate.authorization.assignments}
    look = _Look(policy, estate, resources, standing)
    for resource in sorted(resources.compute.values(), key=lambda one: one.id):
        yield look.at(resource)


class _Look:
    def __init__(
        self, policy: Policy, estate: Estate, resources: Resources, standing: set[Content[str]]
    ) -> None:
        self._policy = policy
        self._identities = resources.identities
        self._standing = standing
        listed = estate.authorization.roles
        self._roles = {(role_id, ""): role.definition for role_id, role in listed.items()}

    def at(self, resource: ComputeResource) -> Preview:
        wanted = desired(self._policy, resource)
        principals = self._principals(wanted, resource)
        owned = Owned(grants=self._grants(wanted, principals))
        todo = plan(wanted, Actual(resource, principals), owned)
        situation = Situation(self._policy, wanted, resource, roles=self._roles)
        return look_ahead(resource, todo, situation)

    def _principals(self, wanted: Desired, resource: ComputeResource) -> dict[PrincipalRef, str]:
        found: dict[PrincipalRef, str] = {
            UserAssigned(identity): self._identities[identity.key]
            for identity in wanted.identities
            if identity.key in self._identities
        }
        if resource.identity.system_principal_id is not None:
            found[SystemAssigned()] = resource.identity.system_principal_id
        return found

    def _grants(self, wanted: Desired, principals: dict[PrincipalRef, str]) -> frozenset[Grant]:
        known = [e.granted(principals[e.to]) for e in wanted.grants if e.to in principals]
        return frozenset(grant for grant in known if grant.content in self._standing)
