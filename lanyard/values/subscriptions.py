"""Subscriptions as a listing shows them: what rules may name them by, beside their ids."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lanyard.values.resource_id import folded

#: What the id of a management group begins with.
MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One that is listed.

    `name`: its display name, "" where the listing does not show it. `groups`: the names (in their
    ids, lower case) of the management groups that it is below, the nearest first. `whole`: whether
    these are all, up to the root of its tenant; of any other group it is not known, otherwise.
    """

    name: str
    groups: tuple[str, ...] = ()
    whole: bool = False
    #: Whether another one that is listed has the name, too: see `listing_of`.
    name_is_shared: bool = False


#: By their ids, lower case. Of one that is not in it nothing is known.
type Subscriptions = Mapping[str, Subscription]

#: Where nothing is listed, or not yet.
NOT_LISTED: Subscriptions = {}


def listing_of(subscriptions: Subscriptions) -> Subscriptions:
    """These, each knowing whether another one has its name."""
    names = Counter(folded(one.name) for one in subscriptions.values())
    return {
        id_: replace(one, name_is_shared=names[folded(one.name)] > 1)
        for id_, one in subscriptions.items()
    }
