"""`lanyard onboard` makes just what infra/watch.bicep makes: the same resources, under the same
ids, with the same content. Whoever began with the one can go on with the other.
"""

import pytest

from lanyard.desk.onboarding.parts import Delivery
from tests.support.infra.bounded import needed
from tests.support.infra.watched import (
    HOME,
    POLICIES,
    app,
    by_bicep,
    by_command,
)

COUNTS = dict(zip(POLICIES, (8, 10, 10, 9, 10), strict=True))


@pytest.mark.parametrize("name", POLICIES)
def test_the_command_and_the_template_make_the_same(name: str) -> None:
    rights = needed(POLICIES[name])
    made = by_command(app(), rights)
    assert made == by_bicep(app(), rights)
    assert len(made) == COUNTS[name]


def test_without_an_identity_on_the_topic_there_are_no_dead_letters() -> None:
    rights = needed(POLICIES["observe"])
    without = by_command(app(topic_identity=False), rights)
    assert without == by_bicep(app(topic_identity=False), rights)
    made = {id_.rpartition("/")[2]: body for id_, (_, body) in without.items()}
    assert "identity" not in made["lanyard"]
    assert "lanyard-dead-letters" not in made
    for name in ("lanyard-writes", "lanyard-deletes"):
        assert "deadLetterWithResourceIdentity" not in made[name]["properties"]
    assert len(without) == COUNTS["observe"] - 2


def test_they_do_so_where_nobody_is_told_of_dead_letters() -> None:
    rights = needed(POLICIES["observe"])
    assert by_command(app(""), rights) == by_bicep(app(""), rights)


@pytest.mark.parametrize("account", ["", f"{HOME}/providers/Microsoft.Storage/storageAccounts/q"])
def test_they_do_so_where_the_events_come_by_queue(account: str) -> None:
    rights = needed(POLICIES["observe"])
    by_queue = app(delivery=Delivery.QUEUE, events_storage_id=account)
    made = by_command(by_queue, rights)
    assert made == by_bicep(by_queue, rights)
    assert len(made) == len(by_command(app(), rights)) + 1


def test_a_difference_would_be_found() -> None:
    rights = needed(POLICIES["observe"])
    assert by_command(app(""), rights) != by_bicep(app(), rights)
