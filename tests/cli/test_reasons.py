"""What the commands go by is typed: no text that is made for people decides anything."""

from datetime import UTC, datetime

import pytest

from lanyard.desk.scan.report import Level, scope_level
from lanyard.policy.templates import scope_problem
from lanyard.record.decisions import Decision, Recorded, app_name
from lanyard.values.resource_id import InvalidResourceId, ResourceId
from tests.support.desk import Desk


def recorded(by: str) -> Recorded:
    return Recorded("1", datetime(2026, 11, 21, tzinfo=UTC), by, "", Decision("", "sweep", "done"))


def test_the_app_is_known_from_a_person_by_how_it_signs() -> None:
    assert recorded(app_name("2f0c1a34")).client_id == "2f0c1a34"
    assert recorded("app@example.com").client_id == ""


def test_an_id_that_is_refused_has_its_reason_beside_its_text() -> None:
    with pytest.raises(InvalidResourceId) as refused:
        ResourceId.parse("/subscriptions/shop is no resource id: at all")
    assert refused.value.reason == "the subscription is no GUID"


def test_a_template_that_is_no_scope_is_refused_with_the_reason_alone() -> None:
    assert scope_problem("/a is no resource id: b") == (
        "'/a is no resource id: b' is no scope: it does not start with /subscriptions/"
    )


@pytest.mark.parametrize(
    ("scope", "level"),
    [
        ("/", Level.ROOT),
        ("/providers/Microsoft.Management/managementGroups/contoso", Level.MANAGEMENT_GROUP),
        ("/subscriptions/1", Level.SUBSCRIPTION),
        ("/subscriptions/1/resourceGroups/g", Level.RESOURCE_GROUP),
        ("/subscriptions/1/resourceGroups/g/providers/a/b/c", Level.RESOURCE),
    ],
)
def test_how_wide_a_scope_is(scope: str, level: Level) -> None:
    assert scope_level(scope) is level


async def test_what_a_command_says_of_its_arguments_stays_as_it_was_raised(desk: Desk) -> None:
    ran = await desk.app("history", "--since", "Invalid value: 7")
    assert ran.err.startswith("lanyard: 'Invalid value: 7' is no time")
    ran = await desk.plan("--mode", "loud", "/subscriptions/1")
    assert "Invalid value for '--mode'" in ran.err
