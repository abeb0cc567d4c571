"""What the policy gives the listed resources, as a grant with its condition. Pure."""

from dataclasses import dataclass

from lanyard.planning.desired import desired
from lanyard.policy import Policy
from lanyard.sweep.listings import Resources
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class WantedGrants:
    """Those of one listing."""

    policy: Policy
    resources: Resources

    def has(self, resource: ResourceId, grant: Grant) -> bool:
        """Whether the policy has a resource have, or keep, a grant under this very condition. Where
        two of its rules contradict each other on that, what stands stays, whichever it is.
        """
        if (found := self.resources.compute.get(resource.key)) is None:
            return False
        wanted = desired(self.policy, found)
        return any(
            each.granted(principal).key == grant.key
            and (each.contradicted or each.condition == grant.condition)
            for each in (*wanted.grants, *wanted.kept.grants)
            if (principal := self._principal(each.to, found))
        )

    def gives(self, resource: ResourceId, grant: Grant) -> bool:
        """Whether the policy gives it, on whichever condition, and does not only have it kept."""
        if (found := self.resources.compute.get(resource.key)) is None:
            return False
        return any(
            each.granted(principal).key == grant.key
            for each in desired(self.policy, found).grants
            if (principal := self._principal(each.to, found))
        )

    def _principal(self, to: PrincipalRef, resource: ComputeResource) -> str | None:
        if isinstance(to, SystemAssigned):
            return resource.identity.system_principal_id
        return self.resources.identities.get(to.id.key)
