"""The policy file's shape. What a field means is said here, once; the file is camelCase."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(min_length=1, max_length=128)]


class Section(BaseModel):
    """A part of the file: unknown keys are errors, nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True
    )


class Mode(StrEnum):
    """How far Lanyard may go. `observe` changes nothing, `add-only` never removes access."""

    OBSERVE = "observe"
    ADD_ONLY = "add-only"
    FULL = "full"


class ImdsDefault(StrEnum):
    """Whether a second identity may be attached to a machine whose only one is IMDS's default."""

    HOLD = "hold"
    ACCEPT = "accept"


class IdentitySpec(Section):
    """A user-assigned identity: an existing one by `id`, or one by `name` that is made if missing.

    `per` names what has one identity each; the name's variables must tell those apart.
    """

    id: str | None = None
    name: str | None = None
    resource_group: str | None = None
    per: list[Literal["subscription", "location"]] = ["subscription", "location"]


class Selector(Section):
    """Tags to compare: a value of "*" means any value. Keys and values in any case."""

    tags: dict[str, str] = {}


class Match(Section):
    """Which resources a rule is for: every field given must fit; a list fits if one entry does."""

    types: list[Name] = Field(min_length=1)
    scopes: list[Name] = []
    locations: list[Name] = []
    tags: dict[str, str] = {}
    exclude: Selector = Selector()


class Grant(Section):
    """A role at a scope, to an identity that the same rule attaches, or to `system`."""

    role: Name
    scope: Name
    to: Name


class Rule(Section):
    """What the resources that match shall have. Several rules add up."""

    name: Name
    match: Match
    attach: list[Name] = []
    system: bool = False
    grant: list[Grant] = []
    imds_default: Annotated[ImdsDefault, Field(strict=False)] = ImdsDefault.HOLD


class Orphans(Section):
    """When assignments that a deleted identity left behind are removed.

    `graceMinutes`: how long after its principal was found gone an assignment that someone else
    made is kept.
    """

    grace_minutes: Annotated[float, Field(ge=0, le=43200, strict=False)] = 60


class Policy(Section):
    """The whole file."""

    version: Literal[1]
    mode: Annotated[Mode, Field(strict=False)] = Mode.OBSERVE
    identities: dict[Name, IdentitySpec] = {}
    rules: list[Rule] = []
    orphans: Orphans = Orphans()

    def types(self) -> frozenset[str]:
        """The resource types that any rule is for, lower case."""
        return frozenset(name.lower() for rule in self.rules for name in rule.match.types)
