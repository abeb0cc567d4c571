"""Policies as a history can have them, and what they give: a reading of its own of the few kinds of
rules there are. Nothing of Lanyard's planning is asked.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.state import Resource
from tests.support.histories.places import (
    IDENTITIES,
    ROLE_NAMES,
    ROLES,
    SHARED,
    SYSTEM,
    group_id,
    identity_id,
    place_of,
    types_of,
)
from tests.support.histories.printed import Printed

#: What a rule can attach, besides the names of people's identities.
OWN = "own"
#: Of an identity that a rule has made for one resource alone.
TAGS = {"made-by": "policy"}
#: What a rule can give its roles on, by name; "": on none.
CONDITIONS = {
    name: f"@Resource[Microsoft.Storage/storageAccounts:name] StringEquals '{name}'"
    for name in ("one", "two")
} | {"": ""}
_EXCLUDED = {"lanyard": "ignore"}
_TAGGED = {"app": "shop"}


@dataclass(frozen=True, repr=False)
class Rule(Printed):
    """Attach one identity to some resources, with roles."""

    #: "vm" or "web".
    of: str = "vm"
    #: A name of `places`, `OWN`, `SHARED` or `SYSTEM`.
    identity: str = SHARED
    #: Keys of `ROLES`.
    roles: tuple[str, ...] = ("blobs",)
    #: Where the roles are given: "group" or "resource".
    scope: str = "group"
    #: Only what has the tag app=shop.
    tagged: bool = False
    #: Names of groups, wrong ones included; empty for all.
    groups: tuple[str, ...] = ()
    #: A key of `CONDITIONS`.
    on: str = ""
    #: The rule's own mode.
    how: str = "full"


@dataclass(frozen=True, repr=False)
class Policy(Printed):
    """A whole file. All rules leave out what has the tag lanyard=ignore."""

    rules: tuple[Rule, ...] = (Rule(),)
    mode: str = "full"
    per_hour: int = 50
    percent: int = 100
    grace_minutes: int = 10
    delete_after_hours: int = 24
    #: "accept" or "hold"; "accept" or "avoid".
    imds: str = "accept"
    restart: str = "accept"


@dataclass(frozen=True, order=True)
class Need:
    """A role (GUID) at a scope for an identity (lower-case ids), or for SYSTEM."""

    identity: str
    role: str
    scope: str


@dataclass(frozen=True)
class Wants:
    """What a resource should have. Identities are lower-case ids."""

    identities: frozenset[str] = frozenset()
    needs: frozenset[Need] = frozenset()
    system: bool = False
    #: Each need with a condition that a rule gives it on, "" for none.
    conditions: frozenset[tuple[Need, str]] = frozenset()

    @property
    def things(self) -> frozenset[str | Need]:
        """Identities and needs."""
        return self.identities | self.needs

    def on(self, need: Need) -> set[str]:
        """The conditions that rules give it on: two contradict each other."""
        return {condition for each, condition in self.conditions if each == need}


NOTHING = Wants()


@dataclass(frozen=True)
class Due:
    """`gives`: what the policy gives. `keeps`: what it would give but for `exclude`. `observed`:
    of `gives`, what no rule gives that does not only observe.
    """

    gives: Wants = NOTHING
    keeps: Wants = NOTHING
    observed: frozenset[str | Need] = frozenset()


def due(policy: Policy, resource: Resource) -> Due:
    """What the policy says of a resource as it is now."""
    fitting = [rule for rule in policy.rules if _fits(rule, resource)]
    tags = {name.lower(): value for name, value in resource.tags.items()}
    if _EXCLUDED.items() <= tags.items():
        return Due(keeps=_sum(fitting, resource))
    gives = _sum(fitting, resource)
    given = _sum([rule for rule in fitting if rule.how != "observe"], resource)
    return Due(gives, observed=gives.things - given.things)


def asking(policy: Policy, resource: Resource) -> Iterator[tuple[int, str | Need]]:
    """What each rule asks for, with its number."""
    for number, rule in enumerate(policy.rules):
        for thing in _sum([rule], resource).things if _fits(rule, resource) else ():
            yield number, thing


def is_sound(policy: Policy) -> bool:
    """Whether the file is taken: two rules for the same resources agree on their conditions."""
    seen: dict[tuple[object, ...], str] = {}
    return all(
        seen.setdefault(
            (rule.of, rule.tagged, rule.groups, rule.identity, rule.scope, role), rule.on
        )
        == rule.on
        for rule in policy.rules
        for role in rule.roles
    )


def _fits(rule: Rule, resource: Resource) -> bool:
    tags = {name.lower(): value for name, value in resource.tags.items()}
    group = resource.id.lower().split("/")[4]
    return (
        resource.type.lower() in types_of(rule.of)
        and (not rule.tagged or _TAGGED.items() <= tags.items())
        and (not rule.groups or group in rule.groups)
    )


def _sum(rules: list[Rule], resource: Resource) -> Wants:
    needs = frozenset(need for rule in rules for need in _needs(rule, resource))
    named = frozenset(_identity(rule, resource) for rule in rules)
    conditions = frozenset(
        (need, CONDITIONS[rule.on]) for rule in rules for need in _needs(rule, resource)
    )
    return Wants(named - {SYSTEM}, needs, SYSTEM in named, conditions)


def _needs(rule: Rule, resource: Resource) -> Iterator[Need]:
    at = resource.id.lower()
    scope = at if rule.scope == "resource" else "/".join(at.split("/")[:5])
    for role in rule.roles:
        yield Need(_identity(rule, resource), ROLES[role], scope)


def _identity(rule: Rule, resource: Resource) -> str:
    if rule.identity == SYSTEM:
        return SYSTEM
    if rule.identity == OWN:
        place = place_of(resource.id.lower())
        assert place is not None, resource.id
        return place.own
    return identity_id(rule.identity)


@dataclass(frozen=True)
class Features:
    """Keys of the policy that the product may not have yet."""

    grace: bool = True
    delete_after: bool = True


def text(policy: Policy, features: Features = Features()) -> str:
    """The file: JSON, which is YAML."""
    names = sorted({rule.identity for rule in policy.rules} - {SYSTEM})
    removals: dict[str, object] = {"perHour": policy.per_hour, "percent": policy.percent}
    if features.grace:
        removals["graceMinutes"] = policy.grace_minutes
    document = {
        "version": 1,
        "mode": policy.mode,
        "identities": {name: _specification(name, policy, features) for name in names},
        "rules": [_rule(number, rule, policy) for number, rule in enumerate(policy.rules)],
        "orphans": {"graceMinutes": 0},
        "limits": {"removals": removals},
    }
    return json.dumps(document, indent=1)


def _specification(name: str, policy: Policy, features: Features) -> dict[str, object]:
    if name == OWN:
        after = {"deleteAfterHours": policy.delete_after_hours} if features.delete_after else {}
        tags = {"tags": {**TAGS, "app": "{tags.app}"}}
        return {"name": "id-own-{resource.name}", "per": "resource", **tags, **after}
    if name == SHARED:
        return {"name": SHARED, "resourceGroup": IDENTITIES, "per": ["subscription"]}
    return {"id": identity_id(name)}


def _rule(number: int, rule: Rule, policy: Policy) -> dict[str, object]:
    match: dict[str, object] = {
        "types": [_PROPER[each] for each in types_of(rule.of)],
        "exclude": {"tags": _EXCLUDED},
    }
    if rule.tagged:
        match["tags"] = _TAGGED
    if rule.groups:
        match["scopes"] = [group_id(group) for group in rule.groups]
    on = {"condition": CONDITIONS[rule.on]} if rule.on else {}
    grants = [
        {"role": ROLE_NAMES[role], "scope": _SCOPES[rule.scope], "to": rule.identity, **on}
        for role in rule.roles
    ]
    gives: dict[str, object] = {"grant": grants} if grants else {}
    gives |= {"system": True} if rule.identity == SYSTEM else {"attach": [rule.identity]}
    if rule.of == "vm":
        gives["imdsDefault"] = policy.imds
    else:
        gives["restart"] = policy.restart
    mode = {} if rule.how == "full" else {"mode": rule.how}
    return {"name": f"rule {number}", **mode, "match": match, **gives}


_SCOPES = {"group": "{resourceGroup}", "resource": "{resource}"}
_PROPER = {
    "microsoft.compute/virtualmachines": "Microsoft.Compute/virtualMachines",
    "microsoft.web/sites": "Microsoft.Web/sites",
    "microsoft.web/sites/slots": "Microsoft.Web/sites/slots",
}
