"""Subscriptions as rules name them: by id, by name, or by a management group above them.

What has a name, and what is below a group, a listing shows, which may not be there, may lack a
subscription, or show its groups in part: then the answer is None, for nobody knows. So it is where
two subscriptions have the name that an entry has without a wildcard: whoever owns one may give it
the name of another. Where nobody knows nothing is given, and nothing is taken.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from lanyard.policy.patterns import fits, meet
from lanyard.values.resource_id import folded, is_guid
from lanyard.values.subscriptions import MANAGEMENT_GROUPS, Subscriptions

# Azure's naming rules of management groups, folded.
_GROUP = re.compile(rf"{re.escape(folded(MANAGEMENT_GROUPS))}[a-z0-9_().-]{{1,90}}/?")
# What is meant as an id and is none: with a wildcard, in braces, or of too few or too many digits.
_NEARLY_ID = re.compile(
    r"\{?([0-9a-f]{8}-[0-9a-f-]*\*[0-9a-f*-]*|[0-9a-f]{6,10}(-[0-9a-f]{3,5}){3}-[0-9a-f]+)\}?"
)
_UNKNOWN = "unknown"


class By(Enum):
    """What an entry names a subscription by."""

    ID = auto()
    GROUP = auto()
    NAME = auto()


def is_id(entry: str) -> bool:
    """Whether an entry is a subscription's id: no listing is asked for it."""
    return is_guid(entry)


def subscription_problem(entry: str) -> str | None:
    """What is wrong with an entry of `subscriptions`, or None."""
    text = folded(entry).strip("/")
    if text.startswith("subscriptions/"):
        return f"{entry!r}: write the subscription's id alone, a GUID, or its name"
    if named_by(entry) is By.NAME and _NEARLY_ID.fullmatch(text):
        return f"{entry!r} is no subscription's id: write the whole GUID, without *"
    if named_by(entry) is not By.GROUP and "managementgroups/" not in text:
        return None
    if "*" in entry:
        return f"{entry!r}: a management group is named by its id, without *"
    if _GROUP.fullmatch(folded(entry)):
        return None
    return f"{entry!r} is no management group; write {MANAGEMENT_GROUPS}NAME"


@dataclass(frozen=True)
class SubscriptionNames:
    """What names and management groups come to, by a listing."""

    listing: Subscriptions

    def is_among(self, entries: Sequence[str], id_: str) -> bool | None:
        """Whether a subscription (id, lower case) is one of those that are named; no entries name
        all. None where nobody knows.
        """
        answers = {self._fits(entry, id_) for entry in entries}
        if not entries or True in answers:
            return True
        return None if None in answers else False

    def _fits(self, entry: str, id_: str) -> bool | None:
        by, listed = named_by(entry), self.listing.get(id_)
        if by is By.ID:
            return folded(entry) == id_
        if listed is None:
            return None
        if by is By.GROUP:
            return True if plain(entry) in listed.groups else False if listed.whole else None
        if not listed.name or (listed.name_is_shared and folded(entry) == folded(listed.name)):
            return None
        return fits(listed.name, entry)

    def names_of(self, id_: str) -> list[str]:
        """What an index finds a subscription (id, lower case) by: see `patterns_of`."""
        own, listed = _key(By.ID, id_), self.listing.get(id_)
        if listed is None:
            return [own, _UNKNOWN]
        names = [(By.NAME, folded(listed.name)), *((By.GROUP, group) for group in listed.groups)]
        unknown = [] if listed.whole and listed.name else [_UNKNOWN]
        return [own, *(_key(by, name) for by, name in names), *unknown]

    def resolved(self, entries: Iterable[str]) -> list[list[str | bool | None]]:
        """Of each subscription, whether it fits each entry that the listing is asked for: another
        answer where any rule may be for other resources, or may not.
        """
        asked = sorted({folded(entry) for entry in entries if not is_id(entry)})
        listed = sorted(self.listing) if asked else []
        return [[id_, *(self._fits(entry, id_) for entry in asked)] for id_ in listed]


def patterns_of(entries: Iterable[str]) -> list[str]:
    """For an index, folded: one of these fits one of the names that it finds each subscription by
    that may be among the entries.
    """
    found = dict.fromkeys(_key(named_by(entry), plain(entry)) for entry in entries)
    if not all(map(is_id, entries)):
        found[_UNKNOWN] = None
    return list(found)


def _key(by: By, name: str) -> str:
    return f"{by.name}\0{name}"


def covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Whether every subscription of these entries is certainly one of those."""
    return bool(narrow) and all(
        any(named_by(one) is named_by(entry) and fits(plain(entry), plain(one)) for one in wide)
        for entry in narrow
    )


def may_share(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a subscription may be among both; no entries name all."""
    return not first or not second or any(_may_be_one(a, b) for a in first for b in second)


def _may_be_one(first: str, second: str) -> bool:
    """A group may be above another one, and whatever has a name may be in it."""
    by = named_by(first)
    return by is not named_by(second) or by is By.GROUP or meet(plain(first), plain(second))


def named_by(entry: str) -> By:
    """What an entry names a subscription by."""
    if is_guid(entry):
        return By.ID
    return By.GROUP if entry.startswith("/") else By.NAME


def plain(entry: str) -> str:
    """An entry, folded: of the id of a management group the name in it."""
    lower = folded(entry)
    return lower.rstrip("/").rpartition("/")[2] if named_by(entry) is By.GROUP else lower
