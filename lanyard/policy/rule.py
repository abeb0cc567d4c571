"""The rules of the policy file: which resources each is for, and what they shall have. Keys of the
file are camelCase.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lanyard.policy.mode import Mode
from lanyard.policy.section import Condition, Given, Name, Section, Text

MACHINE = "microsoft.compute/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"

#: So many characters has the value of a tag at most (Azure Resource Manager limits).
MOST_IN_TAG = 256

_TagValue = Annotated[str, Field(max_length=MOST_IN_TAG)]
_TagValues = _TagValue | Annotated[list[_TagValue], Field(min_length=1)]
Tags = Annotated[dict[Name, _TagValues], Field(max_length=50)]


class ImdsDefault(StrEnum):
    """Whether a machine whose only identity is IMDS's default may get another one."""

    HOLD = "hold"
    ACCEPT = "accept"


class Restart(StrEnum):
    """Whether an identity may be changed where that restarts the app (App Service)."""

    ACCEPT = "accept"
    AVOID = "avoid"


class Replace(StrEnum):
    """Whether the one identity of a type that has only one (AKS) may be replaced."""

    HOLD = "hold"
    ACCEPT = "accept"


class Selector(Section):
    """What a resource is recognised by; every field given must fit, a list if one entry does."""

    scopes: list[Text] = Field(
        [], description="/subscriptions/ID[/resourceGroups/NAME]; * for any part of a segment."
    )
    subscriptions: list[Text] = Field(
        [],
        description="Subscriptions by their ids, or their names, * wildcards; or all below a "
        "management group, by its id: /providers/Microsoft.Management/managementGroups/NAME.",
    )
    resource_groups: list[Name] = Field([], description="Names of resource groups; * wildcards.")
    locations: list[Name] = Field([], description="Regions as ARM names them: westeurope.")
    names: list[Name] = Field(
        [],
        description="Names of resources; * wildcards. A resource's own name, the last in its id: "
        "of the slot app1/staging that is staging.",
    )
    tags: Tags = Field(
        {},
        description="All must be there, in any case, each with the value, or one of the values, "
        "that it is given here; * for any part of a value.",
    )


class Match(Selector):
    """Which resources a rule is for."""

    types: list[Name] = Field(min_length=1, description="Resource types, at least one.")
    kinds: list[Name] = Field(
        [],
        description="Words of the kind that a resource has: functionapp of functionapp,linux. The "
        "types below name those that are known.",
    )
    managed: bool = Field(
        False,
        description="Whether resources that another service manages (nodes of AKS, Databricks, "
        "managed applications) are among them; by default they are left alone.",
    )
    exclude: Selector = Field(
        Selector(), description="A resource that fits all that is given here is left out."
    )


class Grant(Section):
    """A role at a scope, or a whole standard, for one of the rule's identities."""

    role: Annotated[Name | None, Given] = Field(
        None, description="A built-in role's name, or any role's GUID."
    )
    scope: Annotated[Text | None, Given] = Field(
        None,
        description="Where: a scope's id as a template, or {resource}, {resourceGroup}, "
        "{subscription} alone for that very scope.",
    )
    condition: Annotated[Condition | None, Given] = Field(
        None, description="A role assignment condition (ABAC, version 2.0)."
    )
    standard: Annotated[Name | None, Given] = Field(
        None, description="The name of a standard, in place of role and scope."
    )
    to: Name = Field(description="An identity that the rule attaches, or `system`.")


class RuleLimit(Section):
    """How much may be done for one rule in an hour."""

    per_hour: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="As the policy's own limit, which counts besides. null: no other limit."
    )


class RuleLimits(Section):
    """What bounds one rule beside the policy's `limits`; past it, what is due is held."""

    additions: RuleLimit = Field(
        RuleLimit(), description="Resources to which this rule gives something."
    )
    removals: RuleLimit = Field(RuleLimit(), description="Removals of what this rule gave.")


class Rule(Section):
    """What the resources that match shall have. Several rules add up."""

    name: Name = Field(description="Appears in every plan and decision.")
    mode: Annotated[Annotated[Mode, Field(strict=False)] | None, Given] = Field(
        None,
        description="How far Lanyard may go for this rule, where that is less than the policy's "
        "`mode`. `observe`: what it asks for stays where it is, and is not given; `add-only`: what "
        "it gave is not taken away.",
    )
    limits: RuleLimits = Field(
        RuleLimits(), description="What bounds this rule beside the policy's `limits`."
    )
    match: Match = Field(description="Which resources the rule is for.")
    attach: list[Name] = Field([], description="Names of `identities`.")
    system: bool = Field(False, description="Switch on the system-assigned identity.")
    grant: list[Grant] = Field([], description="Roles, or standards, for the rule's identities.")
    imds_default: Annotated[ImdsDefault, Field(strict=False)] = Field(
        ImdsDefault.HOLD,
        description="Whether a machine that has exactly one identity may get another one: code in "
        "it that asks for a token without naming an identity would fail.",
    )
    restart: Annotated[Restart, Field(strict=False)] = Field(
        Restart.ACCEPT,
        description="Whether the identity of an app may be changed, which restarts it (App "
        "Service).",
    )
    replace: Annotated[Replace, Field(strict=False)] = Field(
        Replace.HOLD,
        description="Whether the one identity of a type that has only one (AKS) may be replaced.",
    )
    upgrade_instances: bool = Field(
        False,
        description="Bring the instances of a scale set with manual upgrade policy up to date "
        "after its identity changed.",
    )
