"""What the cases need of an estate: time that passes, resources of any type, and what stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.record.held import Entry
from lanyard.values.change import Change
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId
from simulator.state import Resource
from tests.support.any_resource import client
from tests.support.compute_examples import PARENTS, Example
from tests.support.estate import Estate
from tests.support.handlers import started

MINUTE, HOUR = 60.0, 3600.0
IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
MACHINE_TYPE = "Microsoft.Compute/virtualMachines"
NOTHING = "version: 1\nmode: full\n"
#: A wait that comes back through the queue is up to a fifth longer.
JITTER = 1.2


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The smallest policy of one rule, as text: its identity has one role, at the group unless said
    otherwise.

    `of` the identity: the name of an existing one, or the whole specification in YAML. `match` and
    `options` are more members of the rule in YAML.
    """

    type: str = MACHINE_TYPE
    identity: str = "id-old"
    role: str = "Reader"
    scope: str = "{resourceGroup}"
    match: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    grace_minutes: int = 0
    per_hour: int = 50
    percent: int = 100
    additions: int | None = None
    more: str = ""

    def _additions(self) -> str:
        return "" if self.additions is None else f"additions: {{perHour: {self.additions}}}, "

    def text(self, subscription: str) -> str:
        """The policy file."""
        spec = self.identity
        if not spec.startswith("{"):
            spec = f"{{id: {identity_id(subscription, spec)}}}"
        options = "".join(f"    {key}: {value}\n" for key, value in self.options.items())
        match = f"types: [{self.type}]" + (f", {self.match}" if self.match else "")
        removals = f"perHour: {self.per_hour}, percent: {self.percent}"
        removals += f", graceMinutes: {self.grace_minutes}"
        return (
            f"version: 1\nmode: full\nidentities:\n  main: {spec}\n"
            f"rules:\n  - name: all\n    match: {{{match}}}\n    attach: [main]\n"
            f'    grant: [{{role: {self.role}, scope: "{self.scope}", to: main}}]\n{options}'
            "orphans: {graceMinutes: 0}\n"
            f"limits: {{{self._additions()}removals: {{{removals}}}}}\n{self.more}"
        )


def own(delete_after_hours: int | None = None) -> str:
    """An identity for each resource, in the resource's group."""
    hours = "" if delete_after_hours is None else f", deleteAfterHours: {delete_after_hours}"
    return f'{{name: "id-{{resource.name}}", per: resource{hours}}}'


async def begun(monkeypatch: pytest.MonkeyPatch, policy: Rules | str, *identities: str) -> Estate:
    """The handlers at work under a policy that has been in force since the first sweep."""
    estate = await started(Estate(NOTHING), monkeypatch)
    for name in identities:
        await make_identity(estate, name)
    await adopt(estate, policy)
    return estate


async def adopt(estate: Estate, policy: Rules | str) -> None:
    """Another policy, its sweep, and what that put on the queue."""
    text = policy if isinstance(policy, str) else policy.text(estate.subscription)
    estate.change_policy(text)
    await sweep(estate)


async def sweep(estate: Estate) -> None:
    """One sweep, and what of it is due now."""
    await estate.sweeps.run()
    await pass_time(estate)


async def pass_time(estate: Estate, seconds: float = 0.0) -> None:
    """Deliver every event, and work on every message that is due by then, each at its moment.

    What is due later stays on the queue with the delay that is left.
    """
    clock, order = estate.azure.clock, count()
    end = clock.now() + seconds
    waiting: list[tuple[float, int, Change]] = []
    for _ in range(5000):
        await _deliver(estate)
        waiting += [(clock.now() + delay, next(order), put) for put, delay in _taken(estate)]
        waiting.sort()
        due = waiting[0][0] if waiting else end + 1
        clock.advance(max(min(due, end) - clock.now(), 0.0))
        if due > end:
            estate.queue.messages = [(put, at - end) for at, _, put in waiting]
            return
        await estate.worker.process(waiting.pop(0)[2])
    raise AssertionError("it never settles")


def _taken(estate: Estate) -> list[tuple[Change, float]]:
    messages, estate.queue.messages = estate.queue.messages, []
    return messages


async def _deliver(estate: Estate) -> None:
    while events := estate.new_events():
        for event in events:
            if message := await estate.deliver(event):
                await estate.work(message)


async def look(estate: Estate, resource: ResourceId) -> None:
    """An event hints at a resource: what is held of it is listed as it is now."""
    await estate.worker.process(Change(resource, "event"))
    await pass_time(estate)


