"""What a scan makes of single facts, without Azure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lanyard.cli.scan.as_json import scan_as_json
from lanyard.cli.scan.page_sections import access
from lanyard.cli.scan.page_tables import assignment_table
from lanyard.cli.scan.words import Places, most_important_first
from lanyard.desk.scan.given import GivenByRules
from lanyard.desk.scan.holders import DirectoryAnswer, HolderKind
from lanyard.desk.scan.report import AGE_UNKNOWN, Estate, Scan, scope_level
from lanyard.desk.scan.scan import scan
from lanyard.planning.givers import grant_key
from lanyard.sweep.listings import Authorization
from lanyard.values.grants import Grant
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.permissions import RoleDefinition
from lanyard.values.shown import shown
from lanyard.values.stamps import stamp
from lanyard.values.subscriptions import Subscription

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
FACTORY = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.DataFactory/factories/df"
INSTALLATION = "22222222-2222-4222-8222-222222222222"
GONE, SYSTEM, HIDDEN = "gone", "system", "hidden"


def assignment(
    principal: str, role: str = READER, scope: str = SCOPE, created: str = ""
) -> ListedAssignment:
    made = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{principal}"
    return ListedAssignment(
        id=made,
        scope=scope,
        role_id=role,
        principal_id=principal,
        principal_type="ServicePrincipal",
        description="",
        created=created,
    )


def scanned(
    *assignments: ListedAssignment,
    resources: tuple[Listed, ...] = (),
    roles: tuple[ListedRole, ...] = (),
    directory: DirectoryAnswer | None = None,
) -> Scan:
    answer = directory or DirectoryAnswer(frozenset({GONE}), "canary")
    authorization = Authorization(assignments, {role.role_id: role for role in roles})
    return scan(Estate(NOW, {SUBSCRIPTION: Subscription("one")}, resources, authorization, answer))


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "under a week"),
        (6.9, "under a week"),
        (7, "1 to 4 weeks"),
        (30, "1 to 3 months"),
        (90, "3 to 12 months"),
        (365, "a year or more"),
        (-1, "under a week"),  # the clock of the desk is behind
    ],
)
def test_the_age_is_that_of_the_assignment(days: float, age: str) -> None:
    created = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    (orphan,) = scanned(assignment(GONE, created=created)).orphans
    assert orphan.age == age


@pytest.mark.parametrize("created", ["", "soon", "2026-10-01T00:00:00"])
def test_an_age_that_is_not_shown_is_not_made_up(created: str) -> None:
    found = scanned(assignment(GONE, created=created))
    assert found.orphans[0].age == AGE_UNKNOWN
    ages = scan_as_json(found, None, None)["orphans"]["byAge"]
    assert ages[-1] == {"age": AGE_UNKNOWN, "count": 1}


@pytest.mark.parametrize(
    ("scope", "level"),
    [
        ("/", "tenant root"),
        ("/providers/Microsoft.Management/managementGroups/mg", "management group"),
        (SCOPE, "subscription"),
        (f"{SCOPE}/resourceGroups/rg", "resource group"),
        (FACTORY, "resource"),
        (f"{FACTORY}/pipelines/p", "resource"),
    ],
)
def test_the_level_of_a_scope(scope: str, level: str) -> None:
    assert scope_level(scope) == level


def test_an_identity_of_any_resource_is_a_managed_one() -> None:
    """Not of compute alone; and an attached identity may lie where the reader cannot see."""
    factory = Listed(
        id=FACTORY,
        compute=None,
        attached=frozenset(),
        principals=frozenset({SYSTEM, HIDDEN}),
        own_principal=None,
        system_principal=SYSTEM,
    )
    rows = scanned(
        assignment(SYSTEM, CONTRIBUTOR), assignment(HIDDEN, CONTRIBUTOR), resources=(factory,)
    ).privileged
    assert [(row.holder.kind, row.holder.resource) for row in rows] == [
        (HolderKind.SYSTEM, FACTORY),
        (HolderKind.USER_ASSIGNED, ""),
    ]


def test_a_principal_that_a_resource_shows_is_no_orphan_whatever_the_directory_says() -> None:
    factory = Listed(
        id=FACTORY,
        compute=None,
        attached=frozenset(),
        principals=frozenset({GONE}),
        own_principal=None,
        system_principal=GONE,
    )
    assert scanned(assignment(GONE), resources=(factory,)).orphans == ()


def test_what_lies_above_subscriptions_is_counted_apart() -> None:
    group = "/providers/Microsoft.Management/managementGroups/mg"
    found = scanned(assignment("app", scope=group), assignment("app", scope="/"), assignment("app"))
    assert found.above == {HolderKind.APPLICATION: 2}
    assert [row.assignments for row in found.subscriptions] == [1]
    assert found.assignments == 3


def test_a_listed_role_has_the_name_that_it_is_given() -> None:
    role = ListedRole("custom", "Night Watch", RoleDefinition("custom", "Night Watch", ()))
    (orphan,) = scanned(assignment(GONE, "custom"), roles=(role,)).orphans
    assert (orphan.role, orphan.privileged) == ("Night Watch", "")


def test_the_privileged_come_first_and_the_widest_of_them_then_the_oldest() -> None:
    rows = [
        {"level": level, "privileged": why, "ageDays": days}
        for level, why, days in [
            ("subscription", None, 900),
            ("subscription", None, None),
            ("resource group", "can hand out rights", 1),
            ("tenant root", "can hand out rights", 1),
            ("subscription", None, 901),
        ]
    ]
    first = [(row["level"], row["ageDays"]) for row in most_important_first(rows)]
    assert first == [
        ("tenant root", 1),
        ("resource group", 1),
        ("subscription", 901),
        ("subscription", 900),
        ("subscription", None),
    ]


def test_places_are_named_with_their_subscription() -> None:
    places = Places({"subscriptions": [{"id": SUBSCRIPTION, "name": "payments"}]})
    assert places.full(SCOPE) == "payments"
    assert places.full(FACTORY) == "payments/rg/factories/df"
    assert places.full("/") == "/"


def test_what_acts_instead_of_being_seen_is_made_visible() -> None:
    assert shown("rg-Ärger 日本 ✓") == "rg-Ärger 日本 ✓"
    assert shown("a\x1b[2Jb\u202ec\nd\u200be") == "a�[2Jb�c�d�e"


CONDITION = "@Resource[name]\n StringEquals '<b>'"


def described(each: ListedAssignment, description: str, condition: str = "") -> ListedAssignment:
    return replace(each, description=description, condition=condition or None)


def test_a_role_that_holds_under_a_condition_shows_it() -> None:
    found = scanned(described(assignment(GONE, CONTRIBUTOR), "", CONDITION))
    document = scan_as_json(found, None, None)
    assert document["access"][0]["condition"] == CONDITION
    written = "only where @Resource[name] StringEquals &#x27;&lt;b&gt;&#x27;"
    assert written in access(document)
    assert "only where" not in access(scan_as_json(scanned(assignment(GONE)), None, None))


def test_access_is_found_by_the_whole_id_of_who_has_it_and_of_the_role() -> None:
    factory = Listed(
        id=FACTORY,
        compute=None,
        attached=frozenset(),
        principals=frozenset({SYSTEM}),
        own_principal=None,
        system_principal=SYSTEM,
    )
    page = access(scan_as_json(scanned(assignment(SYSTEM), resources=(factory,)), None, None))
    (found,) = re.findall('data-more="([^"]*)"', page)
    assert {FACTORY, READER, SYSTEM, SCOPE} <= set(found.split())


@pytest.mark.parametrize(
    ("description", "gave"), [("", []), (stamp(INSTALLATION), ["rule"]), ("theirs", [])]
)
def test_no_rule_gave_what_somebody_else_made(description: str, gave: list[str]) -> None:
    """Though a resource of Lanyard's is on record with it: it serves."""
    each = named(assignment(GONE), description)
    given = GivenByRules({grant_key(Grant(*each.content)): ("rule",)}, (), INSTALLATION)
    estate = Estate(
        NOW,
        {SUBSCRIPTION: Subscription("one")},
        (),
        Authorization((each,), {}),
        DirectoryAnswer(frozenset({GONE}), "canary"),
    )
    (row,) = scan_as_json(scan(estate, given=given), None, None)["access"]
    assert row["givenBy"] == gave


def named(each: ListedAssignment, description: str) -> ListedAssignment:
    """Under the name that Lanyard gives what it makes."""
    id_ = Grant(*each.content).assignment_id
    return replace(each, id=id_, description=description)


def test_the_name_of_a_subscription_is_shown_as_it_is() -> None:
    estate = Estate(
        NOW,
        {SUBSCRIPTION: Subscription("shop/prod")},
        (),
        Authorization((assignment(GONE),), {}),
        DirectoryAnswer(frozenset({GONE}), "canary"),
    )
    document = scan_as_json(scan(estate), None, None)
    table = assignment_table(document, "/orphans/assignments")
    assert "<b>shop/prod</b><small>subscription</small>" in table
