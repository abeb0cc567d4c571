"""What a principal is granted, by its kind, and the role assignment that carries it. Frozen."""

import uuid
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_name


class GrantKind(StrEnum):
    """By what a principal is given access. What a second kind takes: docs/dev/adr/0014."""

    ROLE_ASSIGNMENT = "role assignment"


#: The name space (uuid5) of each kind's names. Never change one: names made by it are in Azure.
NAME_SPACES = {GrantKind.ROLE_ASSIGNMENT: uuid.UUID("6a8d5d0c-5a43-5f0e-9d1c-2f0f7f0b7a51")}


type Content[P] = tuple[str, str, P]


def content_of[P](scope: str, role_id: str, principal: P) -> Content[P]:
    """What distinguishes role assignments: Azure keeps one for a scope, role and principal,
    whatever its name and condition.

    `principal`: an object id in lower case, or what stands for one.
    """
    return folded(scope), folded(role_id), principal


def condition_of(shown: object) -> str | None:
    """A condition as it counts, None for none: what is blank around it means nothing. A block of
    YAML ends in a line break, and whoever edits an assignment may leave one there.
    """
    return shown.strip() or None if isinstance(shown, str) else None


def shown_condition(condition: str | None) -> str:
    """A condition as people read it within a sentence."""
    return "none" if condition is None else f"'{condition}'"


@dataclass(frozen=True)
class Grant:
    """Access for one principal: one role at one scope, given by a role assignment.

    `role_id` is the role definition's GUID, `principal_id` the object id; both lower case.
    `condition` (ABAC, version 2.0) does not distinguish two grants: Azure keeps one
    assignment for a scope, role and principal.
    """

    scope: str
    role_id: str
    principal_id: str
    condition: str | None = None
    kind: GrantKind = GrantKind.ROLE_ASSIGNMENT

    def __str__(self) -> str:
        return f"{role_name(self.role_id)} at {self.scope}"

    @property
    def content(self) -> Content[str]:
        """What the role assignment gives that carries it. See `content_of`."""
        return content_of(self.scope, self.role_id, self.principal_id)

    @cached_property
    def key(self) -> str:
        """What distinguishes it from every other grant of any kind, in lower case."""
        return "|".join((self.kind, *map(folded, self.content)))

    @cached_property
    def name(self) -> str:
        """The same grant has the same name, whoever works it out: its key in the tables, and the
        role assignment's name.

        The principal id is part of it. A name without it would meet the assignment of an identity
        that was deleted and recreated, and take the stale one for its own.
        """
        scope, role_id, principal_id = self.content
        named_by = f"{scope}|{folded(principal_id)}|{role_id}"
        return str(uuid.uuid5(NAME_SPACES[self.kind], named_by))

    @property
    def assignment_id(self) -> str:
        """The id of the role assignment that carries this grant where Lanyard made it; one that was
        adopted has another name: see `Standing`.
        """
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

    @property
    def content(self) -> Content[str]:
        """See `content_of`."""
        return content_of(self.scope, self.role_id, self.principal_id)

    @property
    def described(self) -> str | None:
        """Its description to the letter, None where it has none."""
        return self.text("description")

    def text(self, name: str) -> str | None:
        """One of its properties as ARM has it; None where it has none, or no text."""
        properties = self.raw.get("properties")
        shown = properties.get(name) if isinstance(properties, Mapping) else None
        return shown if isinstance(shown, str) else None

    @property
    def condition(self) -> str | None:
        """The condition under which it gives that; None for none."""
        return condition_of(self.text("condition"))

    def carries(self, grant: Grant) -> bool:
        """Whether it gives just what `grant` names."""
        return self.content == grant.content

    def serves(self, grant: Grant) -> bool:
        """Whether it gives what `grant` names, under the same condition."""
        return self.carries(grant) and self.condition == grant.condition


class Described(Protocol):
    """A role assignment as any source shows it."""

    @property
    def id(self) -> str:
        """In any case."""

    @property
    def content(self) -> Content[str]:
        """See `content_of`."""

    @property
    def description(self) -> str:
        """Whatever its maker wrote, or who changed it since."""


@dataclass(frozen=True, slots=True)
class Given:
    """What gives a grant now: the id of a role assignment, and whether that is ours."""

    assignment_id: str
    ours: bool


class State(StrEnum):
    """Of a grant's row."""

    GRANTING = "granting"
    ACTIVE = "active"
    REVOKING = "revoking"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant that is not revoked. `claimants` are resources; `kept`: a person claims it, too.

    `ours` is False where someone else's assignment gives the same. `since`: when that was made, or
    found to be there (seconds since the epoch; 0: never). `adopted`: the id of the assignment where
    somebody else had made it, "" where it has the grant's own name.
    """

    grant: Grant
    state: State
    claimants: tuple[ResourceId, ...]
    kept: bool
    ours: bool
    _: KW_ONLY
    since: float = 0.0
    adopted: str = ""

    @property
    def assignment_id(self) -> str:
        """The id of the assignment that carries it, where it is ours."""
        return self.adopted or self.grant.assignment_id

    @property
    def claimed(self) -> bool:
        """Whether anything needs it."""
        return self.kept or bool(self.claimants)
