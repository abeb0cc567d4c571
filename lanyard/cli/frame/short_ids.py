"""Ids as they are shown (`rg-shop/virtualMachines/vm1`, `rg-shop`, a name alone) taken back where a
whole one is asked for.
"""

from collections.abc import Iterable
from typing import Protocol

from lanyard.cli.frame.names import short
from lanyard.cli.frame.targets import BadTargets, one_target
from lanyard.values.resource_id import ResourceId, folded, is_within

_MOST_NAMED = 10


class NothingCalled(BadTargets):
    """A text that is no id names nothing that can be read."""


class Called(Protocol):
    """Who knows what there is. Raises Temporary, Permanent."""

    async def called(self, name: str) -> list[ResourceId]:
        """The resources and groups that are shown so, in the order of their ids."""


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
            f"{text!r} is no resource id, and nothing that can be read is called so: give a whole "
            "id, rg-shop/virtualMachines/vm1, the name of a resource, or that of a group"
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


def is_about(id_: str, wanted: str) -> bool:
    """Whether an id is the one that is wanted, or lies below it: a whole id, or one as shown."""
    if not is_short(wanted):
        return is_within(id_, wanted)
    return f"{folded(short(id_))}/".startswith(f"{folded(wanted).rstrip('/')}/")