async def hours(estate: Estate, number: int) -> None:
    """So many hours with a sweep at the end of each."""
    for _ in range(number):
        await pass_time(estate, HOUR)
        await sweep(estate)


# What a person or a pipeline does.


def identity_id(subscription: str, name: str, group: str = "rg-identities") -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{IDENTITY_TYPE}/{name}"


async def make_identity(estate: Estate, name: str) -> str:
    """Returns its id."""
    options = estate.azure.client_options(estate.operator)
    identities = ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)
    body = Identity(location="westeurope")
    made = await identities.user_assigned_identities.create_or_update("rg-identities", name, body)
    return str(made.id)


async def delete_identity(estate: Estate, name: str, group: str = "rg-identities") -> None:
    options = estate.azure.client_options(estate.operator)
    identities = ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)
    await identities.user_assigned_identities.delete(group, name)


async def create(estate: Estate, made: Example, **more: Any) -> ResourceId:
    """A resource of any type, and what it lies in."""
    if parent := PARENTS.get(made.type):
        await create(estate, parent)
    resource = resource_id(estate, made)
    poller = await client(estate).resources.begin_create_or_update_by_id(
        resource.text, {**made.body, **more}, api_version=version(resource), polling_interval=1
    )
    await poller.result()
    return resource


def resource_id(estate: Estate, made: Example) -> ResourceId:
    namespace, *types = made.type.split("/")
    pairs = "/".join(f"{kind}/{name}" for kind, name in zip(types, made.names, strict=True))
    group = f"{estate.scope}/resourceGroups/rg-app"
    return ResourceId.parse(f"{group}/providers/{namespace}/{pairs}")


async def patch(estate: Estate, resource: ResourceId, **body: Any) -> None:
    """What a person changes on a resource; its event follows."""
    poller = await client(estate).resources.begin_update_by_id(
        resource.text, body, api_version=version(resource), polling_interval=1
    )
    await poller.result()


async def delete(estate: Estate, resource: ResourceId) -> None:
    poller = await client(estate).resources.begin_delete_by_id(
        resource.text, api_version=version(resource), polling_interval=1
    )
    await poller.result()


def version(resource: ResourceId) -> str:
    row = compute_type(resource.type)
    assert row is not None
    return row.api_version


# What is really there.


def attached(estate: Estate, resource: ResourceId) -> list[str]:
    """The names of the user-assigned identities of a resource, sorted."""
    block = estate.azure.state.resources[resource.key].identity or {}
    return sorted(key.rpartition("/")[2] for key in block.get("userAssignedIdentities") or {})


def exists(estate: Estate, identity: str) -> bool:
    return _identity(estate, identity) is not None


def principal(estate: Estate, identity: str) -> str:
    """The principal of an identity that exists."""
    found = _identity(estate, identity)
    assert found is not None, f"{identity} does not exist"
    return str(found.properties["principalId"])


def _identity(estate: Estate, name: str) -> Resource | None:
    """Of all groups: no two have one of the same name here."""
    resources = estate.azure.state.resources.values()
    found = [one for one in resources if one.name == name and one.type == IDENTITY_TYPE]
    return found[0] if found else None


def roles(estate: Estate, identity: str) -> list[str]:
    """The names of the roles of an identity that exists."""
    named = estate.azure.state.role_definitions
    found = estate.assignments(of=principal(estate, identity))
    return sorted(named[role].role_name for role, _, _ in found)


async def held(estate: Estate) -> dict[str, Entry]:
    """Everything that is held, by what is not done."""
    return {str(each.refusal.action): each async for each in estate.services.held.all()}


async def waits_for(estate: Estate, action: str) -> str:
    """The reason of what waits, which is no other kind of refusal. Some types' ids come with
    `resourcegroups`, so that the casing of a scope is no matter.
    """
    listed = {each.lower(): entry for each, entry in (await held(estate)).items()}
    assert action.lower() in listed, sorted(listed)
    refusal = listed[action.lower()].refusal
    assert refusal.because.name == "WAITS", refusal
    assert "waits for" in refusal.reason, refusal
    return refusal.reason


async def removals(estate: Estate) -> list[str]:
    """What was taken away, as it is on record: the actions, in order."""
    taking = ("detach", "unassign", "revoke", "delete", "remove")
    return [
        decision.action
        for decision in await estate.recorded()
        if decision.action.startswith(taking) and decision.outcome == "done"
    ]
