"""Values: what Lanyard reads, decides about and writes. Frozen, compared as Azure compares them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: Azure Tables takes row keys of up to 512 UTF-16 characters (1 KiB), and a longer id than this
#: could not be recorded; Azure's own compute ids stay far below it.
MAX_ID_LENGTH = 500

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Word characters of any alphabet (resource groups may be named in them), and . ( ) - inside names.
_SEGMENT = re.compile(r"[\w.()-]+")

#: Name space of role assignment names (uuid5). Never change it: names made by it are in Azure.
_ASSIGNMENT_NAMES = uuid.UUID("6a8d5d0c-5a43-5f0e-9d1c-2f0f7f0b7a51")


def is_guid(text: str) -> bool:
    """Whether it is a GUID as Azure writes them: of a subscription, a principal, a role."""
    return _GUID.fullmatch(text) is not None


def folded(text: str) -> str:
    """Lower case, as far as Azure takes two letters for one: A and a, Ä and ä.

    `str.lower` goes further: it makes a k of the Kelvin sign, so that a resource group spelt with
    that letter, which anybody may make, would be taken for "rg-k".
    """
    if text.isascii():
        return text.lower()
    return "".join(low if (low := each.lower()).upper() == each else each for each in text)


class InvalidResourceId(ValueError):
    """The text is no resource id that Lanyard can work with; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """An Azure resource id. Equal when the lower-cased texts are: ARM returns ids in any case.

    `text` keeps the casing it came in, for calls and for people. Make it with `parse`.
    """

    key: str
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read `/subscriptions/{guid}[/resourceGroups/{name}[/providers/{ns}/{type}/{name}…]]`.

        Raises InvalidResourceId for anything else, and for ids over MAX_ID_LENGTH characters.
        """
        if (length := _utf16_length(text)) > MAX_ID_LENGTH:
            raise InvalidResourceId(f"resource id of {length} characters (most: {MAX_ID_LENGTH})")
        segments = text.rstrip("/").split("/")
        _check_segments(text, segments)
        clean = "/".join(segments)
        return cls(folded(clean), clean)

    def __str__(self) -> str:
        return self.text

    @property
    def _segments(self) -> list[str]:
        return self.text.split("/")

    @property
    def subscription(self) -> str:
        """The subscription's id, lower case."""
        return self.key.split("/")[2]

    @property
    def resource_group(self) -> str:
        """The resource group's name as written, or "" for a subscription."""
        return self._segments[4] if len(self._segments) > 4 else ""

    @property
    def resource_group_id(self) -> str:
        """The id of the resource group it is in (or is)."""
        return "/".join(self._segments[:5])

    @property
    def name(self) -> str:
        """The last segment: the resource's own name."""
        return self._segments[-1]

    @property
    def type(self) -> str:
        """`Microsoft.Compute/virtualMachines`, child types joined; "" for groups and above."""
        if len(self._segments) < 9:
            return ""
        return "/".join([self._segments[6], *self._segments[7::2]])

    @property
    def is_resource_group(self) -> bool:
        """Whether it names a resource group itself."""
        return len(self._segments) == 5

    def within(self, scope: ResourceId) -> bool:
        """Whether it is `scope` or lies below it."""
        return self.key == scope.key or self.key.startswith(scope.key + "/")


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _check_segments(text: str, segments: list[str]) -> None:
    def refuse(why: str) -> None:
        raise InvalidResourceId(f"{text[:120]!r} is no resource id: {why}")

    if len(segments) < 3 or segments[0] or segments[1].lower() != "subscriptions":
        refuse("it does not start with /subscriptions/")
    if not is_guid(segments[2]):
        refuse("the subscription is no GUID")
    if any(not _SEGMENT.fullmatch(segment) or set(segment) == {"."} for segment in segments[1:]):
        refuse("a segment is empty or has a character that Azure names do not have")
    if len(segments) > 3 and segments[3].lower() != "resourcegroups":
        refuse("resources outside a resource group are not handled")
    if len(segments) > 5 and segments[5].lower() != "providers":
        refuse("'providers' is expected after the resource group")
    if len(segments) in (4, 6, 7, 8) or (len(segments) > 5 and len(segments) % 2 == 0):
        refuse("a name is missing at its end")


