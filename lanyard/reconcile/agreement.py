"""Whether a grant may change its condition: one assignment holds one, for all that share it.

What stands was given for somebody. Where the policy as it is now still gives them just that, the
rules contradict each other, and it stays as it is: not wider for the one, nor narrower for the
other. Asked only where the policy gives the role on two conditions at all.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from lanyard.planning.desired import desired
from lanyard.planning.needs import asking_for
from lanyard.policy import Policy
from lanyard.policy.document import contents
from lanyard.ports.azure import Compute, Index
from lanyard.values.compute import ComputeResource
from lanyard.values.grants import Grant
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
        self, standing: Grant, claimants: Iterable[ResourceId], besides: ResourceId
    ) -> str:
        """Another resource that the policy gives a grant as it stands, and by which rule; "" for
        none. `claimants`: those on record, which may not be listed yet. Raises Temporary,
        Permanent.
        """
        async for resource in self._others(standing.principal_id, claimants, besides):
            if rule := asking_for(desired(self.policy, resource), resource, standing):
                return f"{resource.id}, by rule {rule!r}"
        return ""

    async def _others(
        self, principal: str, claimants: Iterable[ResourceId], besides: ResourceId
    ) -> AsyncIterator[ComputeResource]:
        """Whoever shows the principal, as listed where the row can be read; then the claimants."""
        known = {besides.key}
        for listed in await self.index.showing(principal):
            if folded(listed.id) in known or not (listed.compute or listed.unread):
                continue
            known.add(folded(listed.id))
            if listed.compute is not None and not listed.unread:
                yield listed.compute
            elif (current := await self.compute.read(ResourceId.parse(listed.id))) is not None:
                yield current
        for claimant in claimants:
            if claimant.key not in known:
                current = await self.compute.read(claimant)
                if current is not None:
                    yield current
