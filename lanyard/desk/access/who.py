"""Who principals are, as the directory shows them to whoever asks: values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Known:
    """An object of the directory: its object id (lower case), its kind as Graph names it ("user",
    "group", "servicePrincipal", …), its display name, and what a user signs in as; "" where the
    directory does not show it.
    """

    id: str
    kind: str
    name: str
    signs_in_as: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """Of a group, also through other groups; `unread`: why they are not known, or ""."""

    known: tuple[Known, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What the directory shows of the principals that were asked for. `failure`: why there is no
    answer; "" where there is one. `members` by the object id of each group. `is_whole`: whether
    whom it does not show it does not know, as far as that can be seen.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    members: Mapping[str, Members] = field(default_factory=dict)
    failure: str = ""
    is_whole: bool = False


class People(Protocol):
    """The directory. Raises Temporary, Permanent."""

    async def named(self, principals: Iterable[str]) -> Mapping[str, Known]:
        """Those of the principals (object ids) that it shows, by their ids."""

    async def members(self, group: str) -> tuple[Known, ...]:
        """Who is in a group (object id), also through other groups."""
