"""Rights no wider than a policy whose rules all name their resource groups. Pure.

Reading stays at the subscription: Resource Graph lists what may be read, and a machine that was
moved out of its group, or is in a group that was made anew, must not look deleted. Whatever changes
something stands at the groups that the rules name, by a role each:

    changes       write the policy's types, where the rules' resources are
    grants        assign and remove roles, where the rules give them: in each group those alone that
                  are given in it, by the condition of the assignment there
    identities    make, attach and delete identities, where the policy has them made
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lanyard.desk.at_groups import AtGroups, Delegated, Kind
from lanyard.desk.delegation import ASSIGN, REMOVE
from lanyard.desk.places import Place, given, made, matched
from lanyard.desk.rights import Rights, alone, given_by, notes, rights, too_long
from lanyard.policy import Policy, Rule
from lanyard.policy.patterns import ANY
from lanyard.values.errors import LanyardError

_DELEGATING = {ASSIGN, REMOVE}
_NAME_THEM = "'match: {resourceGroups: […]}', or '…/resourceGroups/NAME' in 'scopes', without *"


class GroupsNotNamed(LanyardError):
    """Rules do not name their resource groups: rights at groups would not be enough for them."""


@dataclass(frozen=True, slots=True)
class _Alone:
    """A rule, and what it would need if there were no other."""

    rule: Rule
    rights: Rights


def rights_by_group(policy: Policy, also_removable: Iterable[str] = ()) -> Rights:
    """What this policy needs, at its groups. Raises GroupsNotNamed with every rule that leads
    beyond a group that it names.
    """
    if unnamed := [*_unnamed(policy)]:
        lines = "\n".join(f"  {each}" for each in unnamed)
        raise GroupsNotNamed(
            f"--by-group: not every rule names its resource groups\n{lines}\n"
            f"name them ({_NAME_THEM}), or leave --by-group out"
        )
    needed, also = rights(policy, also_removable), frozenset(also_removable)
    each = [_Alone(rule, rights(alone(policy, rule), also)) for rule in policy.rules]
    roles = _changes(each), _grants(policy, each, also), _identities(policy, each)
    at_groups = tuple(role for role in roles if role.actions)
    return replace(
        needed,
        actions=tuple(action for action in needed.actions if _reads(action)),
        condition="",
        identity_actions=(),
        identity_groups=(),
        at_groups=at_groups,
        notes=(*notes(policy), *_to_know(at_groups)),
    )


def is_boundable(policy: Policy) -> bool:
    """Whether every rule names its groups."""
    return next(_unnamed(policy), None) is None


def _reads(action: str) -> bool:
    return action.endswith("/read")


def _unnamed(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        if _beyond(matched(rule)):
            yield f"rule {rule.name!r} is for resources of {_groups(rule)}"
            continue
        for scope in sorted({scope for _, scope in given_by(policy, rule)}):
            if _beyond(given(rule, scope)):
                yield f"rule {rule.name!r} gives a role at {scope}"
        for name in rule.attach:
            spec = policy.identities[name]
            if spec.id is None and _beyond(made(rule, spec)):
                group = spec.resource_group
                yield f"rule {rule.name!r} attaches {name!r}, which is made in the group {group}"


def _groups(rule: Rule) -> str:
    """The patterns by which a rule names its groups."""
    patterns = [name for name in rule.match.resource_groups if ANY in name]
    patterns += [scope for scope in rule.match.scopes if ANY in "".join(scope.split("/")[4:5])]
    return f"the groups {', '.join(patterns)}" if patterns else "any group"


def _beyond(places: Iterable[Place]) -> bool:
    return any(not place.group for place in places)


def _changes(rules: Iterable[_Alone]) -> AtGroups:
    actions, places = set[str](), dict[Place, Delegated]()
    for each in rules:
        writes = {a for a in each.rights.actions if not _reads(a) and a not in _DELEGATING}
        actions |= writes
        if writes:
            places |= dict.fromkeys(matched(each.rule), Delegated())
    return AtGroups(Kind.CHANGES, tuple(sorted(actions)), places)


def _grants(policy: Policy, rules: Iterable[_Alone], also: frozenset[str]) -> AtGroups:
    actions, places = set[str](), dict[Place, Delegated]()

    def add(where: Iterable[Place], delegated: Delegated) -> None:
        for place in where:
            places[place] = places.get(place, Delegated()) | delegated

    for each in rules:
        actions |= _DELEGATING.intersection(each.rights.actions)
        removable = frozenset(each.rights.removable)
        for role, scope in given_by(policy, each.rule):
            if role in each.rights.assignable:
                one = frozenset([role])
                add(given(each.rule, scope), Delegated(one, one & removable))
        if also & removable:
            add(matched(each.rule), Delegated(removable=also))
    return AtGroups(Kind.GRANTS, tuple(sorted(actions)), places)


def _identities(policy: Policy, rules: Iterable[_Alone]) -> AtGroups:
    actions, places = set[str](), dict[Place, Delegated]()
    for each in rules:
        actions |= {*each.rights.identity_actions}
        for name in each.rule.attach if each.rights.identity_actions else ():
            spec = policy.identities[name]
            if spec.id is None:
                places |= dict.fromkeys(made(each.rule, spec), Delegated())
    return AtGroups(Kind.IDENTITIES, tuple(sorted(actions)), places)


def _to_know(at_groups: Iterable[AtGroups]) -> Iterator[str]:
    roles = [*at_groups]
    if roles:
        yield (
            "reading stays at the subscription: what was moved out of its group, or is in a group "
            "that was made anew, would look deleted otherwise"
        )
        yield (
            "a group that is deleted and made again has lost these rights: give them again; "
            "'lanyard doctor' names it"
        )
        yield (
            "what others gave outside these groups to an identity that is gone is not removed, but "
            "recorded as failed"
        )
    for role in roles:
        for delegated in role.places.values():
            yield from too_long(delegated.condition)
