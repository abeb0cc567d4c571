"""Rules found by what they match (lanyard/policy/rule_index.py): the same as by asking each."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from lanyard.policy import Policy, Rule
from lanyard.policy.matching import Rules, is_given, rules_for, selects
from lanyard.policy.misses import excluded_because, nearest
from lanyard.policy.pattern_index import PatternIndex
from lanyard.policy.patterns import fits, one_of
from lanyard.policy.rule import SCALE_SET, Match, Selector
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscription, Subscriptions, listing_of

_SUBSCRIPTIONS = [f"{number}1111111-1111-1111-1111-111111111111" for number in (1, 2)]
_MACHINE, _SITE = "Microsoft.Compute/virtualMachines", "Microsoft.Web/sites"
# Names of which one begins or ends as another, that differ in case alone, with a letter that only
# Python takes for a "k", and one that reads like a pattern of fnmatch.
_NAMES = st.sampled_from(["rg", "RG-x", "rg-prod", "x-prod", "k", "\u212a", "[ab]", "a*b", "prod"])
_PATTERNS = st.sampled_from(
    ["rg", "rg-*", "*-prod", "*", "RG*X", "r*g", "*x*", "k", "\u212a", "[ab]", "a*b", "PROD", "**"]
)
_LISTS = st.lists(_PATTERNS, max_size=2)
_LOCATIONS = st.sampled_from(["westeurope", "WestEurope", "eastus"])
_TAG_NAMES, _TAG_VALUES = (
    st.sampled_from(["env", "Env", "team", "k", "\u212a"]),
    st.sampled_from(["prod", "PROD", "dev", "*", ""]),
)
_TAGS = st.dictionaries(_TAG_NAMES, _TAG_VALUES, max_size=3)
_PATTERNS_OF_VALUES = st.one_of(_TAG_VALUES, st.sampled_from(["p*", "*OD", "d*v", "**"]))
_WANTED_TAGS = st.dictionaries(
    _TAG_NAMES,
    st.one_of(_PATTERNS_OF_VALUES, st.lists(_PATTERNS_OF_VALUES, min_size=1, max_size=3)),
    max_size=3,
)
_SCOPES = st.builds(
    lambda subscription, group, rest: f"/subscriptions/{subscription}{group and rest + group}",
    st.sampled_from([*_SUBSCRIPTIONS, "1*", "*"]),
    st.one_of(st.just(""), _PATTERNS),
    st.sampled_from(["/resourceGroups/", "/RESOURCEGROUPS/"]),
)
_GROUP = "/providers/Microsoft.Management/managementGroups"
_LISTING = listing_of(
    {
        _SUBSCRIPTIONS[0]: Subscription("Shop-prod", ("prod", "root"), whole=True),
        _SUBSCRIPTIONS[1]: Subscription("shop-test", ("test",)),
    }
)
_LISTINGS = st.sampled_from([_LISTING, {}, {_SUBSCRIPTIONS[0]: _LISTING[_SUBSCRIPTIONS[0]]}])
_SELECTED: dict[str, Any] = {
    "subscriptions": st.lists(
        st.sampled_from(
            [
                *_SUBSCRIPTIONS,
                *("shop-PROD", "shop-*", "*-test", "*", "other"),
                *(f"{_GROUP}/{name}" for name in ("Prod", "root", "test", "other")),
            ]
        ),
        max_size=2,
    ),
    "scopes": st.lists(_SCOPES, max_size=2),
    "resource_groups": _LISTS,
    "names": _LISTS,
    "locations": st.lists(_LOCATIONS, max_size=1),
    "tags": _WANTED_TAGS,
}
_MATCHES = st.builds(
    Match,
    types=st.lists(
        st.sampled_from([_MACHINE, _SITE, _MACHINE.upper(), SCALE_SET]), min_size=1, max_size=2
    ),
    kinds=st.lists(st.sampled_from(["functionapp", "linux"]), max_size=1),
    exclude=st.builds(Selector, **_SELECTED),
    **_SELECTED,
)


def resource(
    group: str = "rg",
    name: str = "vm",
    subscription: str = _SUBSCRIPTIONS[0],
    type_: str = _MACHINE,
    **more: Any,
) -> ComputeResource:
    where = f"/subscriptions/{subscription}/resourceGroups/{group}"
    id_ = ResourceId.parse(f"{where}/providers/{type_}/{name}")
    return ComputeResource(
        id=id_, **{"location": "westeurope", "tags": {}, **more}, identity=Identity()
    )


_SET = ResourceId.parse(f"{resource().id.resource_group_id}/providers/{SCALE_SET}/set")
_GROUPS = _NAMES.filter(lambda name: name.isascii() and name.replace("-", "").isalnum())
_RESOURCES = st.builds(
    resource,
    group=_GROUPS,
    name=_NAMES,
    subscription=st.sampled_from(_SUBSCRIPTIONS),
    type_=st.sampled_from([_MACHINE, _SITE]),
    location=_LOCATIONS,
    tags=_TAGS,
    kind=st.sampled_from(["", "functionapp,linux", "app"]),
    scale_set=st.sampled_from([None, _SET]),
    managed_by=st.sampled_from(["", "AKS"]),
)


def policy_of(matches: list[Match]) -> Policy:
    rules = [Rule(name=f"rule {number}", match=match) for number, match in enumerate(matches)]
    return Policy(version=1, rules=rules)


def named(selector: Selector, subscription: str, listing: Subscriptions) -> bool | None:
    """Whether a subscription is one of those that the selector names; None: nobody knows."""
    listed, found = listing.get(subscription), set[bool | None]()
    for entry in map(str.lower, selector.subscriptions):
        if entry in _SUBSCRIPTIONS:
            found.add(entry == subscription)
        elif listed is None:
            found.add(None)
        elif entry.startswith("/"):
            inside = entry.rpartition("/")[2] in listed.groups
            found.add(True if inside else False if listed.whole else None)
        else:
            found.add(fits(listed.name, entry))
    return True if not found or True in found else None if None in found else False


def by_asking_each(policy: Policy, resource: ComputeResource, listing: Subscriptions) -> Rules:
    found = Rules([], [], [])
    where = resource.id.subscription
    types = [resource.id.type, *([SCALE_SET] if resource.scale_set else [])]
    for rule in policy.rules:
        match = rule.match
        kinds = resource.kind.split(",")
        if (
            any(one_of(type_, match.types) for type_ in types)
            and (not match.kinds or any(kind in kinds for kind in match.kinds))
            and selects(match, resource)
        ):
            left_out: bool | None = False
            if resource.managed_by:
                left_out = True
            elif is_given(match.exclude) and selects(match.exclude, resource):
                left_out = named(match.exclude, where, listing)
            its = named(match, where, listing)
            if its is not False and left_out:
                found.excluded.append(rule)
            elif its is not False:
                known = its is True and left_out is False
                (found.matching if known else found.undecided).append(rule)
    return found


@given(st.lists(_MATCHES, max_size=8), _RESOURCES, _LISTINGS)
@example([Match(types=[_SITE]), Match(types=[SCALE_SET])], resource(scale_set=_SET), {})
@example([Match(types=[_MACHINE], tags={"env": "*"})], resource(tags={"ENV": "x"}), {})
@example([Match(types=[_MACHINE], names=["v*m"])], resource(name="v"), {})
@example([Match(types=[_MACHINE], subscriptions=["shop-*"])], resource(), _LISTING)
@example([Match(types=[_MACHINE], subscriptions=["other", "x"])], resource(), {})
def test_the_rules_found_are_those_that_asking_each_finds(
    matches: list[Match], resource: ComputeResource, listing: Subscriptions
) -> None:
    policy = policy_of(matches).under(listing)
    assert rules_for(policy, resource) == by_asking_each(policy, resource, listing)


@given(st.lists(_PATTERNS, max_size=8), _NAMES.map(str.lower))
def test_what_fits_a_pattern_is_among_what_may_fit_in_its_order(
    patterns: list[str], name: str
) -> None:
    index = PatternIndex(([[[each.lower()]]], number) for number, each in enumerate(patterns))
    found = index.may_fit([[name]])
    assert found == sorted(set(found))
    assert {number for number, each in enumerate(patterns) if fits(name, each)} <= set(found)


def test_of_a_thousand_rules_those_few_are_asked_that_may_be_for_a_resource() -> None:
    # Neither type nor group nor tag alone tells them apart: each ends a hundred ways.
    matches = [
        Match(types=[type_], resource_groups=[f"rg-{group}-*"], tags={"team": f"t{team}"})
        for type_ in (_MACHINE, _SITE)
        for group in range(25)
        for team in range(20)
    ]
    more = [Match(types=[_MACHINE]), Match(types=[_MACHINE], names=["*-db"])]
    policy = policy_of([*matches, *more])
    found = policy.index.may_fit(
        resource("rg-7-x", "a-db", tags={"Team": "T9"}), [_MACHINE], policy.subscriptions
    )
    assert [rule.name for rule in found] == ["rule 149", "rule 1000", "rule 1001"]


def test_a_rule_with_hundreds_of_ways_to_fit_is_found_by_each() -> None:
    names, groups = [f"vm-{number}" for number in range(300)], [f"rg-{n}" for n in range(40)]
    rule = Match(types=[_MACHINE], names=names, resource_groups=groups)
    policy = policy_of([rule])
    assert all(rules_for(policy, resource(group, names[-1])).matching for group in groups)
    assert not rules_for(policy, resource("rg-40", "vm-1")).matching


def test_of_a_thousand_rules_for_subscriptions_those_few_are_asked_that_may_be_for_a_resource() -> (
    None
):
    each = [f"{_GROUP}/mg-{number}" for number in range(500)]
    named = [*each, *(f"sub-{number}-*" for number in range(500))]
    matches = [Match(types=[_MACHINE], subscriptions=[entry]) for entry in named]
    of = Subscription("sub-7-x", ("mg-9", "mg-1"), whole=True)
    policy = policy_of(matches).under({_SUBSCRIPTIONS[0]: of})
    found = policy.index.may_fit(resource(), [_MACHINE], policy.subscriptions)
    assert [rule.name for rule in found] == ["rule 1", "rule 9", "rule 507"]


@given(st.lists(_MATCHES, max_size=4), _RESOURCES, _LISTINGS)
def test_a_rule_for_its_type_is_for_a_resource_or_leaves_it_out_or_says_why_it_misses(
    matches: list[Match], machine: ComputeResource, listing: Subscriptions
) -> None:
    policy = policy_of(matches).under(listing)
    found = rules_for(policy, machine)
    not_missed = {rule.name for rules in found for rule in rules}
    types = {machine.id.type.lower(), *([SCALE_SET] if machine.scale_set else [])}
    of_type = {
        rule.name for rule in policy.rules if types & {type_.lower() for type_ in rule.match.types}
    }
    missed = nearest(policy, machine)
    assert {one.rule for one in missed} == of_type - not_missed
    assert [len(one.misses) for one in missed] == sorted(len(one.misses) for one in missed)
    assert all(excluded_because(rule, machine, policy.subscriptions) for rule in found.excluded)
