"""What `lanyard diff` says of two policies, held against what then happens: the one is in force and
settled, the other is deployed and swept, in virtual time, until nothing is left to do.
"""

import heapq
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from lanyard.cli.frame.names import short
from lanyard.desk.difference.access import Access, Attached, EveryAccess, Who, every_access
from lanyard.desk.difference.difference import PolicyDifference, difference
from lanyard.desk.difference.world import world_of
from lanyard.desk.scan.holders import DirectoryAnswer
from lanyard.desk.scan.report import Estate as Listing
from lanyard.planning.plan import Owned
from lanyard.policy import Policy
from lanyard.sweep.listings import list_authorization
from lanyard.values.change import Change
from lanyard.values.roles import role_name
from simulator.seeding import Contents, Sizes, fill
from tests.support.estate import Estate
from tests.support.policy_pairs import TYPES

#: Sweeps until nothing more happens: what cannot be undone waits for several looks.
_MOST_SWEEPS = 12
_BETWEEN = 3700.0
_NOTHING = "version: 1\nmode: full\n"


def filled(size: int, seed: int) -> tuple[Estate, Contents]:
    """An estate of so many machines and web apps, which Lanyard looks after, under no rule yet.
    Some have identities already, and some of these roles that others gave.
    """
    estate = Estate(_NOTHING)
    half = size // 2
    sizes = Sizes(
        subscriptions=1,
        groups=8,
        machines=size - half,
        web_apps=half,
        identities=6,
        system_assigned=0.25,
        user_assigned=0.3,
        assignments=min(40, size),
    )
    contents = fill(estate.azure, sizes)
    estate.subscription = contents.subscriptions[0]
    estate.scope = f"/subscriptions/{estate.subscription}"
    estate._grant_rights()
    return estate, contents


async def settled(estate: Estate, policy: str) -> None:
    """The policy is deployed, and swept until nothing more happens."""
    estate.change_policy(policy)
    before = None
    for _ in range(_MOST_SWEEPS):
        await estate.sweeps.run()
        await _worked_off(estate)
        now = _fingerprint(estate)
        if now == before:
            return
        before = now
        estate.azure.clock.advance(_BETWEEN)
    raise AssertionError("it never settles")


async def _worked_off(estate: Estate) -> None:
    """All messages, each when it is due."""
    waiting: list[tuple[float, int, Change]] = []
    order = count()
    while True:
        estate.new_events()  # the sweep is what brings everything here
        put, estate.queue.messages = estate.queue.messages, []
        clock = estate.azure.clock
        for change, delay in put:
            heapq.heappush(waiting, (clock.now() + delay, next(order), change))
        if not waiting:
            return
        due, _, change = heapq.heappop(waiting)
        clock.advance(max(due - clock.now(), 0.0))
        await estate.worker.process(change)


def _fingerprint(estate: Estate) -> object:
    state = estate.azure.state
    identities = {key: repr(each.identity) for key, each in state.resources.items()}
    given = {key for key, each in state.role_assignments.items() if each.deleted_at is None}
    return identities, given


async def listing(estate: Estate) -> Listing:
    """The estate as a scan would read it."""
    index = estate.services.index
    types = frozenset(each.lower() for each in TYPES)
    resources = tuple([listed async for listed in index.resources(types)])
    at = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    return Listing(at, {}, resources, await list_authorization(index), DirectoryAnswer())


async def compared(
    estate: Estate, old: Policy, new: Policy, *, by_record: bool
) -> PolicyDifference:
    """What the difference of the two is on the estate."""
    records = None
    if by_record:
        records = {one.id: one.owned() async for one in estate.ledger.records()}
    world = world_of(await listing(estate), old, records, estate.app.object_id)
    return difference(old, new, world)


async def everything(estate: Estate) -> EveryAccess:
    """What everybody really has, whoever gives it."""
    listed = await listing(estate)
    world = world_of(listed, Policy(version=1), {})
    given = {each.content: each.condition for each in listed.authorization.assignments}
    bare = dict.fromkeys(world.resources, Owned())
    return every_access(replace(world, others=given, owned=bare))


def deviations(foreseen: EveryAccess, there: EveryAccess) -> list[str]:
    """Where what was foreseen is not what is there, resource by resource, identity by identity."""
    found = []
    for kind, expected, actual in (
        ("resource", foreseen.of_resources, there.of_resources),
        ("identity", foreseen.of_identities, there.of_identities),
    ):
        for one in sorted({*expected, *actual}, key=repr):
            wanted, has = expected.get(one), actual.get(one)
            if wanted != has:
                nothing = frozenset[Access]()
                more = sorted(map(_brief, (wanted or nothing) - (has or nothing)))
                less = sorted(map(_brief, (has or nothing) - (wanted or nothing)))
                name = short(str(one.id if isinstance(one, Who) else one))
                found.append(f"{kind} {name}: foreseen only {more}, there only {less}")
    return found


def _brief(access: Access) -> str:
    whose = "system" if access.who.system else access.who.id.name
    if isinstance(access, Attached):
        return whose
    on = f" on {access.condition}" if access.condition else ""
    return f"{role_name(access.role_id)} at {short(access.scope)} of {whose}{on}"


async def foreseen_and_there(estate: Estate, old: str, new: str) -> list[str]:
    """Where the difference of the two deviates from what happens when the new one is deployed. By
    the record: only that one knows what somebody else attached before.
    """
    await settled(estate, old)
    in_force = estate.policy
    estate.change_policy(new)
    coming = estate.policy
    estate.change_policy(old)
    found = await compared(estate, in_force, coming, by_record=True)
    await settled(estate, new)
    return deviations(every_access(found.after.world), await everything(estate))
