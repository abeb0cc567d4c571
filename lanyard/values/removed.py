"""What was taken away, kept so that it can be put back, or made again. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from lanyard.values.grants import Content, Grant, condition_of
from lanyard.values.resource_id import folded, last_name

_NEEDED = ("scope", "roleDefinitionId", "principalId")


@dataclass(frozen=True, slots=True)
class RemovedAssignment:
    """A role assignment. `raw`: the whole of it, as ARM had it."""

    raw: Mapping[str, Any] = field(compare=False)
    kind: Literal["assignment"] = "assignment"

    @property
    def whole(self) -> bool:
        """Whether everything is there that makes an assignment; without it nothing else is."""
        properties = self.raw.get("properties")
        if not isinstance(properties, Mapping):
            return False
        needed = (self.raw.get("id"), *(properties.get(name) for name in _NEEDED))
        return all(isinstance(value, str) and value for value in needed) and isinstance(
            properties.get("condition"), str | None
        )

    @property
    def id(self) -> str:
        """The id of the assignment."""
        return str(self.raw["id"])

    @property
    def grant(self) -> Grant:
        """What it gave."""
        properties = self.raw["properties"]
        return Grant(
            str(properties["scope"]),
            last_name(str(properties["roleDefinitionId"])),
            folded(str(properties["principalId"])),
            condition_of(properties.get("condition")),
        )

    @property
    def content(self) -> Content[str]:
        """See `content_of`."""
        return self.grant.content

    @property
    def description(self) -> str:
        """What it was described by, "" for nothing."""
        return str(self.raw["properties"].get("description") or "")

    def __str__(self) -> str:
        return f"role assignment {self.raw.get('id')}"


class Taken(StrEnum):
    """By which write an identity came off a resource."""

    #: A write that took it away; attaching it puts it back.
    DETACH = "detach"
    #: The first of two, which takes off a dead principal; the second attaches the identity again.
    REATTACH = "reattach"
    #: Azure refuses any write while a reference to a deleted identity stands; nothing puts it back.
    DANGLING = "dangling"


@dataclass(frozen=True, slots=True)
class RemovedAttachment:
    """An identity that was on a resource."""

    #: A resource id.
    resource: str
    #: A resource id, too; "" for the system-assigned identity, which ended with it.
    identity: str
    #: Of the identity, as the resource showed it, or else as it was known: object id, lower case;
    #: "" where nothing knew it.
    principal_id: str
    taken: Taken = Taken.DETACH
    #: Distinguishes the resource from another one made later under its id.
    incarnation: str = ""
    kind: Literal["attachment"] = "attachment"

    def __str__(self) -> str:
        identity = self.identity or "the system-assigned identity"
        return f"attachment of {identity} to {self.resource}"


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role assignment that a deleted identity had. `role_id`: a GUID, lower case."""

    scope: str
    role_id: str
    condition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedIdentity:
    """A user-assigned identity that was deleted. One that is made under its name is another."""

    #: Its resource id.
    id: str
    #: ARM's name of it: "westeurope".
    location: str
    tags: Mapping[str, str]
    #: Object id and application id, lower case.
    principal_id: str
    client_id: str
    #: What it had in its own subscription, and elsewhere as far as Resource Graph showed it.
    roles: tuple[HeldRole, ...] = ()
    #: Ids of the resources that had it.
    resources: tuple[str, ...] = ()
    kind: Literal["identity"] = "identity"

    def __str__(self) -> str:
        return f"identity {self.id}"


type Removed = RemovedAssignment | RemovedAttachment | RemovedIdentity


class Became(StrEnum):
    """What became of a removal that is on record as intended."""

    #: Nothing is on record of it: it is being done, or was cut off.
    INTENDED = "intended"
    DONE = "done"
    #: It was refused, and took nothing away.
    FAILED = "failed"
    #: It took nothing away, gave its place in the budget back, and is tried again.
    GIVEN_BACK = "givenBack"
    #: No answer came, or none that can be read: it may be done.
    UNKNOWN = "unknown"
    #: A person put it back.
    UNDONE = "undone"
    #: A person put it back and needs it no longer.
    WITHDRAWN = "withdrawn"
