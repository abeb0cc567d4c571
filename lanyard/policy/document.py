"""The policy file's shape. What a field means is written here, once: the JSON Schema that editors
use and the reference in docs/ are made from these models. Keys of the file are camelCase.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from lanyard.policy.mode import Mode, most_careful
from lanyard.policy.named_subscriptions import SubscriptionNames, is_id
from lanyard.policy.pattern_index import PatternIndex
from lanyard.policy.rule import MACHINE, SCALE_SET, Grant, Rule
from lanyard.policy.rule_index import RuleIndex
from lanyard.policy.section import Given, Id, Name, Section, Text
from lanyard.policy.standards import SHIPPED, GrantContent
from lanyard.policy.templates import MEANING, as_pattern
from lanyard.values.resource_id import folded, last_name
from lanyard.values.subscriptions import NOT_LISTED, Subscriptions

TagName = Annotated[str, Field(min_length=1, max_length=512)]


def _whole_number(value: object) -> object:
    """To Python, 1.0 and True equal 1; in the file they are mistakes."""
    return str(value) if isinstance(value, bool | float) else value


class RemoveOrphans(StrEnum):
    """Which orphaned assignments may go: of principals seen alive, or of any unknown principal."""

    SEEN = "seen"
    ALL = "all"


#: So many hours an identity of one resource is kept when it is no longer needed, by default.
DELETE_AFTER_HOURS = 24


class IdentitySpec(Section):
    """A user-assigned identity: an existing one by `id`, or by `name` one made if missing."""

    id: Annotated[Id | None, Given] = Field(
        None, description="The resource id of an existing identity."
    )
    name: Annotated[Name | None, Given] = Field(
        None, description="The name of an identity that is made when missing; a template."
    )
    resource_group: Annotated[Name | None, Given] = Field(
        None,
        description="The resource group it is made in, which must exist; a template. With "
        "`per: resource` by default the group of the resource.",
    )
    per: Literal["resource"] | list[Literal["subscription", "location"]] = Field(
        ["subscription", "location"],
        description="What has one identity each, by default every location of every subscription; "
        "the name's variables must differ for those. `resource`: every resource has one of its "
        "own, deleted with it.",
    )
    delete_after_hours: Annotated[float, Field(ge=0, le=720)] = Field(
        DELETE_AFTER_HOURS,
        description="With `per: resource`: so long an identity is kept after it was first found "
        "no longer needed, an hour at least; then it goes if nothing can use it. A deleted "
        "identity cannot be put back.",
    )
    tags: dict[TagName, Annotated[str, Field(max_length=1024)]] = Field(
        {},
        description="Of an identity that is made, as it is made: texts. With `per: resource` they "
        "may have the resource's own in them, {tags.KEY}; one that needs a tag which the resource "
        "does not have is left off.",
    )

    @property
    def dedicated(self) -> bool:
        """Whether every resource has one of its own."""
        return self.per == "resource"


class Orphans(Section):
    """When assignments that a deleted identity left behind are removed."""

    grace_minutes: Annotated[float, Field(ge=0, le=43200)] = Field(
        60,
        description="How long an assignment that someone else made is kept after its principal "
        "was found gone.",
    )
    remove: Annotated[RemoveOrphans, Field(strict=False)] = Field(
        RemoveOrphans.SEEN,
        description="`seen`: only of principals that were seen alive; `all`: of any principal that "
        "the directory does not know.",
    )


class RemovalLimit(Section):
    """The removal budget; past it, removals are held."""

    per_hour: Annotated[int, Field(ge=0, le=100_000)] = Field(
        50,
        description="So many removals in an hour; the others wait for the next one, or for a "
        "person's `lanyard release`.",
    )
    grace_minutes: Annotated[float, Field(ge=0, le=1440)] = Field(
        10,
        description="So long an identity stays attached, and a role assigned, after the first look "
        "that found it no longer wanted; and the assignment of a last claim after that claim: a "
        "machine that is made again needs it.",
    )
    percent: Annotated[float, Field(ge=0, le=100)] = Field(
        10,
        description="Of all assignments and attachments that the last sweep saw, in an hour, but "
        "ten at least. Past it Lanyard stops all removals by itself, until a person says `lanyard "
        "resume`. 100: no such limit.",
    )


class AdditionLimit(Section):
    """The budget of additions; past it, additions are held."""

    per_hour: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None,
        description="So many resources are given identities and roles in an hour; the others wait "
        "for the next one, or for a person's `lanyard release`. null: no such limit.",
    )


class Limits(Section):
    """What bounds a run away."""

    additions: AdditionLimit = Field(
        AdditionLimit(), description="The budget of additions; past it, additions are held."
    )
    removals: RemovalLimit = Field(
        RemovalLimit(), description="The removal budget; past it, removals are held."
    )


class PrivilegedRole(Section):
    """A privileged role that rules may grant, and where."""

    role: Name = Field(description="A built-in role's name, or the GUID of any role.")
    scopes: list[Text] = Field(
        min_length=1, description="At or below these scopes only; * for any part of a segment."
    )


class Records(Section):
    """What is kept, and for how long."""

    keep_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        400, description="Decisions older than this are deleted; a removal can be undone so long."
    )


class Privileged(Section):
    """Roles by which their holder can get more: held unless named here."""

    allow: list[PrivilegedRole] = Field([], description="The roles, each with its scopes.")


class Policy(Section):
    """Who gets what: the whole of Lanyard's policy."""

    version: Annotated[Literal[1], BeforeValidator(_whole_number)] = Field(
        description="The version of this format."
    )
    mode: Annotated[Mode, Field(strict=False)] = Field(
        Mode.OBSERVE,
        description="How far Lanyard may go. `observe`: nothing is changed, what would be done is "
        "recorded; `add-only`: nothing is taken away; `full`. A rule may be in a more careful one.",
    )
    identities: dict[Name, IdentitySpec] = Field({}, description="By a name of your choice.")
    vars: dict[Name, dict[Name, Text]] = Field(
        {},
        description="Tables for look-ups in scopes: {vars.TABLE[tags.KEY]} is what TABLE has for "
        "the value of the tag, in any case; other variables work, too. What it has nothing for is "
        "held.",
    )
    standards: dict[Name, list[GrantContent]] = Field(
        {}, description="Named sets of grants that rules use by name."
    )
    rules: list[Rule] = Field([], description="Who gets what; rules add up.")
    orphans: Orphans = Field(
        Orphans(), description="When assignments that a deleted identity left behind are removed."
    )
    limits: Limits = Field(Limits(), description="What bounds a run away.")
    records: Records = Field(Records(), description="What is kept, and for how long.")
    privileged: Privileged = Field(
        Privileged(),
        description="Roles that can hand out rights, or write everything in a whole subscription, "
        "by what their definitions allow: held unless named here.",
    )
    #: No part of the file: see `under`.
    _subscriptions: SubscriptionNames = PrivateAttr(SubscriptionNames(NOT_LISTED))

    @property
    def digest(self) -> str:
        """Differs for any other policy: on record with every decision that it led to.

        What the shipped standards that it uses give is part of it, and what the variables of
        templates come to: where that changes with a new version of Lanyard, it is another policy.
        So it is where a subscription has another name or is below other management groups, and a
        rule asks for that.
        """
        used = {grant.standard for rule in self.rules for grant in rule.grant}
        shipped = [
            [name, *(content.model_dump_json() for content in contents)]
            for name, contents in sorted(SHIPPED.items())
            if name in used
        ]
        named = self.subscriptions.resolved(self.named_subscriptions)
        meant = self.model_dump_json() + json.dumps([shipped, MEANING, named])
        return hashlib.sha256(meant.encode()).hexdigest()[:12]

    @property
    def subscriptions(self) -> SubscriptionNames:
        """What the names and management groups in it come to."""
        return self._subscriptions

    @cached_property
    def named_subscriptions(self) -> tuple[str, ...]:
        """Those that rules name by anything but their ids, each once, in the order of the file."""
        selectors = (each for rule in self.rules for each in (rule.match, rule.match.exclude))
        entries = (entry for selector in selectors for entry in selector.subscriptions)
        return tuple(dict.fromkeys(entry for entry in entries if not is_id(entry)))

    def under(self, listing: Subscriptions) -> "Policy":
        """The policy where these subscriptions are listed: itself where it asks for none."""
        if not self.named_subscriptions:
            return self
        under = self.model_copy()
        under._subscriptions = SubscriptionNames(listing)
        return under

    def mode_of(self, rule: str) -> Mode | None:
        """The mode of a rule (its name): the more careful one of its own and the policy's. None
        where the policy has no such rule.
        """
        if rule not in self._own_modes:
            return None
        return most_careful([self.mode, self._own_modes[rule]])

    @cached_property
    def careful(self) -> tuple[str, ...]:
        """The names of the rules that are in another mode than full by themselves."""
        return tuple(rule for rule, mode in self._own_modes.items() if mode is not Mode.FULL)

    @cached_property
    def additions_per_hour(self) -> Mapping[str, int]:
        """The limits of rules (by their names) that have one of their own."""
        limits = {rule.name: rule.limits.additions.per_hour for rule in self.rules}
        return {rule: number for rule, number in limits.items() if number is not None}

    @cached_property
    def removals_per_hour(self) -> Mapping[str, int]:
        """The limits of rules (by their names) that have one of their own."""
        limits = {rule.name: rule.limits.removals.per_hour for rule in self.rules}
        return {rule: number for rule, number in limits.items() if number is not None}

    @cached_property
    def all_full(self) -> "Policy":
        """The policy as if no mode held anything back."""
        rules = [rule.model_copy(update={"mode": None}) for rule in self.rules]
        return self._with(mode=Mode.FULL, rules=rules)

    def without(self, rules: Collection[str]) -> "Policy":
        """The policy as if it lacked these rules (their names)."""
        return self._with(rules=[rule for rule in self.rules if rule.name not in rules])

    def _with(self, **changes: Any) -> "Policy":
        changed = Policy.model_construct(**{**dict(self), **changes})
        return changed.under(self.subscriptions.listing)

    @cached_property
    def _own_modes(self) -> Mapping[str, Mode]:
        return {rule.name: rule.mode or Mode.FULL for rule in self.rules}

    @cached_property
    def index(self) -> RuleIndex:
        """The rules, by what they match."""
        return RuleIndex(self.rules)

    @cached_property
    def shared(self) -> PatternIndex[str]:
        """The names in `identities` of those that are not for one resource alone, by the names
        that they may have in Azure.
        """
        return PatternIndex(
            ([[[as_pattern(spec.name) if spec.name else last_name(spec.id or "")]]], name)
            for name, spec in self.identities.items()
            if not spec.dedicated
        )

    def types(self) -> frozenset[str]:
        """The resource types that any rule is for, lower case.

        The machines of a flexible scale set are ordinary machines: a rule for sets is for them too.
        """
        named = {folded(name) for rule in self.rules for name in rule.match.types}
        return frozenset(named | ({MACHINE} if SCALE_SET in named else set()))


def contents(policy: Policy, grant: Grant) -> list[GrantContent]:
    """The roles and scopes that a grant stands for: its own, or those of its standard."""
    if grant.standard is not None:
        return policy.standards.get(grant.standard, SHIPPED.get(grant.standard, []))
    if grant.role is None or grant.scope is None:
        return []
    return [GrantContent(role=grant.role, scope=grant.scope, condition=grant.condition)]
