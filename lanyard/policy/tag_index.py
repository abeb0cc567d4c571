"""What is for resources with certain tags, found by the tags of a resource.

A policy of a thousand rules has most of them for one team's tag each: none of the others has to be
asked whether it fits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lanyard.policy.patterns import ANY
from lanyard.values.resource_id import folded


class TagIndex[T]:
    """Entries, each with the tags that it wants; the names and values count in any case."""

    def __init__(self, entries: Iterable[tuple[Mapping[str, str], T]]) -> None:
        self._entries: list[T] = []
        self._for_all: list[int] = []
        self._by_tag: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (tags, entry) in enumerate(entries):
            self._entries.append(entry)
            named = [(folded(name), folded(value)) for name, value in tags.items() if value != ANY]
            # One will do: that all of them are there is for who is asked.
            (self._by_tag[named[0]] if named else self._for_all).append(number)

    def may_fit(self, tags: Mapping[str, str]) -> list[T]:
        """Every entry whose tags may all be there, and some others, in their order."""
        found = set(self._for_all)
        for name, value in tags.items():
            found.update(self._by_tag.get((folded(name), folded(value)), ()))
        return [self._entries[number] for number in sorted(found)]