@dataclass(frozen=True, slots=True)
class UserAssigned:
    """A user-assigned managed identity, as the principal of a grant."""

    id: ResourceId

    def __str__(self) -> str:
        return self.id.name


@dataclass(frozen=True, slots=True)
class SystemAssigned:
    """The system-assigned identity of the resource at hand, as the principal of a grant."""

    def __str__(self) -> str:
        return "system-assigned identity"


type PrincipalRef = UserAssigned | SystemAssigned


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity block of a compute resource, as read.

    `user_assigned` maps each attached identity to its principal id (object id, lower case), or to
    None while Azure has not filled it in: a new identity shows `{}` until the operation ends.
    """

    system_principal_id: str | None = None
    user_assigned: Mapping[ResourceId, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComputeResource:
    """A compute resource as read from ARM a moment ago.

    `location` is ARM's name of it ("westeurope"). `scale_set`: the flexible scale set that a
    machine belongs to. `manual_upgrade`: a uniform scale set whose instances take a change of the
    model only when told. `kubelet` is the identity of an AKS cluster's nodes. `incarnation` differs
    between a resource and another one made later under its id, or is "". `raw` is the whole body,
    for types that only take it back whole.
    """

    id: ResourceId
    location: str
    tags: Mapping[str, str]
    identity: Identity
    provisioning_state: str = "Succeeded"
    etag: str | None = None
    kind: str = ""
    scale_set: ResourceId | None = None
    manual_upgrade: bool = False
    kubelet: ResourceId | None = None
    incarnation: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Grant:
    """One role for one principal at one scope: the content of a role assignment.

    `role_id` is the role definition's GUID, `principal_id` the object id; both lower case.
    `condition` (ABAC, version 2.0) is no part of what tells two grants apart: Azure keeps one
    assignment for a scope, role and principal.
    """

    scope: str
    role_id: str
    principal_id: str
    condition: str | None = None

    @cached_property
    def name(self) -> str:
        """The role assignment's name: the same grant has the same name, whoever works it out.

        The principal id is part of it. A name without it would meet the assignment of an identity
        that was deleted and recreated, and take the stale one for its own.
        """
        content = f"{folded(self.scope)}|{self.principal_id.lower()}|{self.role_id.lower()}"
        return str(uuid.uuid5(_ASSIGNMENT_NAMES, content))

    @property
    def assignment_id(self) -> str:
        """The id of the role assignment that carries this grant."""
        scope = "" if self.scope == "/" else self.scope
        return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


@dataclass(frozen=True)
class RoleAssignment:
    """A role assignment as read from ARM; `raw` is the whole of it, kept for undo."""

    id: str
    scope: str
    role_id: str
    principal_id: str
    description: str
    raw: Mapping[str, object] = field(compare=False)

    def carries(self, grant: Grant) -> bool:
        """Whether it gives just what `grant` names."""
        return (folded(self.scope), self.role_id, self.principal_id) == (
            folded(grant.scope),
            grant.role_id,
            grant.principal_id,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A hint that something about `resource` changed; everything else is read fresh.

    `source` says where the hint came from ("event", "sweep", "retry"). `principal` (object id) or
    `grant` (its name) is what the hint is about where no resource tells of it: an orphan that the
    sweep found; `resource` is then the subscription it is in. `since` (seconds since the epoch, by
    the storage's clock) is when it first came to the queue, None where that is when its message
    did. `happened` (seconds since the epoch) is when the change was made in Azure, `traceparent`
    (W3C) the trace that it belongs to, "" for none. The rest is for the record.
    """

    resource: ResourceId
    source: str
    event_id: str = ""
    event_type: str = ""
    correlation_id: str = ""
    attempt: int = 0
    principal: str = ""
    grant: str = ""
    since: float | None = None
    happened: float | None = None
    traceparent: str = ""
