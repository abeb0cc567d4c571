"""Whether somebody took a grant of ours away, its scope went and it with it, or it never came.

Azure deletes the assignments at a resource, a group or anything below with it, and what is made
again under that id has none. Only the activity log distinguishes the two: somebody who takes an
assignment away deletes it by an operation of its own. What cannot be known is nobody's doing. Of
one that was made and is not there when the next sweep comes, although nothing was deleted, Azure
only reported that it was made.
"""

import logging
from collections.abc import Iterator

from lanyard.ports.azure import ActivityLog
from lanyard.record.granted import Missing
from lanyard.record.repairs import COUNTS_FOR
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Standing
from lanyard.values.resource_id import subscription_of

log = logging.getLogger("lanyard")

# Of Azure's clock and this one, in seconds.
_CLOCK_SKEW = 300.0
# So long (seconds) replicas of ARM may miss what was made, and the activity log what was deleted;
# and until then the first sweep after the making has come.
_SHOWN, _FIRST_SWEEP = 900.0, 7200.0
# The segments of the id of a resource group: "/subscriptions/…/resourceGroups/…".
_GROUP = 5
# … and of the first resource in it: "…/providers/{namespace}/{type}/{name}".
_RESOURCE = 9


async def why_missing(standing: Standing, activities: ActivityLog, now: float) -> Missing:
    """What became of the assignment that is missing, since it was made. `now`: seconds since the
    epoch.
    """
    grant = standing.grant
    where = subscription_of(grant.scope)
    if where is None or grant.scope == where.text:
        return Missing.TAKEN  # no subscription is made again under its id, and nothing above them
    since, until = max(standing.since, now - COUNTS_FOR), now + _CLOCK_SKEW
    try:
        deleted = await activities.deleted(standing.assignment_id, where.subscription, since, until)
        if not deleted and not _was_just_made(standing, now):
            return Missing.UNKNOWN
        for holder in _holders(grant.scope):
            if await activities.deleted(holder, where.subscription, since, until):
                return Missing.UNKNOWN
    except (Permanent, Temporary) as error:
        log.warning("nobody is known to have taken away %s: %s", grant, error)
        return Missing.UNKNOWN
    return Missing.TAKEN if deleted else Missing.NOT_DONE


def _was_just_made(standing: Standing, now: float) -> bool:
    """Whether this sweep is the first that can have seen it, and Azure had the time to show it."""
    return _SHOWN <= now - standing.since <= _FIRST_SWEEP


def _holders(scope: str) -> Iterator[str]:
    """The scope, and what it lies in and can go with: its parents and its group."""
    segments = scope.split("/")
    for end in range(len(segments), _RESOURCE - 1, -2):
        yield "/".join(segments[:end])
    yield "/".join(segments[:_GROUP])
