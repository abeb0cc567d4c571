"""What is done to one part, and what became of it; and what is asked of ARM for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from lanyard.values.errors import LanyardError, Permanent

_GROUP_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"
#: The code of what the caller may not do.
REFUSED = "AuthorizationFailed"


class Verb(StrEnum):
    """KEEP: it is as it should be."""

    KEEP = "keep"
    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Step:
    """One part: what is to be done to it, or was (`done`). `differs`: the paths in it that are not
    as they should be. `error`: why it could not be looked at or done, "" where nothing went wrong.
    """

    id: str
    about: str
    verb: Verb
    differs: tuple[str, ...] = ()
    done: bool = False
    error: str = ""

    @property
    def changes(self) -> bool:
        """Whether there is, or was, something to do."""
        return self.verb is not Verb.KEEP


class Resources(Protocol):
    """Any resource of ARM, by its id. Every call raises Temporary or Permanent where it fails."""

    async def read(self, id_: str, api_version: str) -> Mapping[str, Any] | None:
        """The resource, or None where ARM says that it, or what it is in, does not exist."""

    async def put(self, id_: str, api_version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make it or change it; returns it when that has ended."""

    async def delete(self, id_: str, api_version: str) -> None:
        """Remove it; returns when it is gone. One that is not there is fine."""

    async def register(self, id_: str, api_version: str) -> None:
        """Register a resource provider; returns when it is registered."""

    async def every(
        self, id_: str, api_version: str, query: Mapping[str, str] | None = None
    ) -> list[Mapping[str, Any]]:
        """All that a collection has, every page of it; nothing where what it is in is gone."""


def type_of(id_: str) -> str:
    """The type of a resource by its id, as the rights on it are named."""
    _, found, last = id_.rpartition("/providers/")
    if not found:
        return _GROUP_TYPE
    namespace, *parts = last.split("/")
    return "/".join([namespace, *parts[::2]])


def reading(id_: str) -> str:
    """The right to read it."""
    return f"{type_of(id_)}/read"


def doing(verb: Verb, id_: str, *, registers: bool = False) -> str:
    """The right to do something to it."""
    if registers:
        return f"{type_of(id_)}/register/action"
    return f"{type_of(id_)}/{'delete' if verb is Verb.REMOVE else 'write'}"


def explained(error: LanyardError, right: str, id_: str) -> str:
    """What went wrong; a right that the caller lacks is named."""
    if isinstance(error, Permanent) and error.code == REFUSED:
        return f"you need the right {right} on {id_}"
    return str(error)
