"""What is for names that fit certain patterns, found by the names without asking each pattern.

A policy of a thousand rules has most of them for one team's group, name or tag each: none of the
others has to be asked whether it fits. Each level is one thing that is known of a resource (its
type, its group, …), so that rules which differ only in how these go together are not mixed up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from math import prod

from lanyard.policy.patterns import ANY

# An entry has one place in the index for each way its alternatives go together; past so many, the
# longest lists are left to who is asked in the end.
_MOST_PLACES = 64

#: The patterns of an entry, or the names that are known, folded, level by level. An entry is for
#: what fits one pattern of every level; no pattern at all fits everything.
type Levels = Sequence[Collection[str]]


class PatternIndex[T]:
    """Entries, each with the levels it is for: in several ways, of which one has to fit."""

    def __init__(self, entries: Iterable[tuple[Iterable[Levels], T]]) -> None:
        known = [(list(map(_bounded, ways)), entry) for ways, entry in entries]
        self._entries = [entry for _, entry in known]
        width = max((len(way) for ways, _ in known for way in ways), default=0)
        # A level of which no entry says anything is passed by.
        self._levels = [
            level for level in range(width) if any(way[level] for ways, _ in known for way in ways)
        ]
        self._root = _Node()
        for number, (ways, _) in enumerate(known):
            for way in ways:
                _put(self._root, [way[level] for level in self._levels], number)

    def may_fit(self, names: Levels) -> list[T]:
        """Every entry that fits, and perhaps some others, in their order."""
        found: set[int] = set()
        _find(self._root, [names[level] for level in self._levels], 0, found)
        return [self._entries[number] for number in sorted(found)]


class _Node:
    """The next level's patterns with what follows each; at the end, the numbers of entries."""

    __slots__ = ("any", "numbers", "open", "plain")

    def __init__(self) -> None:
        self.plain: dict[str, _Node] = {}
        #: Of patterns with a wildcard, by how long what stands before and after it is.
        self.open: dict[tuple[int, int], dict[tuple[str, str], _Node]] = {}
        self.any: _Node | None = None
        self.numbers: list[int] = []

    def child(self, pattern: str) -> _Node:
        """Of a pattern; made when it is not there."""
        if pattern == ANY:
            self.any = self.any or _Node()
            return self.any
        if ANY not in pattern:
            return self.plain.setdefault(pattern, _Node())
        ends = pattern.partition(ANY)[0], pattern.rpartition(ANY)[2]
        shape = self.open.setdefault((len(ends[0]), len(ends[1])), {})
        return shape.setdefault(ends, _Node())

    def children(self, name: str) -> Iterator[_Node]:
        """Of the patterns that a name may fit, but for the one that fits all."""
        if found := self.plain.get(name):
            yield found
        for (before, after), patterns in self.open.items():
            if (start := len(name) - after) < before:
                continue
            if found := patterns.get((name[:before], name[start:])):
                yield found


def _put(node: _Node, levels: Levels, number: int) -> None:
    if not levels:
        node.numbers.append(number)
        return
    for pattern in levels[0] or (ANY,):
        _put(node.child(pattern), levels[1:], number)


def _find(node: _Node, names: Levels, level: int, found: set[int]) -> None:
    if level == len(names):
        found.update(node.numbers)
        return
    if node.any:
        _find(node.any, names, level + 1, found)
    for name in names[level]:
        for child in node.children(name):
            _find(child, names, level + 1, found)


def _bounded(way: Levels) -> list[Collection[str]]:
    """Without its longest levels where all ways together would take too many places."""
    levels = [() if ANY in level else level for level in way]
    while prod(max(1, len(level)) for level in levels) > _MOST_PLACES:
        levels[_longest(levels)] = ()
    return levels


def _longest(levels: Levels) -> int:
    return max(range(len(levels)), key=lambda level: len(levels[level]))
