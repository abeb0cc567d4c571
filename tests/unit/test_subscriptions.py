"""Subscriptions that rules name by name or management group: what a listing makes of them."""

from dataclasses import replace

import pytest

from lanyard.planning.desired import Desired, desired
from lanyard.planning.needs import needs_grant, needs_identity
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy
from lanyard.policy.matching import rules_for
from lanyard.policy.named_subscriptions import subscription_problem
from lanyard.policy.unmet_names import changed, unmet
from lanyard.values.compute import ComputeResource, Identity, PrincipalRef, UserAssigned
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscription, Subscriptions, listing_of

ONE, TWO, THREE = (f"{n}1111111-1111-1111-1111-111111111111" for n in (1, 2, 3))
ROOT = "99999999-9999-9999-9999-999999999999"
GROUPS = "/providers/Microsoft.Management/managementGroups"
LISTING = listing_of(
    {
        ONE: Subscription("Shop Prod", ("prod", "landing", ROOT), True),
        TWO: Subscription("Shop Test", ("test", "landing", ROOT), True),
    }
)


def policy(match: str, more: str = "") -> Policy:
    return parse_policy(
        "lanyard.yaml",
        f"""
version: 1
mode: full
identities: {{regional: {{name: "id-{{location}}", resourceGroup: rg}}}}
rules:
  - name: a rule
    match: {{types: [Microsoft.Compute/virtualMachines], {match}}}
    attach: [regional]
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: regional}}]
{more}""",
    )


def machine(subscription: str = ONE) -> ComputeResource:
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    id_ = ResourceId.parse(f"{group}/providers/Microsoft.Compute/virtualMachines/vm1")
    return ComputeResource(id=id_, location="westeurope", tags={}, identity=Identity())


def answers(match: str, listing: Subscriptions = LISTING) -> list[bool | None]:
    """Whether the rule is for a machine of each subscription; None where nobody knows."""
    found: list[bool | None] = []
    for one in (ONE, TWO, THREE):
        rules = rules_for(policy(match).under(listing), machine(one))
        found.append(None if rules.undecided else bool(rules.matching))
    return found


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (f"[{ONE}]", [True, False, False]),
        (f"[{ONE.upper()}]", [True, False, False]),
        ("[shop prod]", [True, False, None]),
        ('["SHOP*"]', [True, True, None]),
        ('["*prod"]', [True, False, None]),
        (f'[{THREE}, "*test"]', [False, True, True]),
        (f"[{GROUPS}/Prod]", [True, False, None]),
        (f"[{GROUPS.lower()}/landing/]", [True, True, None]),
        (f"[{GROUPS}/other]", [False, False, None]),
        (f"[{GROUPS}/test, shop prod]", [True, True, None]),
    ],
)
def test_a_listing_shows_which_subscriptions_are_meant(
    entries: str, expected: list[bool | None]
) -> None:
    assert answers(f"subscriptions: {entries}") == expected


@pytest.mark.parametrize("entry", ["shop prod", '"*"', f"{GROUPS}/prod"])
def test_without_a_listing_nobody_knows(entry: str) -> None:
    assert answers(f"subscriptions: [{entry}]", {}) == [None, None, None]
    assert answers(f"exclude: {{subscriptions: [{entry}]}}", {}) == [None, None, None]


def test_an_id_needs_no_listing() -> None:
    assert answers(f"subscriptions: [{TWO}]", {}) == [False, True, False]
    assert answers(f"exclude: {{subscriptions: [{TWO}]}}", {}) == [True, False, True]


def test_a_name_that_two_have_means_neither_for_sure() -> None:
    """Whoever owns a subscription may give it the name of another one."""
    listing = listing_of({**LISTING, THREE: replace(LISTING[ONE], name="SHOP prod")})
    assert answers("subscriptions: [shop prod]", listing) == [None, False, None]
    assert answers('subscriptions: ["shop p*"]', listing) == [True, False, True]


def test_groups_that_are_shown_in_part_say_of_others_nothing() -> None:
    listing = {ONE: Subscription("a", ("prod",)), TWO: Subscription("b")}
    assert answers(f"subscriptions: [{GROUPS}/prod]", listing) == [True, None, None]
    assert answers(f"subscriptions: [{GROUPS}/landing]", listing) == [None, None, None]


def test_a_subscription_without_a_name_is_none_of_those_that_are_named() -> None:
    listing = listing_of({ONE: Subscription("", (ROOT,), True), TWO: Subscription("", (), True)})
    assert answers('subscriptions: ["*"]', listing) == [None, None, None]


def test_what_is_excluded_by_name_is_left_out() -> None:
    assert answers('exclude: {subscriptions: ["*test"]}') == [True, False, None]
    assert answers('exclude: {names: [other], subscriptions: ["*test"]}') == [True, True, True]


def test_what_is_excluded_anyway_asks_for_no_listing() -> None:
    rules = rules_for(policy("subscriptions: [x], exclude: {names: [vm1]}"), machine())
    assert (rules.matching, len(rules.excluded), rules.undecided) == ([], 1, [])


def wanted(match: str, listing: Subscriptions) -> Desired:
    return desired(policy(match).under(listing), machine())


