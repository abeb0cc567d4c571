"""What is refused the same way at each sweep is put on the queue at lengthening intervals, until
something that its being refused can depend on is not what it was.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lanyard.planning.desired import desired
from lanyard.policy import Policy
from lanyard.reconcile.services import Services
from lanyard.record.refused import Refused, RefusedWork, name_of
from lanyard.sweep.at_once import at_once
from lanyard.sweep.survey import Survey
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import is_within

_AUTHORIZATION = "/providers/microsoft.authorization/"


@dataclass(slots=True)
class Intervals:
    """Those of one sweep."""

    policy: Policy
    found: Survey
    services: Services
    known: Mapping[str, Refused]
    #: The ids of locks and deny assignments, where they refuse something.
    obstacles: frozenset[str] = frozenset()
    #: Why some of them could not be listed: then their change is seen late.
    unread: list[Temporary | Permanent] = field(default_factory=list)
    _offered: set[str] = field(init=False, default_factory=set)

    @classmethod
    async def read(cls, policy: Policy, found: Survey, services: Services) -> "Intervals":
        """Raises Temporary, Permanent where the record cannot be read."""
        known = await RefusedWork(services.control, services.now).all()
        obstacles, unread = set[str](), list[Temporary | Permanent]()
        for subscription in sorted(found.obstructed - found.unseen):
            try:
                obstacles |= await services.obstacles.in_subscription(subscription)
            except (Temporary, Permanent) as failure:
                unread.append(failure)
        return cls(policy, found, services, known, frozenset(obstacles), unread)

    def due(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Those that are put on the queue now, each with what this sweep sees of it, and once."""
        now = self.services.now()
        for change in changes:
            name, seen = name_of(change), self._seen(change)
            if name in self._offered:
                continue
            self._offered.add(name)
            before = self.known.get(name)
            if before is None or before.seen != seen:
                yield replace(change, seen=seen)
            elif before.is_due(now):
                yield replace(change, seen=seen, refused=before.times)

    async def forget_others(self) -> None:
        """What this sweep finds nothing to do for is refused no more."""
        work = RefusedWork(self.services.control, self.services.now)
        await at_once(self.known.keys() - self._offered, work.forget)

    def _seen(self, change: Change) -> str:
        """A digest of the resource, the policy, the app's own rights, what persons decided and what
        stands in the way of writes.
        """
        facts = self.found.facts
        parts = [
            self.services.author.policy,
            self.found.rights_of.get(self.services.own_principal, []),
            str(facts.pause),
            self._answers(change),
            self._in_the_way(change),
            self._shown(change),
        ]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _answers(self, change: Change) -> list[str]:
        keys = self.found.listed.get(change.resource, set()) & self.found.facts.dismissed.keys()
        about = {name_of(one) for one in self.found.released}
        return [*sorted(keys), *(["released"] if name_of(change) in about else [])]

    def _in_the_way(self, change: Change) -> list[str]:
        scopes = ((one, one.partition(_AUTHORIZATION)[0]) for one in self.obstacles)
        return sorted(one for one, scope in scopes if is_within(change.resource.key, scope))

    def _shown(self, change: Change) -> Sequence[object]:
        if change.principal:
            return self.found.rights_of.get(change.principal, [])
        resource = self.found.read.listing.compute.get(change.resource.key)
        if resource is None:
            return [self.found.resources.identities.get(change.resource.key)]
        # What it is to have, too: one that is made, or made again, may be why it is not refused.
        due = resource.identity.user_assigned.keys() | desired(self.policy, resource).identities
        principals = [
            self.found.resources.identities.get(key) for key in sorted(e.key for e in due)
        ]
        body = self.found.read.listing.bodies[resource.id.key]
        return [body, resource.tags, str(resource.identity), principals]
