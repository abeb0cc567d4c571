"""How the policy's words are compared with what Azure has: without case, as Azure does it, and with
* as the only wildcard.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache

from lanyard.values.resource_id import folded

# Wildcards to fnmatch, and characters of names to Azure.
_NO_WILDCARDS = re.compile(r"[\[?]")


#: A pattern that every name fits.
ANY = "*"


def same(one: str, other: str) -> bool:
    """Whether two names of groups, types, locations, tags are one to Azure."""
    return folded(one) == folded(other)


def one_of(value: str, names: Iterable[str]) -> bool:
    """Whether a name is in a list; without wildcards."""
    return any(same(value, name) for name in names)


def fits(value: str, pattern: str) -> bool:
    """Whether the whole of a name fits a pattern."""
    return bool(_fitting(pattern)(folded(value)))


@lru_cache(maxsize=4096)
def _fitting(pattern: str) -> Callable[[str], object]:
    """Whether a folded name fits. A policy has few patterns, and asks of each again and again."""
    wanted = folded(pattern)
    if "*" not in wanted:
        return wanted.__eq__
    return re.compile(translate(_NO_WILDCARDS.sub(r"[\g<0>]", wanted))).match


def fits_one_of(value: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits any of these patterns."""
    return any(fits(value, pattern) for pattern in patterns)


def meet(first: str, second: str) -> bool:
    """Whether a name may fit both patterns; two with wildcards are taken to meet."""
    if "*" in first and "*" in second:
        return True
    return fits(first, second) or fits(second, first)


def within_one_of(scope: str, patterns: Iterable[str]) -> bool:
    """Whether a scope (id) is at or below one that fits any of the patterns."""
    return any(_within(scope, pattern) for pattern in patterns)


def _within(scope: str, pattern: str) -> bool:
    """Segment by segment, so that a * never reaches over a slash into another group."""
    wanted, have = pattern.rstrip("/").split("/"), scope.split("/")
    return len(wanted) <= len(have) and all(map(fits, have, wanted))


#: The tags that are wanted: the pattern of a value by the name, or several of which one has to fit.
type WantedTags = Mapping[str, str | Sequence[str]]


def alternatives(values: str | Sequence[str]) -> Sequence[str]:
    """The patterns of one tag's value."""
    return (values,) if isinstance(values, str) else values


def has_tags(tags: WantedTags, wanted: WantedTags) -> bool:
    """Whether all the wanted tags are there, each with a value that fits. Where a tag may have
    several values, all of them have to fit.
    """
    have = {folded(key): alternatives(values) for key, values in tags.items()}
    return all(
        folded(key) in have
        and all(fits_one_of(value, alternatives(patterns)) for value in have[folded(key)])
        for key, patterns in wanted.items()
    )
