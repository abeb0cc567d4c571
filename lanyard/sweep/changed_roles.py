"""Custom roles of the policy that became privileged without any event: who has one is looked at.

One read a role and look. A role is one for all subscriptions that may use it, and nothing shows
which those are: where the one that is asked does not know it, the next look asks the next one.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from lanyard.policy import Policy
from lanyard.policy.document import contents
from lanyard.policy.privileged import is_allowed, privilege
from lanyard.ports.queue import Queue
from lanyard.reconcile.services import Services
from lanyard.record.seen_roles import SeenRole, SeenRoles
from lanyard.sweep.at_once import at_once
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from lanyard.values.grants import Grant
from lanyard.values.permissions import RoleDefinition
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import listed_role, role_id

log = logging.getLogger("lanyard.sweep")

_SOURCE = "role changed"
#: Other instances keep a definition for so long (seconds).
_KNOWN_FOR = 300.0


def custom_roles(policy: Policy) -> frozenset[str]:
    """The roles (GUID) of the rules that are none of the listed built-in ones."""
    named = {
        role_id(content.role)
        for rule in policy.rules
        for grant in rule.grant
        for content in contents(policy, grant)
    }
    return frozenset(role for role in named if role and listed_role(role) is None)


@dataclass(frozen=True, slots=True)
class ChangedRoles:
    """Looks at definitions, and puts on the queue who has what may not be given any more."""

    policy: Policy
    services: Services
    queue: Queue

    async def look(self) -> int:
        """Look once at each role; returns how many resources are to be looked at. Raises
        Temporary, Permanent.
        """
        roles = sorted(custom_roles(self.policy))
        if not roles:
            return 0
        subscriptions = sorted(await self.services.relearning.subscriptions())
        seen = SeenRoles(self.services.control)
        changed: dict[str, tuple[SeenRole, RoleDefinition]] = {}
        for role in roles if subscriptions else ():
            before = await seen.of(role)
            definition, now = await self._defined(role, before, subscriptions)
            if definition is not None and now.digest != before.digest:
                changed[role] = now, definition
            elif now != before:
                await seen.put(role, now)
        having = await self._having({role: each for role, (_, each) in changed.items()})
        await at_once(having, self._put)
        # Last: a look that is cut off is made again.
        for role, (now, _) in changed.items():
            await seen.put(role, now)
        return len(having)

    async def _defined(
        self, role: str, before: SeenRole, subscriptions: list[str]
    ) -> tuple[RoleDefinition | None, SeenRole]:
        """The definition as it is now; None where nobody can say."""
        where = before.subscription or subscriptions[0]
        try:
            found = await self.services.assignments.definition(role, f"/subscriptions/{where}")
        except Temporary as error:
            log.warning("role %s is looked at again in five minutes: %s", role, error)
            return None, before
        if isinstance(found, RoleDefinition):
            return found, SeenRole(where, _digest(found))
        following = next((each for each in subscriptions if each > where), subscriptions[0])
        return None, SeenRole(following, before.digest)

    async def _having(self, changed: Mapping[str, RoleDefinition]) -> list[ResourceId]:
        """Who has a changed role where it is privileged, and the policy does not name it."""
        # What is privileged anywhere is so above all subscriptions.
        worse = {role: each for role, each in changed.items() if privilege(each, "/")}
        if not worse:
            return []
        found = {
            resource
            async for standing in self.services.claims.standing([])  # a sweep names what is damaged
            if self._is_refused(standing.grant, worse)
            for resource in standing.claimants
        }
        return sorted(found)

    def _is_refused(self, grant: Grant, worse: Mapping[str, RoleDefinition]) -> bool:
        role = worse.get(grant.role_id)
        return (
            role is not None
            and bool(privilege(role, grant.scope))
            and not is_allowed(grant.role_id, grant.scope, self.policy.privileged)
        )

    async def _put(self, resource: ResourceId) -> None:
        change = Change(resource, _SOURCE, policy=self.services.author.policy)
        await self.queue.put(change, _KNOWN_FOR)


def _digest(role: RoleDefinition) -> str:
    return hashlib.sha256(repr(role.permissions).encode()).hexdigest()[:12]
