"""Whether a grant may change its condition: one assignment holds one, for all that share it.

What stands was given for somebody. Where the policy as it is now still gives them just that, the
rules contradict each other, and it stays as it is: not wider for the one, nor narrower for the
other. Asked only where the policy gives the role on two conditions at all.
"""

from collections.abc import Collection
from dataclasses import dataclass

from lanyard.planning.desired import desired
from lanyard.planning.needs import asking_for
from lanyard.policy import Policy
from lanyard.policy.document import contents
from lanyard.ports.azure import Compute, Index
from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Grant
from lanyard.values.listed import Listed
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_id


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of all resources, under one policy."""

    policy: Policy
    index: Index
    compute: Compute

    def in_question(self, grant: Grant) -> bool:
        """Whether a rule gives the role on another condition, to whom or where ever."""
        return any(
            role_id(content.role) == grant.role_id and content.condition != grant.condition
            for rule in self.policy.rules
            for spec in rule.grant
            for content in contents(self.policy, spec)
        )

    async def holding(
        self, standing: Grant, claimants: Collection[ResourceId], besides: ResourceId
    ) -> str:
        """Another resource that the policy gives a grant as it stands, and by which rule; "" for
        none. `claimants`: those on record, which may not be listed yet, nor show the identity.
        Raises Temporary, Permanent.
        """
        for claimant in claimants:
            if claimant != besides and (found := await self._claimed(standing, claimant)):
                return found
        known = {besides.key, *(claimant.key for claimant in claimants)}
        for listed in await self.index.showing(standing.principal_id):
            if folded(listed.id) in known or not (listed.compute or listed.unread):
                continue
            resource = await self._read(listed)
            if resource is not None and (rule := self._asks(resource, standing)):
                return f"{resource.id}, by rule {rule!r}"
        return ""

    async def _claimed(self, standing: Grant, claimant: ResourceId) -> str:
        """One answer that there is no such resource proves nothing: while it claims the grant it
        counts, and once its end is certain it claims nothing.
        """
        resource = await self.compute.read(claimant)
        if resource is None:
            return f"{claimant}, which claims it and may be gone"
        rule = self._asks(resource, standing, claims=True)
        return f"{claimant}, by rule {rule!r}" if rule else ""

    def _asks(self, resource: ComputeResource, standing: Grant, *, claims: bool = False) -> str:
        return asking_for(desired(self.policy, resource), resource, standing, claims=claims)

    async def _read(self, listed: Listed) -> ComputeResource | None:
        """As it is listed, where its row can be read."""
        if listed.compute is not None and not listed.unread:
            return listed.compute
        return await self.compute.read(ResourceId.parse(listed.id))
