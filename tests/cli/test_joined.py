"""A management group whose subscriptions join by Azure Policy, from its first day to its last."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import Fault
from tests.support.desk import STORAGE, Desk, Ran
from tests.support.estate import BLOB_READER, POLICY
from tests.support.handlers import started
from tests.support.infra.joining import GROUP, JoiningEstate
from tests.support.watched import Onboarder, UnwatchedEstate

OK, ERROR, CHANGES = 0, 1, 2
PLACE = f"/providers/Microsoft.Management/managementGroups/{GROUP}"


class Joined(Onboarder):
    """Owner of the management group. A machine was made, and has its access."""

    def __init__(self, desk: Desk, estate: UnwatchedEstate) -> None:
        super().__init__(desk, estate)
        self.own(PLACE)
        self.before = self.everything()
        self.joining = JoiningEstate(POLICY, inside=estate)

    async def end(self, command: str, *arguments: str) -> Ran:
        app = self.estate.deployment
        more = ["--app-id", app.app_id, "--storage-id", app.storage_id]
        more += ["--app-principal", app.principal_id]
        more += ["--events-storage-id", self.joining.events]
        more += ["--storage", STORAGE] if command == "uninstall" else [self.estate.subscription]
        return await self.desk.lanyard(command, *arguments, *more)

    def everything(self) -> dict[str, Any]:
        """All that joining could have made."""
        return self.there() | {"policies": sorted(self.estate.platform.policies.found)}


@pytest.fixture
async def me(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Joined:
    estate = UnwatchedEstate()
    desk = Desk(tmp_path, monkeypatch, capsys, estate=estate)
    estate.platform.directory.grant_permission(desk.person.object_id)
    await started(estate, monkeypatch)
    await desk.started()
    made = Joined(desk, estate)
    await made.joining.join()
    await estate.create_vm("vm1")
    await estate.hear()
    return made


async def test_what_joined_is_served_and_uninstall_leaves_nothing(me: Joined) -> None:
    estate = me.estate
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    assert (BLOB_READER, me.desk.group) in [(role, at) for role, at, _ in estate.assignments()]
    ran = await me.end("uninstall", "--grants", "--attachments", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert f"management group {GROUP}" in ran.out
    assert await estate.identity_of("vm1") == {}
    assert me.everything() == me.before
    again = await me.end("uninstall", "--grants", "--attachments", "--yes")
    assert (again.err, again.code) == ("", OK)


async def test_a_dry_run_names_it_and_changes_nothing(me: Joined) -> None:
    before = me.everything()
    ran = await me.end("uninstall", "--dry-run", "--json")
    assert ran.code == CHANGES
    places = [each["subscription"] for each in json.loads(ran.out)["subscriptions"]]
    assert places[1:] == [PLACE, me.estate.subscription, PLACE]
    assert me.everything() == before


@pytest.mark.parametrize(
    "path",
    [
        "policyAssignments/lanyard-join$",
        "policyDefinitions/lanyard-join$",
        "eventSubscriptions/lanyard-writes$",
        "managementGroups/.*/roleAssignments/",
        "managementGroups/.*/roleDefinitions/",
        "rg-lanyard/.*/roleAssignments/",
        "rg-lanyard/.*/roleDefinitions/",
    ],
)
async def test_what_is_refused_is_named_and_a_second_run_finishes(me: Joined, path: str) -> None:
    fault = Fault(method="DELETE", path=path, status=403, code="AuthorizationFailed")
    me.estate.azure.faults.add(fault)
    ran = await me.end("uninstall", "--grants", "--attachments", "--yes")
    assert (ran.code, "you need the right" in ran.err) == (ERROR, True)
    # While a subscription is watched, the app's rights above stay: by them it is known.
    ran = await me.end("uninstall", "--grants", "--attachments", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.everything() == me.before


async def test_one_subscription_may_leave_and_what_is_above_it_is_named(me: Joined) -> None:
    ran = await me.end("offboard", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert f"kept: the app's rights at {PLACE}" in ran.out
    left = me.everything()
    assert (left["resources"], left["subscriptions"]) == ([], [])
    assert len(left["policies"]) == 2
    inside = [at for _, at in left["assignments"] if "/resourceGroups/rg-identities" in at]
    assert inside == []


async def test_the_policy_of_another_app_stays(me: Joined) -> None:
    policies: dict[str, Any] = me.estate.platform.policies.found
    (key,) = [each for each in policies if "policyassignments" in each]
    watch = policies[key]["properties"]["parameters"]["watch"]["value"]
    watch["installation"] = "1a57a11a-0000-4000-8000-000000000002"
    ran = await me.end("uninstall", "--yes")
    assert f"kept: {PLACE}" in ran.out
    assert len(policies) == 2
