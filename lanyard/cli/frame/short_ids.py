"""Ids as they may be written for short, wherever a command takes one: as they are shown
(`rg-shop/virtualMachines/vm1`, `rg-shop`), `rg-shop/vm1`, the name of a resource alone, the name or
id of a subscription. See `WAYS`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from lanyard.cli.frame.names import short
from lanyard.cli.frame.targets import BadTargets, one_target
from lanyard.desk.within import did_you_mean, is_called
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded, is_within, subscription_of
from lanyard.values.subscriptions import NOT_LISTED, Subscription, Subscriptions

_MOST_NAMED = 10
#: In every message about an id that names nothing.
WAYS = (
    "give a whole id, rg-shop/virtualMachines/vm1, rg-shop/vm1, or the name of a resource, a group "
    "or a subscription"
)


class NothingCalled(BadTargets):
    """A text that is no id names nothing that can be read."""


class Called(Protocol):
    """Who knows what there is. Raises Temporary, Permanent."""

    async def called(self, name: str) -> list[ResourceId]:
        """The subscriptions, groups and resources that are called so, in the order of their ids."""


def is_short(text: str) -> bool:
    """Whether it is none that begins at the subscription."""
    return bool(text) and not text.startswith("/")


async def whole_id(text: str, inventory: Called) -> ResourceId:
    """The resource, group or subscription that is meant. Raises NothingCalled, BadTargets for a
    text that is no id, and names nothing, or several things.
    """
    if not is_short(text):
        return one_target(text).ids[0]
    found = await inventory.called(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NothingCalled(
            f"{text!r} is no resource id, and nothing that can be read is called so: {WAYS}"
        )
    named = "\n".join(each.text for each in found[:_MOST_NAMED])
    more = f"\n… and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise BadTargets(f"{text!r} is the name of {len(found)}, say which:\n{named}{more}")


async def whole_ids(texts: Iterable[str], inventory: Called) -> list[ResourceId]:
    """The same of several; each that is wrong is named, one a line."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(await whole_id(text, inventory))
        except BadTargets as error:
            problems.append(str(error))
    if problems:
        raise BadTargets("\n".join(problems))
    return found


def is_about(id_: str, wanted: str, subscriptions: Subscriptions = NOT_LISTED) -> bool:
    """Whether an id (also of what is gone by now) is what is wanted, or lies below it: a whole id,
    or one as it may be written for short. `subscriptions`: those that may be wanted by their names.
    """
    if not is_short(wanted):
        return is_within(id_, wanted)
    parts, asked = (folded(each).rstrip("/").split("/") for each in (short(id_), wanted))
    group, names = parts[0], parts[2::2]
    return (
        parts[: len(asked)] == asked
        or (len(asked) == 1 and asked[0] in names)
        or (len(asked) == 2 and asked[0] == group and asked[1] in names)
        or _is_in_subscription(id_, wanted, subscriptions)
    )


def _is_in_subscription(id_: str, wanted: str, subscriptions: Subscriptions) -> bool:
    where = subscription_of(id_)
    if where is None:
        return False
    known = subscriptions.get(where.subscription, Subscription(""))
    return is_called(where.subscription, known, wanted)


class Listing(Protocol):
    """Who knows the subscriptions. Raises Temporary, Permanent."""

    async def subscriptions(self) -> Subscriptions:
        """Every one that can be read."""


async def about[T](
    wanted: str, every: Sequence[T], id_of: Callable[[T], str], listing: Listing
) -> list[T]:
    """Those that are about what is wanted, "" for all. The names of subscriptions are asked for
    only where nothing else is called so; who may not read them has none by name.
    """
    found = [one for one in every if is_about(id_of(one), wanted)]
    if found or not every or not is_short(wanted):
        return found
    try:
        subscriptions = await listing.subscriptions()
    except LanyardError:
        return []
    return [one for one in every if is_about(id_of(one), wanted, subscriptions)]


def nothing_about(wanted: str, where: str, ids: Iterable[str]) -> str:
    """What is shown where nothing is: what was looked for, and what is near of these ids."""
    names = {
        name: name
        for each in ids
        if each
        for name in (short(each), short(each).partition("/")[0], each.rpartition("/")[2])
    }
    return f"{where} is about {wanted!r}{did_you_mean(wanted, names)}: {WAYS}"
