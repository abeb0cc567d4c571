"""Rules that name subscriptions by name or management group: another listing is another policy, and
what nobody knows is neither given nor taken.
"""

from collections.abc import Callable

import pytest

from lanyard.app.listed_policy import ListedPolicy
from lanyard.app.policy_source import REFRESH
from lanyard.policy import Policy
from lanyard.record.subscription_listing import KeptListing
from lanyard.values.errors import Because
from simulator.faults import Fault
from simulator.state import Subscription
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

_GROUP = "/providers/Microsoft.Management/managementGroups/mg-prod"
_EXCLUDE = "exclude: {tags: {lanyard: ignore}}"


def naming(entry: str) -> str:
    return POLICY.replace(_EXCLUDE, f"subscriptions: [{entry}]")


class App:
    """An app whose sweeps list subscriptions. Its estate's own is `production`, in mg-prod."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.given = estate, estate.policy
        self.subscription.management_groups = ("mg-prod", "mg-all")
        self._policy = ListedPolicy(
            self,
            lambda: KeptListing(estate.tables.control),
            lambda: estate.services.index,
            lambda: estate.services.decisions,
            estate.azure.clock.now,
        )

    async def current(self) -> Policy:
        """As it is delivered."""
        return self.given

    @property
    def subscription(self) -> Subscription:
        return self.estate.azure.state.subscriptions[self.estate.subscription]

    async def relist(self) -> None:
        """What a sweep begins with."""
        self.estate.policy = await self._policy.relisted()
        self.estate.restart()

    async def sweep(self) -> None:
        await self.relist()
        await self.estate.sweeps.run()
        await self.estate.settle()

    async def a_minute_later(self) -> None:
        """What any instance goes by then."""
        self.estate.azure.clock.advance(REFRESH + 1)
        self.estate.policy = await self._policy.current()
        self.estate.restart()

    async def event(self, name: str = "vm1") -> None:
        await self.estate.create_vm(name, tags={"any": "event"})
        await self.estate.settle()

    async def held(self) -> list[Because]:
        return [each.refusal.because async for each in self.estate.services.held.all()]

    async def reports(self, action: str = "policy changed") -> list[str]:
        return [why for what, _, why in await self.estate.decisions() if what == action]


@pytest.fixture(params=["production", '"prod*"', _GROUP], ids=["name", "pattern", "group"])
async def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> App:
    """Its policy names the one subscription in either way; nothing is listed yet."""
    return App(await started(Estate(naming(request.param)), monkeypatch))


@pytest.fixture
async def at_work(app: App) -> App:
    """Two machines have access."""
    await app.sweep()
    await app.estate.create_vm("vm1")
    await app.estate.create_vm("vm2", location="northeurope")
    await app.sweep()
    assert len(app.estate.assignments()) == 2
    return app


async def test_before_the_first_sweep_nothing_is_given_and_that_is_on_the_list(app: App) -> None:
    await app.event()
    assert app.estate.assignments() == []
    assert await app.held() == [Because.SUBSCRIPTION]
    await app.sweep()
    assert len(app.estate.assignments()) == 1
    assert await app.held() == []
    assert await app.reports() == []


def renamed(app: App) -> None:
    app.subscription.display_name = "sandbox"


def moved(app: App) -> None:
    app.subscription.management_groups = ("mg-all",)


CHANGES = pytest.mark.parametrize(
    ("app", "change"),
    [("production", renamed), ('"prod*"', renamed), (_GROUP, moved)],
    indirect=["app"],
    ids=["name", "pattern", "group"],
)


@CHANGES
async def test_one_that_leaves_a_rule_is_a_changed_policy_and_reported_first(
    at_work: App, change: Callable[[App], None]
) -> None:
    before = at_work.estate.policy.digest
    change(at_work)
    await at_work.event()
    assert len(at_work.estate.assignments()) == 2  # by the listing that is kept
    await at_work.relist()
    assert at_work.estate.policy.digest != before
    (how,) = (await at_work.reports("subscriptions"))[1:]
    assert f"subscription {at_work.estate.subscription}" in how
    assert "is by now not" in how
    await at_work.event()
    assert len(at_work.estate.assignments()) == 2
    assert await at_work.held()
    await at_work.estate.sweeps.run()
    (report,) = await at_work.reports()
    assert at_work.estate.policy.digest in report
    assert "2 of 2 resources: 2 identities to detach, 2 roles to unassign" in report
    assert len(at_work.estate.assignments()) == 2
    await at_work.estate.settle()
    assert at_work.estate.assignments() == []


async def test_one_that_comes_back_in_time_loses_nothing(at_work: App) -> None:
    at_work.subscription.display_name = "sandbox"
    at_work.subscription.management_groups = ()
    await at_work.relist()
    await at_work.event()
    at_work.subscription.display_name = "production"
    at_work.subscription.management_groups = ("mg-prod", "mg-all")
    await at_work.sweep()
    assert len(at_work.estate.assignments()) == 2
    assert await at_work.held() == []


async def test_a_lost_listing_takes_nothing_and_gives_nothing(at_work: App) -> None:
    control = at_work.estate.tables.control
    for partition, key in [keys for keys in control.content if keys[0] == "subscriptions"]:
        await control.delete(partition, key)
    at_work.estate.azure.faults.add(
        Fault(method="POST", path="ResourceGraph", status=503, times=None)
    )
    await at_work.a_minute_later()
    await at_work.relist()
    await at_work.event()
    await at_work.event("vm3")
    assert len(at_work.estate.assignments()) == 2
    assert await at_work.estate.identity_of("vm3") == {}
    assert set(await at_work.held()) == {Because.SUBSCRIPTION}
    at_work.estate.azure.faults.clear()
    await at_work.sweep()
    assert len(at_work.estate.assignments()) == 2
    assert len(await at_work.estate.identity_of("vm3")) == 1
    assert await at_work.held() == []


async def test_where_nothing_can_be_listed_the_kept_listing_serves(at_work: App) -> None:
    before = at_work.estate.policy.digest
    fault = Fault(method="POST", path="ResourceGraph", status=503, times=None)
    at_work.estate.azure.faults.add(fault)
    await at_work.relist()
    await at_work.a_minute_later()
    assert at_work.estate.policy.digest == before


async def test_one_that_is_listed_no_more_keeps_what_it_has(at_work: App) -> None:
    listing = KeptListing(at_work.estate.tables.control)
    await listing.keep({})
    await at_work.a_minute_later()
    await at_work.event()
    assert len(at_work.estate.assignments()) == 2
    assert await at_work.held() == [Because.SUBSCRIPTION]


@pytest.mark.parametrize("app", ["production"], indirect=True)
async def test_whoever_gives_another_one_the_name_gets_nothing_and_takes_nothing(
    at_work: App,
) -> None:
    other = at_work.estate.azure.state.add_subscription("Production")
    at_work.estate.azure.assign(
        at_work.estate.app.object_id, "Reader", f"/subscriptions/{other.id}"
    )
    await at_work.sweep()
    await at_work.event()
    await at_work.event("vm3")
    assert len(at_work.estate.assignments()) == 2
    assert await at_work.estate.identity_of("vm3") == {}
    assert set(await at_work.held()) == {Because.SUBSCRIPTION}
    swept = [why for what, _, why in await at_work.estate.decisions() if what == "sweep"]
    assert "2 subscriptions are named 'production'" in swept[-1]


async def test_a_policy_that_names_none_lists_none(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(await started(Estate(POLICY), monkeypatch))
    app.estate.app_calls()
    await app.relist()
    await app.a_minute_later()
    assert app.estate.app_calls() == []
    assert app.estate.policy is app.given
