"""Ids, names and patterns are compared in any case and by no letter more: what Python takes for a
"k" in lower case is another letter to Azure, and anybody may name a resource group with it.
"""

import pytest

from lanyard.planning.desired import Desired, WantedGrant, desired
from lanyard.planning.orphans import Facts, orphan
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.policy import Policy, PolicyError
from lanyard.policy.load import parse_policy
from lanyard.policy.patterns import fits, has_tags
from lanyard.policy.privileged import is_allowed
from lanyard.ports.tables import key_of
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource, Identity, UserAssigned
from lanyard.values.compute_types import compute_type
from lanyard.values.grants import Grant, RoleAssignment, Standing, State
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import ResourceId, folded, is_guid, is_within
from lanyard.values.roles import role_id
from tests.support.examples import READER, SUBSCRIPTION, VM_TYPE, identity_id

KELVIN, ANGSTROM, LONG_S, DOTTED_I, SHARP_S = "\u212a", "\u212b", "\u017f", "\u0130", "\u1e9e"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#: How a group is named, and one that Azure takes for another.
LOOKALIKES = [
    pytest.param("rg-k", f"rg-{KELVIN}", id="case_B10-kelvin"),
    pytest.param("rg-å", f"rg-{ANGSTROM}", id="case_B10-angstrom"),
    pytest.param("rg-s", f"rg-{LONG_S}", id="case_B10-long-s"),
    pytest.param("rg-i", f"rg-{DOTTED_I}", id="case_B10-dotted-i"),
    pytest.param("rg-ß", f"rg-{SHARP_S}", id="case_B10-sharp-s"),
    pytest.param("rg-ss", "rg-ß", id="case_B10-ss"),
]
#: The same group in another case.
SPELLINGS = [
    pytest.param("rg-k", "RG-K", id="case_B10-ascii"),
    pytest.param("rg-ä", "RG-Ä", id="case_B10-umlaut"),
    pytest.param("rg-я", "RG-Я", id="case_B10-cyrillic"),
    pytest.param("rg-ß", "RG-ß", id="case_B10-sharp-s-has-no-capital"),
]
lookalikes = pytest.mark.parametrize(("plain", "other"), LOOKALIKES)
spellings = pytest.mark.parametrize(("plain", "other"), SPELLINGS)


