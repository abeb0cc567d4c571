"""What is odd about the subscriptions that a policy names, by what is listed: a file alone does not
show it.
"""

from collections import Counter
from collections.abc import Iterator

from lanyard.policy.document import Policy
from lanyard.policy.named_subscriptions import By, SubscriptionNames, named_by, plain
from lanyard.policy.patterns import fits
from lanyard.values.resource_id import folded
from lanyard.values.subscriptions import Subscriptions

#: So many are named, one by one.
_MOST = 10
_ANSWERS = {True: "is by now", False: "is by now not", None: "is by now perhaps"}


def unmet(policy: Policy) -> Iterator[str]:
    """What is odd about the subscriptions that it names, for people: names of none, or of several;
    groups that nobody sees; and that none are listed.
    """
    listing = policy.subscriptions.listing
    if policy.named_subscriptions and not listing:
        yield (
            "no listing of subscriptions is there: of rules that name them by name or management "
            "group nothing is given and nothing taken"
        )
        return
    names = Counter(folded(listed.name) for listed in listing.values())
    for entry in policy.named_subscriptions:
        if named_by(entry) is By.GROUP:
            yield from _unmet_group(entry, listing)
        elif "*" not in entry and names[folded(entry)] > 1:
            yield (
                f"{names[folded(entry)]} subscriptions are named {entry!r}: nobody knows which one "
                "is meant, so nothing is given and nothing taken by it; name it by its id"
            )
        elif not any(fits(name, entry) for name in names):
            yield f"no subscription that is listed has a name that fits {entry!r}"


def _unmet_group(entry: str, listing: Subscriptions) -> Iterator[str]:
    group = plain(entry)
    if not any(group in listed.groups for listed in listing.values()):
        yield (
            f"no subscription that is listed is below the management group {group!r}: it may be "
            "empty, misspelt, or not to be seen"
        )
    unknown = [id_ for id_, one in listing.items() if not one.whole and group not in one.groups]
    if unknown:
        yield (
            f"of {len(unknown)} listed subscriptions ({min(unknown)} …) it is not shown whether "
            f"they are below the management group {group!r}"
        )


def changed(policy: Policy, before: Subscriptions, after: Subscriptions) -> str:
    """What another listing makes of the subscriptions that a policy names, for people; "" where it
    makes no other policy.
    """
    old, new = SubscriptionNames(before), SubscriptionNames(after)
    found = [
        f"{_named(id_, after)} {_ANSWERS[now]} {entry!r}"
        for id_ in sorted({*before, *after})
        for entry in policy.named_subscriptions
        if (now := new.is_among([entry], id_)) != old.is_among([entry], id_)
    ]
    if not found and policy.under(before).digest != policy.under(after).digest:
        found = [f"{_named(id_, after)} is new" for id_ in sorted(after.keys() - before.keys())]
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return ", ".join([*found[:_MOST], *more])


def _named(id_: str, listing: Subscriptions) -> str:
    name = listing[id_].name if id_ in listing else ""
    return f"subscription {id_} ({name})" if name else f"subscription {id_}"
