"""Lets an app watch a subscription: looks at each part, and makes or changes what is not as it
should be. Each is looked at right before, so it may be run again at any time.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lanyard.desk.onboarding.by_group import absent_groups, joined_at, no_longer_wanted
from lanyard.desk.onboarding.differences import differences
from lanyard.desk.onboarding.event_parts import after_topic, before_topic, topic
from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    EVENT_GRID,
    SUBSCRIPTIONS,
    Delivery,
    Deployment,
    Part,
    role_of,
)
from lanyard.desk.onboarding.removal import Removal
from lanyard.desk.onboarding.role_parts import bound_first, role_parts
from lanyard.desk.onboarding.steps import (
    REFUSED,
    Resources,
    Step,
    Verb,
    doing,
    explained,
    reading,
)
from lanyard.desk.onboarding.template import definition_id
from lanyard.desk.onboarding.topics import (
    assignments_of,
    ids_of,
    principal_of,
    sender_of,
    topics_of,
)
from lanyard.desk.rights import Rights
from lanyard.values.errors import LanyardError, Permanent, Temporary
from lanyard.values.resource_id import folded

_ABSENT = "no resource group {}: run it again when it is there; until then nothing is done in it"
_JOINED = (
    "the app has its rights at {}, by which the subscription joined: at groups they would bound "
    "nothing. Leave --by-group out, or end the joining before ('lanyard uninstall')"
)
_AUTHORIZATION = "/Microsoft.Authorization/"
_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
#: A new role, or principal, is known everywhere within ten minutes (azure-facts-2, section 11).
#: Seconds: in all, and between two tries.
_SPREADS, _PAUSE = 600.0, 15.0


@dataclass(kw_only=True)
class Onboarding:
    """Of one subscription."""

    #: ARM, with the caller's rights.
    resources: Resources
    #: What is to watch it.
    app: Deployment
    #: What the app needs there.
    rights: Rights
    #: Its id, lower case.
    subscription: str
    #: Waits so many seconds.
    sleep: Callable[[float], Awaitable[None]]
    #: Gets what is waited for, for people.
    waiting: Callable[[str], None]
    #: What a person should know of it.
    notes: list[str] = field(default_factory=list)
    #: The ids of the parts that could not be made or looked at.
    _failed: set[str] = field(default_factory=set)
    #: The ids of those that were made just now.
    _made: set[str] = field(default_factory=set)

    async def go(self, *, write: bool) -> AsyncIterator[Step]:
        """The steps in order; with `write`, each is done before the next. One that fails stops
        only those that need it.
        """
        if refusal := await self._of_another_tenant() or await self._joined():
            yield refusal
            return
        for part in before_topic(self.app.location, self.subscription):
            yield await self._step(part, write=write)
        async for given in self._rights(write=write):
            yield given
        step, found = await self._topic(write=write)
        yield step
        principal = principal_of(found)
        for part in after_topic(self.app, self.subscription, step.id, principal):
            yield await self._step(part, write=write)
        async for last in self._no_more_sender(principal, write=write):
            yield last

    async def _rights(self, *, write: bool) -> AsyncIterator[Step]:
        """Those of the app, at the subscription or at the groups that are there."""
        app, place = self.app, f"/subscriptions/{self.subscription}"
        try:
            absent = await absent_groups(self.resources, self.rights, self.subscription)
            role = await self.resources.read(self._role, AUTHORIZATION)
            parts = bound_first(
                [*role_parts(app, self.rights, self.subscription, absent)],
                app,
                self.rights,
                self.subscription,
                role,
            )
            self.notes += [_ABSENT.format(group) for group in sorted(absent)]
            for part in parts:
                yield await self._step(part, write=write)
            if not any(part.id in self._failed for part in parts):
                removal = Removal(self.resources, write)
                async for step in no_longer_wanted(
                    self.resources, app, self.subscription, parts, removal
                ):
                    yield step
        except LanyardError as error:
            yield Step(place, "the app's rights there", Verb.KEEP, error=str(error))

    @property
    def _role(self) -> str:
        """The id of the definition of the app's role at the subscription."""
        return definition_id(self.subscription, role_of(self.subscription))

    async def _joined(self) -> Step | None:
        """Why rights at groups would bound nothing: the app has them from above."""
        if not self.rights.at_groups:
            return None
        place, about = f"/subscriptions/{self.subscription}", "rights by group"
        try:
            above = await joined_at(self.resources, self.app, self.subscription)
        except LanyardError as error:
            return Step(place, about, Verb.KEEP, error=str(error))
        return Step(place, about, Verb.KEEP, error=_JOINED.format(above)) if above else None

    async def _no_more_sender(self, principal: str, *, write: bool) -> AsyncIterator[Step]:
        """What came by queue comes by webhook now: the topic's right to the queue goes."""
        if self.app.delivery is Delivery.QUEUE or self._failed:
            return
        given, removal = sender_of(self.app, principal), Removal(self.resources, write)
        try:
            for id_ in await ids_of(self.resources, given, principal):
                yield await removal.of(id_, AUTHORIZATION, given.about)
        except LanyardError as error:
            yield Step(given.scope, given.about, Verb.KEEP, error=str(error))

    async def _of_another_tenant(self) -> Step | None:
        """Why a subscription that is delegated to the app's tenant (Azure Lighthouse) is not
        watched: each assignment in it wants more than Lanyard gives (azure-facts-2).
        """
        home = folded(self.app.app_id.split("/")[2])
        if home == self.subscription:
            return None
        try:
            tenants = [await self._tenant(each) for each in (self.subscription, home)]
        except LanyardError as error:
            self.notes.append(f"whether it is of the app's tenant is not known: {error}")
            return None
        if "" in tenants or len(set(tenants)) == 1:
            return None
        why = (
            f"it is of tenant {tenants[0]}, the app of {tenants[1]}: what is delegated (Azure "
            "Lighthouse) is not served; deploy an app in its own tenant"
        )
        return Step(f"/subscriptions/{self.subscription}", "its tenant", Verb.KEEP, error=why)

    async def _tenant(self, subscription: str) -> str:
        found = await self.resources.read(f"/subscriptions/{subscription}", SUBSCRIPTIONS)
        return folded(str((found or {}).get("tenantId") or ""))

    async def _topic(self, *, write: bool) -> tuple[Step, Mapping[str, Any]]:
        """The one topic of the subscription, whoever made it, as it is afterwards."""
        own = topic(self.subscription, identity=self.app.topic_identity)
        try:
            for found in await topics_of(self.resources, self.subscription):
                if folded(str(found["id"])) != folded(own.id):
                    return self._another(found), found
        except LanyardError as error:
            return self._fail(own, Verb.CREATE, explained(error, reading(own.id), own.id)), {}
        step = await self._step(own, write=write)
        if step.error:
            return step, {}
        return step, await self.resources.read(own.id, EVENT_GRID) or {}

    def _another(self, found: Mapping[str, Any]) -> Step:
        """Another tool's topic serves, too, and is not changed."""
        id_ = str(found["id"])
        about = f"system topic {id_.rpartition('/')[2]}, which is not Lanyard's"
        if principal_of(found) or not self.app.topic_identity:
            self.notes.append(f"the subscription has a system topic already, used as it is: {id_}")
            return Step(id_, about, Verb.KEEP)
        self._failed.add(id_)
        fix = (
            "it has no system-assigned identity, which dead letters are written as: "
            f"az eventgrid system-topic update --ids {id_} --identity systemassigned"
        )
        return Step(id_, about, Verb.KEEP, error=fix)

    async def _step(self, part: Part, *, write: bool) -> Step:
        missing = [need for need in part.needs if need in self._failed]
        if missing:
            return self._fail(part, Verb.CREATE, f"not tried: it needs {missing[0]}")
        verb, right = Verb.CREATE, reading(part.id)
        differs: tuple[str, ...] = ()
        try:
            part, found = await self._find(part)
            if found is not None:
                differs = () if part.present else tuple(differences(part.body, found))
                verb = Verb.CHANGE if differs else Verb.KEEP
            if write and verb is not Verb.KEEP:
                right = doing(verb, part.id, registers=part.registers)
                await self._write_in_time(part)
                self._made.add(part.id)
        except LanyardError as error:
            return self._fail(part, verb, explained(error, right, part.id))
        done = write and verb is not Verb.KEEP
        return Step(part.id, part.about, verb, differs, done)

    def _fail(self, part: Part, verb: Verb, error: str) -> Step:
        self._failed.add(part.id)
        return Step(part.id, part.about, verb, error=error)

    async def _find(self, part: Part) -> tuple[Part, Mapping[str, Any] | None]:
        """The part as it is. A role assignment may be there under another name: Azure takes no
        second one for the same role, scope and principal.
        """
        if part.id.endswith("/"):
            return part, None  # its name is known once the topic is there
        found = await self.resources.read(part.id, part.api_version)
        if found is None and f"/{_ASSIGNMENT}/" in part.id:
            found = await self._same_assignment(part)
        return (part, None) if found is None else (replace(part, id=_id_of(found, part)), found)

    async def _same_assignment(self, part: Part) -> Mapping[str, Any] | None:
        scope = part.id.rpartition("/providers/")[0]
        properties = part.body["properties"]
        principal, role = str(properties["principalId"]), properties["roleDefinitionId"]
        for each in await assignments_of(self.resources, scope, principal):
            if not [*differences({"scope": scope, "roleDefinitionId": role}, each["properties"])]:
                return each
        return None

    async def _write_in_time(self, part: Part) -> None:
        """Write it as soon as what was made for it a moment ago counts: a role that is new, an
        assignment to the topic by which Event Grid tries the container, the topic's principal.
        """
        waited = 0.0
        while True:
            try:
                return await self._write(part)
            except LanyardError as error:
                if waited >= _SPREADS or not self._may_spread(part, error):
                    raise
            if not waited:
                self.waiting(f"{part.about}: waiting until what was just made for it counts")
            await self.sleep(_PAUSE)
            waited += _PAUSE

    def _may_spread(self, part: Part, error: LanyardError) -> bool:
        """What the caller may not do never comes by waiting."""
        if isinstance(error, Permanent) and error.code == REFUSED:
            return False
        new = self._made & {*part.needs}
        rights = any(_AUTHORIZATION in each for each in new)
        principal = isinstance(error, Temporary) and _AUTHORIZATION in part.id
        return rights or (bool(new) and principal)

    async def _write(self, part: Part) -> None:
        if part.registers:
            await self.resources.register(part.id, part.api_version)
            return
        made = await self.resources.put(part.id, part.api_version, part.body)
        state = str((made.get("properties") or {}).get("provisioningState") or "Succeeded")
        if state != "Succeeded":
            raise Permanent(f"{part.id} is {state}")


def _id_of(found: Mapping[str, Any], part: Part) -> str:
    """Where it is, in the casing of the part if it is there."""
    id_ = str(found.get("id") or part.id)
    return part.id if folded(id_) == folded(part.id) else id_