def test_of_what_nobody_knows_nothing_is_given_and_nothing_taken() -> None:
    known, unknown = (wanted("subscriptions: [shop prod]", one) for one in (LISTING, {}))
    (identity,) = known.identities
    assert (unknown.identities, unknown.grants, unknown.system) == ({}, (), ())
    (grant,) = known.grants
    principals: dict[PrincipalRef, str] = {UserAssigned(identity): "p"}
    assert needs_identity(unknown, identity)
    assert needs_grant(unknown, machine(), principals, grant.granted("p"))
    (problem,) = unknown.unfulfillable
    assert problem.because is Because.SUBSCRIPTION
    assert unknown.kept.undecided == ("a rule",)
    assert unknown.kept.excluding == ()


def test_another_answer_is_another_policy() -> None:
    named = policy('subscriptions: ["*prod"]')
    renamed = listing_of({**LISTING, ONE: replace(LISTING[ONE], name="Shop Old")})
    digests = {named.under(each).digest for each in ({}, LISTING, renamed)}
    assert len(digests) == 3
    assert named.under(LISTING).digest == named.under(dict(LISTING)).digest


@pytest.mark.parametrize(
    "change",
    [
        {THREE: Subscription("New", (ROOT,), True)},  # not known before, and not meant now
        {ONE: Subscription("Shop Prod", ("test", ROOT), True)},
        {ONE: Subscription("Shop Prod", ("landing",))},
    ],
)
def test_where_a_subscription_is_decides_the_version(change: Subscriptions) -> None:
    named = policy(f"subscriptions: [{GROUPS}/prod]")
    assert named.under(LISTING).digest != named.under(listing_of({**LISTING, **change})).digest


def test_a_name_that_no_rule_asks_for_changes_nothing() -> None:
    renamed = listing_of({**LISTING, ONE: replace(LISTING[ONE], name="Other")})
    for match in (f"subscriptions: [{ONE}]", f"subscriptions: [{GROUPS}/prod]"):
        assert policy(match).under(LISTING).digest == policy(match).under(renamed).digest
    plain = policy("names: [a]")
    assert plain.under(LISTING) is plain


def test_modes_and_looks_ahead_keep_the_listing() -> None:
    under = policy("subscriptions: [shop prod]").under(LISTING)
    assert rules_for(under.all_full, machine()).matching
    assert rules_for(under.model_copy(update={"mode": "observe"}), machine()).matching


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("/subscriptions/x", "write the subscription's id alone"),
        (f"/subscriptions/{ONE}", "write the subscription's id alone"),
        (f"{GROUPS}/pro*", "without *"),
        (f"{GROUPS}/", "is no management group"),
        (f"{GROUPS}/a/b", "is no management group"),
        (f"{GROUPS}/a b", "is no management group"),
        ("/prod", "is no management group"),
        ("managementGroups/prod", "is no management group"),
    ],
)
def test_what_names_no_subscription_is_refused(entry: str, problem: str) -> None:
    assert problem in (subscription_problem(entry) or "")


def test_names_that_come_to_nothing_or_to_several_are_reported() -> None:
    listing = listing_of({**LISTING, THREE: Subscription("shop test")})
    names = f'["nobody", "x*", shop test, shop prod, {GROUPS}/prod, {GROUPS}/none, {ONE}]'
    found = list(unmet(policy(f"subscriptions: {names}").under(listing)))
    assert [each.partition(":")[0] for each in found] == [
        "no subscription that is listed has a name that fits 'nobody'",
        "no subscription that is listed has a name that fits 'x*'",
        "2 subscriptions are named 'shop test'",
        f"of 1 listed subscriptions ({THREE} …) it is not shown whether they are below the "
        "management group 'prod'",
        "no subscription that is listed is below the management group 'none'",
        f"of 1 listed subscriptions ({THREE} …) it is not shown whether they are below the "
        "management group 'none'",
    ]
    assert list(unmet(policy(f"subscriptions: [{ONE}]"))) == []
    (lost,) = unmet(policy("subscriptions: [a]"))
    assert "no listing of subscriptions is there" in lost


def test_what_a_new_listing_makes_of_a_policy_is_said_in_words() -> None:
    named = policy('subscriptions: ["*prod"]')
    after = listing_of({ONE: replace(LISTING[ONE], name="Shop Old"), THREE: Subscription("3 prod")})
    assert changed(named, LISTING, after) == (
        f"subscription {ONE} (Shop Old) is by now not '*prod', "
        f"subscription {TWO} is by now perhaps '*prod', "
        f"subscription {THREE} (3 prod) is by now '*prod'"
    )
    assert changed(named, LISTING, LISTING) == ""


def warned(first: str, second: str) -> bool:
    """Whether two rules may be for one resource, by a warning that needs that."""
    from lanyard.policy.overlaps import may_meet

    one, other = policy(first).rules[0].match, policy(second).rules[0].match
    assert may_meet(one, other) == may_meet(other, one)
    return may_meet(one, other)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ONE, TWO, False),
        (ONE, ONE, True),
        (ONE, "a", True),
        ("a", "b", False),
        ("a", '"a*"', True),
        (f"{GROUPS}/a", f"{GROUPS}/b", True),
    ],
)
def test_rules_meet_where_one_subscription_may_be_meant_by_both(
    first: str, second: str, expected: bool
) -> None:
    assert warned(f"subscriptions: [{first}]", f"subscriptions: [{second}]") is expected
