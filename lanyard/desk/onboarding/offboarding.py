"""Takes back what lets an app watch a subscription, and nothing else: the events first, then the
rights. What it granted to others stays.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lanyard.desk.onboarding.joins import POLICY, Join
from lanyard.desk.onboarding.parts import (
    ALERT,
    ALERTS,
    AUTHORIZATION,
    DELETES,
    EVENT_GRID,
    GROUP,
    GROUPS,
    OPERATOR,
    WRITES,
    Deployment,
    alert_id,
    group_id,
    group_roles_of,
    operator_name,
    role_of,
    topic_id,
)
from lanyard.desk.onboarding.removal import Removal
from lanyard.desk.onboarding.steps import Resources, Step, Verb
from lanyard.desk.onboarding.template import definition_id
from lanyard.desk.onboarding.topics import (
    assigned_role,
    assignments_of,
    dead_letters_of,
    ids_of,
    principal_of,
    scope_of,
    sender_of,
    topics_of,
)
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_within, last_name, subscription_of

type Found = Mapping[str, Any]

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_IDENTITY = "/providers/microsoft.managedidentity/userassignedidentities/"


@dataclass(kw_only=True)
class Offboarding:
    """Of one subscription."""

    resources: Resources
    app: Deployment
    #: Its id, lower case.
    subscription: str
    #: Subscriptions that the app watches besides, whose machines may have the identities that it is
    #: operator on.
    others: tuple[str, ...] = ()
    #: The ids of its role assignments elsewhere, of which those on identities go with the last
    #: subscription.
    operated: tuple[str, ...] = ()
    #: The management groups whose subscriptions join it.
    joins: tuple[Join, ...] = ()
    #: Whether they are taken back as well.
    ending: bool = False
    #: What stays, and why.
    notes: list[str] = field(default_factory=list)

    async def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps in order; with `write`, each is done before the next.

        The rights wait until the events are gone: by them it is known that the app watches.
        """
        removal = Removal(self.resources, write)
        for stage in (self._events, self._rights):
            try:
                async for step in stage(removal):
                    yield step
            except LanyardError as error:
                place = f"/subscriptions/{self.subscription}"
                yield Step(place, "what there is in it", Verb.KEEP, error=str(error))
                return
            if removal.failed:
                return

    # Events.

    async def _events(self, removal: Removal) -> AsyncIterator[Step]:
        topics = await topics_of(self.resources, self.subscription)
        remaining: list[str] = []
        for topic in topics:
            for event in await self.resources.every(
                f"{topic['id']}/eventSubscriptions", EVENT_GRID
            ):
                if self._is_ours(event):
                    what = f"event subscription {event['name']}"
                    yield await removal.of(str(event["id"]), EVENT_GRID, what)
                else:
                    remaining.append(str(event["id"]))
        alert = alert_id(self.subscription)
        sharing = [each for each in remaining if last_name(each) in (WRITES, DELETES)]
        if sharing:
            self.notes.append(f"kept: alert {ALERT}, which another app needs for {sharing[0]}")
        elif await self.resources.read(alert, ALERTS) is not None:
            yield await removal.of(alert, ALERTS, f"alert {ALERT}")
        for topic in topics:
            async for step in self._given(principal_of(topic), removal):
                yield step
        if removal.failed:
            return  # by the topic's identity it is known what the rest is
        async for step in self._topic_and_group(topics, remaining, removal):
            yield step

    def _is_ours(self, event: Found) -> bool:
        """By its name and by where it sends them: another app may watch the same subscription."""
        sends_here = folded(_endpoint(event)) in (
            folded(self.app.endpoint),
            folded(self.app.events_queue),
        )
        named = folded(str(event.get("name"))) in (WRITES, DELETES)
        if sends_here and not named:
            self.notes.append(f"kept: {event['id']}, which Lanyard did not make, sends to the app")
        return sends_here and named

    async def _given(self, principal: str, removal: Removal) -> AsyncIterator[Step]:
        """The role assignments of the topic (principal)."""
        for given in (dead_letters_of(self.app, principal), sender_of(self.app, principal)):
            for id_ in await ids_of(self.resources, given, principal):
                yield await removal.of(id_, AUTHORIZATION, given.about)

    async def _topic_and_group(
        self, topics: list[Found], remaining: list[str], removal: Removal
    ) -> AsyncIterator[Step]:
        own = topic_id(self.subscription)
        used = [each for each in remaining if is_within(each, own)]
        if used:
            self.notes.append(f"kept: system topic {own}, which {used[0]} needs")
        elif any(folded(str(topic["id"])) == folded(own) for topic in topics):
            yield await removal.of(own, EVENT_GRID, "system topic lanyard")
        group = group_id(self.subscription)
        if await self.resources.read(group, GROUPS) is None:
            return
        inside = await self.resources.every(f"{group}/resources", GROUPS)
        left = [str(each["id"]) for each in inside if folded(str(each["id"])) not in removal.going]
        if left:
            self.notes.append(f"kept: resource group {GROUP}, which has {left[0]} in it")
        else:
            yield await removal.of(group, GROUPS, f"resource group {GROUP}")

    # Rights.

    async def _rights(self, removal: Removal) -> AsyncIterator[Step]:
        place = f"/subscriptions/{self.subscription}"
        roles = (role_of(self.subscription), *sorted(group_roles_of(self.subscription)))
        above = {join.identity_role for join in self.joins}
        for each in await assignments_of(self.resources, place, self.app.principal_id):
            in_it = is_within(scope_of(each), place)
            if assigned_role(each) in roles or (in_it and assigned_role(each) in above):
                what = f"assignment of custom role at {scope_of(each)}"
                yield await removal.of(str(each["id"]), AUTHORIZATION, what)
            elif assigned_role(each) == OPERATOR and in_it:
                async for step in self._operator(each, removal):
                    yield step
            elif not self.ending:
                self._note_join(each)
        async for step in self._elsewhere(removal):
            yield step
        async for step in self._definitions(roles, removal):
            yield step

    def _note_join(self, assignment: Found) -> None:
        """What the app has above the subscription stays."""
        for join in self.joins:
            if assigned_role(assignment) == join.role:
                self.notes.append(
                    f"kept: the app's rights at {join.group}, below which the subscription is; it "
                    f"joins again unless the policy assignment {POLICY} there excludes it"
                )

    async def _definitions(self, roles: tuple[str, ...], removal: Removal) -> AsyncIterator[Step]:
        """Azure keeps a role that somebody has."""
        collection = f"/subscriptions/{self.subscription}/providers/{_ASSIGNMENTS}"
        here = await self.resources.every(collection, AUTHORIZATION)
        others = {
            assigned_role(each) for each in here if folded(str(each["id"])) not in removal.going
        }
        for role in roles:
            id_ = definition_id(self.subscription, role)
            if role in others:
                self.notes.append(f"kept: {id_}, which is assigned to another principal")
            elif await self.resources.read(id_, AUTHORIZATION) is not None:
                yield await removal.of(id_, AUTHORIZATION, "definition of custom role")

    async def _elsewhere(self, removal: Removal) -> AsyncIterator[Step]:
        """On identities of other subscriptions: these go with the last one that is watched."""
        here = f"/subscriptions/{self.subscription}"
        for id_ in () if self.others else self.operated:
            # The listing has ids in a case of its own: what they are of is read from ARM.
            if _IDENTITY in folded(id_) and not is_within(id_, here):
                found = await self.resources.read(id_, AUTHORIZATION)
                if found is not None and assigned_role(found) == OPERATOR:
                    async for step in self._operator(found, removal):
                        yield step

    async def _operator(self, found: Found, removal: Removal) -> AsyncIterator[Step]:
        scope, id_ = scope_of(found), str(found["id"])
        name = operator_name(scope, self.app.principal_id)
        if folded(str(found["name"])) != name:
            self.notes.append(f"kept: {id_}, which Lanyard did not make")
        elif self.others:
            self.notes.append(
                f"kept: Managed Identity Operator on {scope}, which the app may need for "
                f"subscription {self.others[0]}"
            )
        else:
            what = f"assignment of Managed Identity Operator on {scope.rpartition('/')[2]}"
            yield await removal.of(id_, AUTHORIZATION, what)


def _endpoint(event: Found) -> str:
    """Where an event subscription sends to: the id of a function, or of a queue."""
    properties = event.get("properties") or {}
    with_identity = properties.get("deliveryWithResourceIdentity") or {}
    destination = properties.get("destination") or with_identity.get("destination") or {}
    target = destination.get("properties") or {}
    id_, queue = str(target.get("resourceId") or ""), target.get("queueName")
    return f"{id_}/queueServices/default/queues/{queue}" if queue else id_


def watching(assignments: Iterable[str], named: Callable[[str], str]) -> tuple[str, ...]:
    """The subscriptions (ids) that an app watches, by the ids of its role assignments; `named`
    gives the id of the one by which a subscription is watched.
    """
    found = set()
    for id_ in assignments:
        subscription = subscription_of(id_)
        if subscription and folded(id_) == folded(named(subscription.subscription)):
            found.add(subscription.subscription)
    return tuple(sorted(found))
