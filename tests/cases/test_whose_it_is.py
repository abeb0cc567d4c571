"""Cases of part A: what Lanyard attached once is somebody else's when they attach it again."""

import pytest

from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    delete,
    identity_id,
    look,
    pass_time,
    patch,
    sweep,
)
from tests.support.compute_examples import AUTOMATION, MACHINE, SITE, Example
from tests.support.estate import Estate

TYPES = pytest.mark.parametrize("made", [MACHINE, SITE], ids=str)
SEEN = pytest.mark.parametrize("lost", [False, True], ids=["event", "event lost"])
TAGS = {"env": "prod"}


async def begun_with(monkeypatch: pytest.MonkeyPatch, made: Example) -> tuple[Estate, ResourceId]:
    """A resource that has its identity by its tag."""
    policy = Rules(type=made.type, match="tags: {env: prod}", grace_minutes=10)
    estate = await begun(monkeypatch, policy, "id-old")
    resource = await create(estate, made, tags=TAGS)
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    await pass_time(estate, HOUR)
    return estate, resource


def block(estate: Estate) -> dict[str, object]:
    """The identity block of a resource to which a person attaches the shared identity."""
    shared = identity_id(estate.subscription, "id-old")
    return {"type": "UserAssigned", "userAssignedIdentities": {shared: {}}}


async def lose_events(estate: Estate) -> None:
    estate.new_events()


@TYPES
@SEEN
async def test_case_A07_an_attachment_that_was_seen_gone_is_theirs_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, made: Example, lost: bool
) -> None:
    estate, resource = await begun_with(monkeypatch, made)
    await patch(estate, resource, tags={}, identity={"type": "None"})
    if lost:
        await lose_events(estate)
        await sweep(estate)
    await pass_time(estate, 90 * 24 * HOUR)
    await patch(estate, resource, identity=block(estate))
    await pass_time(estate, HOUR)
    await sweep(estate)
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == ["id-old"]


@TYPES
async def test_case_A07_what_was_taken_right_after_it_was_attached_is_theirs_too(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    """While a replica of ARM may not show it yet; nothing is looked at until they attach it."""
    policy = Rules(type=made.type, match="tags: {env: prod}", grace_minutes=10)
    estate = await begun(monkeypatch, policy, "id-old")
    resource = await create(estate, made, tags=TAGS)
    await pass_time(estate, MINUTE)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={}, identity={"type": "None"})
    await pass_time(estate, 3 * MINUTE)
    await patch(estate, resource, identity=block(estate))
    await pass_time(estate, HOUR)
    await sweep(estate)
    assert attached(estate, resource) == ["id-old"]


@TYPES
async def test_case_A07_attached_again_while_a_rule_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    """What Lanyard puts back itself is still its own."""
    estate, resource = await begun_with(monkeypatch, made)
    await patch(estate, resource, identity={"type": "None"})
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={})
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == []


@TYPES
async def test_case_A08_a_resource_made_again_under_its_name_has_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    """Whether its delete event comes or not: a machine is known by its vmId."""
    estate, resource = await begun_with(monkeypatch, made)
    await delete(estate, resource)
    if made is MACHINE:
        await lose_events(estate)
    again = await create(estate, made, identity=block(estate))
    assert again == resource
    await pass_time(estate, 11 * MINUTE)
    await sweep(estate)
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == ["id-old"]


async def test_case_A08_an_account_that_shows_when_it_was_made_needs_no_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No look found it gone, and it has no stable id."""
    estate, account = await begun_with(monkeypatch, AUTOMATION)
    await delete(estate, account)
    estate.azure.clock.advance(30)
    again = await create(estate, AUTOMATION, identity=block(estate))
    await lose_events(estate)
    assert again == account
    await sweep(estate)
    await pass_time(estate, HOUR)
    assert attached(estate, account) == ["id-old"], "its template has it"


async def test_case_A08_its_end_was_seen_and_no_event_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site = await begun_with(monkeypatch, SITE)
    await delete(estate, site)
    await lose_events(estate)
    await sweep(estate)
    assert (await estate.ledger.resource(site)).life.missing
    await pass_time(estate, MINUTE / 2)
    await create(estate, SITE, identity=block(estate))
    await pass_time(estate, HOUR)
    await sweep(estate)
    await pass_time(estate, HOUR)
    assert attached(estate, site) == ["id-old"], "its template has it"


async def test_case_A08_a_replica_that_misses_it_once_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site = await begun_with(monkeypatch, SITE)
    missed = Fault(
        method="GET", path=f"/{site.name}$", status=404, code="ResourceNotFound", times=1
    )
    estate.azure.faults.add(missed)
    await look(estate, site)
    assert (await estate.ledger.resource(site)).life.missing
    await pass_time(estate, HOUR)
    await patch(estate, site, tags={})
    await pass_time(estate, HOUR)
    assert attached(estate, site) == [], "the same one, to which Lanyard attached it"


async def test_case_A08_a_machine_made_again_that_the_rule_is_for_is_served_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, resource = await begun_with(monkeypatch, MACHINE)
    await delete(estate, resource)
    await lose_events(estate)
    await create(estate, MACHINE, tags=TAGS)
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={})
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == [], "this one was attached by Lanyard"