def group(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


def machine(in_group: str, tags: dict[str, str] | None = None) -> ComputeResource:
    id_ = ResourceId.parse(f"{group(in_group)}/providers/{VM_TYPE}/vm1")
    return ComputeResource(id=id_, location="westeurope", tags=tags or {}, identity=Identity())


def rules(match: str) -> Policy:
    rule = f"{{name: one, match: {{types: [{VM_TYPE}], {match}}}, system: true}}"
    return parse_policy("lanyard.yaml", f"version: 1\nrules: [{rule}]\n")


def matches(match: str, resource: ComputeResource) -> bool:
    return bool(desired(rules(match), resource).system)


def listing(scope: str) -> ListedAssignment:
    return ListedAssignment(
        id=f"{scope}/x",
        scope=scope,
        role_id=READER,
        principal_id="p-1",
        principal_type="ServicePrincipal",
        description="",
        created="",
    )


def assignment(scope: str) -> RoleAssignment:
    return RoleAssignment(f"{scope}/x", scope, READER, "p-1", "", {})


FIELDS = pytest.mark.parametrize(
    "field",
    [
        pytest.param("scopes: ['{scope}']", id="scope"),
        pytest.param("scopes: ['{scope}*']", id="scope-pattern"),
        pytest.param("resourceGroups: ['{name}']", id="group"),
        pytest.param("resourceGroups: ['*{name}']", id="group-pattern"),
        pytest.param("tags: {{team: '{name}'}}", id="tag-value"),
        pytest.param("tags: {{'{name}': '*'}}", id="tag-name"),
    ],
)


@FIELDS
@lookalikes
def test_a_rule_does_not_match_a_group_that_is_another(plain: str, other: str, field: str) -> None:
    match = field.format(scope=group(plain), name=plain)
    assert matches(match, machine(plain, {"team": plain, plain: "x"}))
    assert not matches(match, machine(other, {"team": other, other: "x"}))


@FIELDS
@spellings
def test_a_rule_matches_the_group_in_any_case(plain: str, other: str, field: str) -> None:
    match = field.format(scope=group(plain), name=plain)
    assert matches(match, machine(other, {"team": other, other: "x"}))


@FIELDS
@lookalikes
def test_exclude_leaves_no_other_group_out(plain: str, other: str, field: str) -> None:
    match = f"exclude: {{{field.format(scope=group(plain), name=plain)}}}"
    assert not matches(match, machine(plain, {"team": plain, plain: "x"}))
    assert matches(match, machine(other, {"team": other, other: "x"}))


@lookalikes
def test_a_privileged_role_is_allowed_in_no_other_group(plain: str, other: str) -> None:
    allow = f"privileged: {{allow: [{{role: Owner, scopes: ['{group(plain)}']}}]}}"
    privileged = parse_policy("lanyard.yaml", f"version: 1\n{allow}\n").privileged
    assert is_allowed(OWNER, f"{group(plain)}/providers/x", privileged)
    assert not is_allowed(OWNER, group(other), privileged)


@spellings
def test_a_privileged_role_is_allowed_in_any_case_of_the_group(plain: str, other: str) -> None:
    allow = f"privileged: {{allow: [{{role: Owner, scopes: ['{group(plain)}']}}]}}"
    privileged = parse_policy("lanyard.yaml", f"version: 1\n{allow}\n").privileged
    assert is_allowed(OWNER, group(other), privileged)


@lookalikes
def test_a_rule_that_excludes_another_group_can_match(plain: str, other: str) -> None:
    assert rules(f"resourceGroups: ['{plain}'], exclude: {{resourceGroups: ['{other}']}}")
    assert rules(f"tags: {{team: '{plain}'}}, exclude: {{tags: {{team: '{other}'}}}}")
    assert rules(f"tags: {{'{plain}': a, '{other}': b}}")


@lookalikes
def test_a_rule_for_a_group_outside_its_scopes_never_matches(plain: str, other: str) -> None:
    with pytest.raises(PolicyError, match="none of these groups is within its scopes"):
        rules(f"scopes: ['{group(plain)}'], resourceGroups: ['{other}']")


@lookalikes
def test_identities_in_two_groups_do_not_contradict(plain: str, other: str) -> None:
    text = (
        "version: 1\nidentities:\n"
        f"  one: {{name: 'id-{{location}}', resourceGroup: '{plain}'}}\n"
        f"  two: {{name: 'id-{{location}}', resourceGroup: '{{}}'}}\n"
    )
    assert len(parse_policy("lanyard.yaml", text.replace("'{}'", f"'{other}'")).identities) == 2
    with pytest.raises(PolicyError, match="are the same identity"):
        parse_policy("lanyard.yaml", text.replace("'{}'", f"'{plain.replace('rg', 'RG')}'"))


@lookalikes
def test_an_assignment_in_another_group_is_another(plain: str, other: str) -> None:
    wanted = Grant(group(plain), READER, "p-1")
    elsewhere = Grant(group(other), READER, "p-1")
    assert assignment(group(plain)).carries(wanted)
    assert not assignment(group(other)).carries(wanted)
    assert wanted.content != elsewhere.content
    assert wanted.name != elsewhere.name
    listed = listing(group(other))
    assert listed.content == elsewhere.content


@spellings
def test_an_assignment_is_the_same_in_any_case_of_its_scope(plain: str, other: str) -> None:
    grant = Grant(group(plain), READER, "p-1")
    assert assignment(group(other)).carries(grant)
    assert Grant(group(other), READER, "p-1").name == grant.name


@lookalikes
def test_a_grant_in_another_group_does_not_serve(plain: str, other: str) -> None:
    to = UserAssigned(identity_id())
    resource = machine(plain)
    wanted = Desired(grants=(WantedGrant(group(plain), READER, to, ("one",)),))
    actual = Actual(resource, {to: "p-1"})
    owned = Owned(grants=frozenset({Grant(group(other), READER, "p-1")}))
    kinds = [type(action).__name__ for action in plan(wanted, actual, owned).actions]
    assert kinds == ["AssignRole", "ReleaseGrant"]


@lookalikes
def test_what_a_person_keeps_protects_no_assignment_of_another_group(
    plain: str, other: str
) -> None:
    scope = group(other)
    listed = listing(scope)
    kept = Standing(Grant(group(plain), READER, "p-1"), State.ACTIVE, (), kept=True, ours=True)
    facts = Facts(
        unknown=frozenset({"p-1"}),
        owners={},
        standing={kept.grant.name: kept},
        stamped=frozenset(),
        missing=frozenset(),
        recorded=frozenset(),
    )
    found = orphan(listed, facts, Policy(version=1))
    assert found is not None
    assert found.assignment == listed


@lookalikes
def test_changes_and_rows_of_two_groups_never_meet(plain: str, other: str) -> None:
    one, two = machine(plain).id, machine(other).id
    assert one != two
    assert Change(one, "event") != Change(two, "event")
    assert one.key != two.key
    assert key_of(one.text) != key_of(two.text)
    assert not two.within(ResourceId.parse(group(plain)))
    assert not is_within(two.text, group(plain))


@spellings
def test_changes_and_rows_of_one_group_meet_in_any_case(plain: str, other: str) -> None:
    one, two = machine(plain).id, machine(other).id
    assert Change(one, "event") == Change(two, "event")
    assert key_of(one.text) == key_of(two.text)
    assert is_within(two.text, group(plain))


def test_case_B10_words_of_azure_are_no_other_words() -> None:
    assert compute_type(f"Microsoft.Compute/dis{KELVIN}s") is None
    assert role_id(f"{KELVIN}ey Vault Reader") is None
    assert not is_guid(SUBSCRIPTION.replace("1", "\uff11", 1))
    for kind in (f"sub{LONG_S}criptions", f"subscript{DOTTED_I}ons"):
        with pytest.raises(PolicyError, match="is no scope"):
            rules(f"scopes: ['/{kind}/{SUBSCRIPTION}']")
    with pytest.raises(PolicyError, match="is no location"):
        rules(f"locations: [norway{KELVIN}]")


def test_everything_is_above_by_the_root_and_nothing_by_half_a_name() -> None:
    assert is_within(group("rg-app"), "/")
    assert is_within(group("rg-app").upper(), f"/subscriptions/{SUBSCRIPTION}/")
    assert not is_within(group("rg-app2"), group("rg-app"))
    assert not is_within("/", group("rg-app"))


def test_a_pattern_reaches_over_a_whole_name() -> None:
    assert fits("rg-app-1", "RG-*")
    assert not fits("my-rg-app", "rg-*")
    assert has_tags({"Env": "Prod"}, {"env": "*"})
    assert not has_tags({}, {"env": "*"})


def test_case_B10_folding_takes_no_letter_for_an_ascii_one() -> None:
    assert [code for code in range(0x80, 0x11_0000) if folded(chr(code)).isascii()] == []


@pytest.mark.parametrize("letter", [KELVIN, ANGSTROM, LONG_S, DOTTED_I, SHARP_S, "\u2126"])
def test_case_B10_folding_leaves_a_letter_that_stands_for_another(letter: str) -> None:
    assert folded(letter) == letter
