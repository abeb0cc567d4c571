"""What the commands make of rules that name subscriptions by name or management group."""

import json
from typing import Any

import pytest

from lanyard.policy.load import parse_policy
from lanyard.record.subscription_listing import KeptListing
from lanyard.values.subscriptions import Subscription, Subscriptions
from tests.support.desk import Desk
from tests.support.estate import POLICY

OK, ERROR, CHANGES, LOST = 0, 1, 2, 2
NOBODY = "no subscription that is listed has a name that fits 'nobody'"
NO_LISTING = "no listing of subscriptions is there"


def naming(entry: str) -> str:
    return POLICY.replace("exclude: {tags: {lanyard: ignore}}", f"subscriptions: [{entry}]")


def listing(desk: Desk) -> Subscriptions:
    return {desk.estate.subscription: Subscription("production", ("root",))}


@pytest.fixture
async def app(desk: Desk) -> Desk:
    """A machine with access, an app that has swept, and a person who sees what it sees."""
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.estate.create_vm("vm1")
    await desk.started()
    desk.write_policy(naming("production"))
    return desk


async def as_json(desk: Desk, *arguments: str) -> dict[str, Any]:
    ran = await desk.app(*arguments, "--policy", str(desk.policy), "--json")
    return dict(json.loads(ran.out))


async def test_a_plan_goes_by_what_is_listed(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    desk.write_policy(naming("PRODUCTION"))
    assert (await desk.plan(vm.text)).code == CHANGES
    desk.write_policy(naming("nobody"))
    ran = await desk.plan(vm.text)
    assert ran.code == OK
    assert NOBODY in ran.lines
    desk.calls()
    desk.write_policy(naming(desk.estate.subscription))
    assert (await desk.plan(vm.text)).code == CHANGES
    assert not any("resources" in call for call in desk.calls() if "POST" in call)


async def test_a_plan_of_an_app_goes_by_the_listing_that_it_keeps(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    found = await as_json(app, "plan", vm.text)
    assert NO_LISTING in found["subscriptionNotes"][0]
    (resource,) = found["resources"]
    assert resource["actions"] == []
    assert "is not known" in resource["impossible"][0]["reason"]
    await KeptListing(app.estate.tables.control).keep(listing(app))
    found = await as_json(app, "plan", vm.text)
    assert (found["subscriptionNotes"], found["resources"][0]["impossible"]) == ([], [])


async def test_a_sweep_from_a_desk_is_under_the_version_of_the_app(app: Desk) -> None:
    found = await as_json(app, "sweep", "--dry-run")
    assert NO_LISTING in found["subscriptionNotes"][0]
    kept = listing(app)
    await KeptListing(app.estate.tables.control).keep(kept)
    found = await as_json(app, "sweep", "--dry-run")
    assert found["subscriptionNotes"] == []
    policy = parse_policy("lanyard.yaml", naming("production"))
    assert found["policy"] == policy.under(kept).digest != policy.digest


async def test_a_doctor_says_what_is_odd_and_what_the_app_does_not_know_yet(app: Desk) -> None:
    async def findings() -> list[tuple[str, str]]:
        found = (await as_json(app, "doctor"))["findings"]
        return [(f["state"], f["message"]) for f in found if f["check"] == "subscriptions"]

    unlisted, older = await findings()
    assert (unlisted[0], NO_LISTING in unlisted[1]) == ("warning", True)
    assert (older[0], "goes by an older listing" in older[1]) == ("warning", True)
    kept = KeptListing(app.estate.tables.control)
    await kept.keep(listing(app))
    assert [state for state, _ in await findings()] == ["ok"]
    app.write_policy(naming("nobody"))
    assert ("warning", NOBODY) in await findings()
    app.write_policy(POLICY)
    assert await findings() == []


async def test_explain_says_that_a_rule_may_be_for_it(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    found = await as_json(app, "explain", vm.text)
    assert [rule["name"] for rule in found["undecided"]] == ["machines read blobs"]
    assert found["excludedBy"] == []
    (assignment,) = found["assignments"]
    assert "whose name or management groups are not known" in assignment["toGo"][0]
    ran = await app.app("explain", vm.text, "--policy", str(app.policy))
    assert any("it keeps what it has, and gets nothing new" in line for line in ran.lines)


async def test_diff_and_scan_go_by_what_they_read(app: Desk) -> None:
    app.estate.azure.assign(app.person.object_id, "Reader", "/")
    old = app.policy.parent / "old.yaml"
    old.write_text(naming("production"))
    app.write_policy(naming("nobody"))
    ran = await app.lanyard("diff", str(old), str(app.policy))
    assert ran.code == LOST
    assert f"roll-out: {NOBODY}" in ran.lines
    ran = await app.lanyard("diff", str(app.policy), str(old))
    assert ran.code == OK
    saved = app.policy.parent / "estate.json"
    ran = await app.lanyard("scan", "--policy", str(app.policy), "--save", str(saved))
    assert f"  {NOBODY}" in ran.lines
    ran = await app.lanyard("diff", str(old), str(app.policy), "--estate", str(saved))
    assert ran.code == LOST
