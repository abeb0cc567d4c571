"""Reads the estate for a scan: as a person with the role Reader can, and nothing is changed.

⌈N/1000⌉ pages of resources, ⌈(M+R)/1000⌉ of role assignments and definitions, one of subscriptions,
one of Batch pools where there are Batch accounts, and ⌈suspects/1000⌉ calls of the directory.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from lanyard.desk.scan.holders import DirectoryAnswer
from lanyard.desk.scan.report import Estate
from lanyard.planning.orphans import suspects
from lanyard.ports.azure import Azure, Index
from lanyard.sweep.listings import (
    Authorization,
    Progress,
    Resources,
    foreign_subscriptions,
    has_role_in,
    known_to_directory,
    list_authorization,
    silent,
)
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import LanyardError, Permanent, Temporary, Unreachable
from lanyard.values.listed import Listed, ListedAssignment
from lanyard.values.resource_id import folded

_ACCOUNTS = "microsoft.batch/batchaccounts"
_POOLS = "microsoft.batch/batchaccounts/pools"
_TYPES = frozenset(
    name
    for name, row in COMPUTE_TYPES.items()
    if (row.system_assigned or row.user_assigned) and name != _POOLS
)
_NO_SUBSCRIPTION = (
    "no subscription can be read: sign in to the right tenant (az login, --tenant) with the role "
    "Reader"
)
_NO_ASSIGNMENT = (
    "Resource Graph lists no role assignment at all, and without one nobody could read anything: "
    "its answer is not used"
)
_UNTRUSTED_DELAY = 300.0
#: So many seconds a call may wait in all. ARM's throttling asks for about ten; a person waits.
_PATIENCE = 25.0


type Sleep = Callable[[float], Awaitable[None]]


async def read_estate(
    ports: Callable[[str], Azure], sleep: Sleep, at: datetime, progress: Progress = silent
) -> Estate:
    """Everything that can be read. `ports` connects, with the control principal that the directory
    must know.

    Raises Temporary, Permanent where a listing fails or is not whole. A directory that cannot be
    read, or is not to be believed, is named in the answer.
    """
    index = ports("").index
    resources = await list_resources(index, sleep, progress)
    authorization = await patiently(partial(list_authorization, index, progress), sleep)
    subscriptions = await patiently(index.subscriptions, sleep)
    if not subscriptions:
        raise Permanent(_NO_SUBSCRIPTION)
    if not authorization.assignments:
        raise Temporary(_NO_ASSIGNMENT, _UNTRUSTED_DELAY)
    found = Resources()
    for each in resources:
        found.add(each)
    asked = suspects(authorization.assignments, frozenset(found.alive))
    progress("principals", len(asked))
    directory = await _ask(ports, asked, found, authorization, sleep)
    return Estate(at, subscriptions, resources, authorization, directory)


async def list_resources(
    index: Index, sleep: Sleep, progress: Progress = silent
) -> tuple[Listed, ...]:
    """Compute, and whatever else has an identity. Raises Temporary, Permanent."""
    return await patiently(partial(_resources, index, progress), sleep)


async def _resources(index: Index, progress: Progress) -> tuple[Listed, ...]:
    resources: list[Listed] = []
    async for listed in index.resources(_TYPES):
        resources.append(listed)
        progress("resources", len(resources))
    if _has_accounts(resources):
        resources += [listed async for listed in index.batch_pools()]
    return tuple(resources)


def _has_accounts(resources: Iterable[Listed]) -> bool:
    """Batch pools are in a table of their own: it is read only where there can be any."""
    compute = (listed.compute for listed in resources)
    return any(one is not None and folded(one.id.type) == _ACCOUNTS for one in compute)


def control_principal(assignments: Iterable[ListedAssignment], listed: Mapping[str, str]) -> str:
    """A principal that is listed and that the directory has known for long: the one with the oldest
    assignment. "" where none is listed.
    """
    known = [each for each in assignments if each.principal_id in listed]
    oldest = min(known, key=lambda each: (each.created or "9", each.principal_id), default=None)
    return oldest.principal_id if oldest is not None else min(listed, default="")


async def _ask(
    ports: Callable[[str], Azure],
    asked: frozenset[str],
    found: Resources,
    authorization: Authorization,
    sleep: Sleep,
) -> DirectoryAnswer:
    if not asked:
        return DirectoryAnswer()
    control = control_principal(authorization.assignments, found.listed_principals)
    if not control:
        return DirectoryAnswer(
            failure="no resource shows a managed identity, by which to know whether the directory "
            "answers in full"
        )
    try:
        directory = ports(control).directory
        # Nobody asks for each orphan alone before it is shown, so a part is refused sooner here.
        call = partial(known_to_directory, directory, asked, found.listed_principals, most_missed=0)
        known = await patiently(call, sleep)
    except LanyardError as error:
        # The SDK's text repeats it, over several lines.
        return DirectoryAnswer(failure=str(error).partition("\n")[0])
    others = has_role_in(foreign_subscriptions(known, found), authorization.assignments)
    return DirectoryAnswer(asked - known.principals - others, control)


async def patiently[T](call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """The call, again after the delay that a temporary failure asks for, within reason. What cannot
    be reached is known at once.
    """
    waited = 0.0
    while True:
        try:
            return await call()
        except Unreachable:
            raise
        except Temporary as error:
            delay = max(error.delay, 1.0)
            if waited + delay > _PATIENCE:
                raise
            waited += delay
            await sleep(delay)
