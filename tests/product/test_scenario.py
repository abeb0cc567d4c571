"""A whole estate with everything that can go wrong in it: 3 subscriptions, 400 resources, more role
assignments than a page holds, orphans of each kind, and as many assignments that look like orphans
and are none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from azure.mgmt.compute.aio import ComputeManagementClient

from lanyard.planning.orphans import OrphanKind
from lanyard.sweep.sweep import Sweep
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import ResourceGraphAnswer
from simulator.directory.models import Answer
from simulator.faults import Fault
from simulator.seeding import Contents, Sizes, fill
from simulator.state import RoleDefinition
from tests.support.estate import Estate
from tests.support.handlers import started

DAY = 86400.0
OF_EACH_KIND = 60
OF_EACH_LOOK = 20  # assignments that look like orphans
LIVING = 20  # machines that keep what Lanyard gave them
IN_ALL = 1200

POLICY = """
version: 1
mode: full
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-000}
rules:
  - name: marked machines read themselves
    match: {types: [Microsoft.Compute/virtualMachines], tags: {reads: itself}}
    attach: [regional]
    imdsDefault: accept
    grant: [{role: Reader, scope: "{resource}", to: regional}]
orphans: {graceMinutes: 0, remove: all}
limits: {removals: {perHour: 100000, percent: 100, graceMinutes: 0}}
"""
SIZES = Sizes(
    subscriptions=3,
    groups=10,
    machines=280,
    web_apps=112,
    identities=40,
    system_assigned=0.25,
    user_assigned=0.25,
    assignments=200,
    unknown=OF_EACH_KIND,
    user_assignments=OF_EACH_LOOK,
    group_assignments=OF_EACH_LOOK,
)


@dataclass
class Scenario:
    """The estate, and which of its assignments (lower-case ids) are to go, by kind."""

    estate: Estate
    made: Contents
    unclaimed: set[str] = field(default_factory=set)
    departed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    @property
    def state(self) -> dict[str, str]:
        """Every assignment that stands, with its principal."""
        assignments = self.estate.azure.state.role_assignments.values()
        return {a.id.lower(): a.principal_id for a in assignments}

    async def build(self) -> None:
        self._give_rights()
        machines = [self.estate.azure.state.resources[one.lower()] for one in self.made.machines]
        plain = [one.id for one in machines if not _system_principal(one.identity)]
        with_system = [one.id for one in machines if _system_principal(one.identity)]
        kept, dying = plain[:LIVING], plain[LIVING : LIVING + OF_EACH_KIND]
        leaving = with_system[: OF_EACH_KIND // 2]
        before = set(self.state)
        for one in kept + dying:
            self.estate.azure.state.resources[one.lower()].tags["reads"] = "itself"
        for one in [*kept, *dying, *leaving]:
            await self.estate.worker.process(Change(ResourceId.parse(one), "event"))
        ours = set(self.state) - before
        self.unclaimed = {a for a in ours if any(a.startswith(one.lower()) for one in dying)}
        self._give_to(leaving)
        self._add_look_alikes()
        self.unknown = {a.id.lower() for a in self.made.unknown}
        self._fill_up()
        await self._delete([*dying, *leaving])
        self.estate.new_events()  # all of them are lost
        self.estate.azure.clock.advance(2 * DAY)

    def _give_rights(self) -> None:
        azure, app = self.estate.azure, self.estate.app.object_id
        (role,) = [
            one
            for one in azure.state.role_definitions.values()
            if isinstance(one, RoleDefinition) and one.role_name == "Lanyard"
        ]
        for one in self.made.subscriptions:
            scope = f"/subscriptions/{one}"
            azure.state.role_definitions[role.guid] = replace(
                azure.state.role_definitions[role.guid],
                assignable_scopes=[
                    *azure.state.role_definitions[role.guid].assignable_scopes,
                    scope,
                ],
            )
            azure.assign(app, role.guid, scope)
            azure.assign(app, "Role Based Access Control Administrator", scope)
            azure.assign(self.estate.operator.object_id, "Owner", scope)

    def _give_to(self, leaving: list[str]) -> None:
        """Others' assignments to the machines' own identities, up to the wanted number."""
        azure = self.estate.azure
        principals = [
            str(_system_principal(azure.state.resources[one.lower()].identity)) for one in leaving
        ]
        held = {a for a, principal in self.state.items() if principal in set(principals)}
        turns = iter((role, p) for role in ("AcrPull", "Contributor") for p in principals)
        while len(held) < OF_EACH_KIND:
            role, principal = next(turns)
            held.add(azure.assign(principal, role, self.made.groups[0]).id.lower())
        self.departed = held

    def _add_look_alikes(self) -> None:
        """Beside people's and groups': other tools' assignments that use our words, live
        applications that no resource shows, and deleted ones that can still be restored.
        """
        azure, groups = self.estate.azure, self.made.groups
        for number in range(OF_EACH_LOOK):
            principal = azure.state.add_principal(f"id-lanyard-copy-{number}")
            scope = groups[number % len(groups)]
            azure.assign(principal.object_id, "Reader", scope, description="Managed by Lanyard")
            application = azure.state.add_principal(f"application-{number}")
            azure.assign(application.object_id, "Contributor", scope)
            binned = azure.state.add_principal(f"restorable-{number}")
            azure.assign(binned.object_id, "Contributor", scope)
            azure.state.delete_principal(binned.object_id)
        for assignment in self.made.user_assignments[::2]:
            azure.state.delete_principal(assignment.principal_id)

    def _fill_up(self) -> None:
        """With the living's, to the wanted number."""
        principal = self.estate.azure.state.add_principal("busy")
        turns = (
            (role, group)
            for role in ("Reader", "AcrPull", "Contributor", "Monitoring Metrics Publisher")
            for group in [*self.made.groups, *self.made.machines]
        )
        while len(self.estate.azure.state.role_assignments) < IN_ALL:
            role, scope = next(turns)
            self.estate.azure.assign(principal.object_id, role, scope)

    async def _delete(self, machines: list[str]) -> None:
        clients = {
            one: ComputeManagementClient(
                subscription_id=one,
                **self.estate.azure.client_options(self.estate.operator),
            )
            for one in self.made.subscriptions
        }
        for text in machines:
            one = ResourceId.parse(text)
            poller = await clients[one.subscription].virtual_machines.begin_delete(
                one.resource_group, one.name, polling_interval=1
            )
            await poller.result()


def _system_principal(identity: dict[str, object] | None) -> object:
    return (identity or {}).get("principalId")


@pytest.fixture
async def scenario(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    estate = await started(Estate(POLICY), monkeypatch)
    made = Scenario(estate, fill(estate.azure, SIZES))
    await made.build()
    return made


@dataclass(frozen=True)
class Broken:
    """A fault, how it is put right again, and a word of the reason that the run must give."""

    name: str
    strike: Callable[[Estate], None]
    mend: Callable[[Estate], None]
    reason: str


def _graph(answer: ResourceGraphAnswer) -> Callable[[Estate], None]:
    def strike(estate: Estate) -> None:
        estate.azure.behaviour.resource_graph_answer = answer

    return strike


def _listed_again(estate: Estate) -> None:
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL


def _answer(answer: Answer) -> Callable[[Estate], None]:
    def strike(estate: Estate) -> None:
        estate.platform.directory.behaviour.answer = answer

    return strike


def _faults_end(estate: Estate) -> None:
    estate.azure.faults.clear()


def broken() -> Iterator[Broken]:
    """Every way in which a listing can fail to tell."""
    for answer in ("TRUNCATED", "HALF", "HALF_UNTOLD", "EMPTY", "EXPIRED_TOKEN", "TIMEOUT"):
        yield Broken(answer, _graph(ResourceGraphAnswer[answer]), _listed_again, "")
    yield Broken("DENIED", _graph(ResourceGraphAnswer.DENIED), _listed_again, "")
    yield Broken("503", lambda estate: _fail(estate, "ResourceGraph"), _faults_end, "")


def doubted() -> Iterator[Broken]:
    """Every way in which the directory can fail to tell: the rest is done without it."""
    full = _answer(Answer.FULL)
    yield Broken("an empty directory", _answer(Answer.EMPTY), full, "does not return")
    yield Broken("half a directory", _answer(Answer.HALF), full, "")
    yield Broken(
        "a hidden canary",
        lambda e: e.platform.directory.behaviour.hidden.add(e.app.object_id),
        lambda e: e.platform.directory.behaviour.hidden.discard(e.app.object_id),
        "does not return",
    )
    yield Broken("503", lambda estate: _fail(estate, "getByIds"), _faults_end, "")


def _fail(estate: Estate, path: str) -> None:
    estate.azure.faults.add(Fault(method="POST", path=path, status=503, times=None))


async def work_twice(estate: Estate) -> None:
    """What is missing is looked at again a minute later, before it counts as gone."""
    for _ in range(2):
        messages, estate.queue.messages = estate.queue.messages, []
        for change, _ in messages:
            await estate.worker.process(change)
        estate.azure.clock.advance(61)


@pytest.mark.timeout(240)
async def test_exactly_the_orphans_go_and_none_while_anything_cannot_be_read(
    scenario: Scenario,
) -> None:
    estate, before = scenario.estate, scenario.state
    assert len(before) == IN_ALL
    kinds = {
        OrphanKind.UNCLAIMED: scenario.unclaimed,
        OrphanKind.DEPARTED: scenario.departed,
        OrphanKind.UNKNOWN: scenario.unknown,
    }
    assert {kind: len(found) for kind, found in kinds.items()} == dict.fromkeys(kinds, OF_EACH_KIND)

    for fault in broken():
        fault.strike(estate)
        told = len(await estate.decisions())
        with pytest.raises((Temporary, Permanent)):
            await estate.sweeps.run()
        ((action, outcome, reason),) = (await estate.decisions())[told:]
        assert (action, outcome) == ("sweep", "failed"), fault.name
        assert fault.reason in reason, fault.name
        assert "removes nothing" in reason
        assert estate.queue.messages == [], fault.name
        assert scenario.state == before, fault.name
        fault.mend(estate)

    for fault in doubted():
        fault.strike(estate)
        report = await Sweep(estate.policy, estate.services).run()
        assert fault.reason in report.no_directory, fault.name
        assert report.no_directory, fault.name
        kinds_found = {each.kind for each in report.orphans}
        assert OrphanKind.UNKNOWN not in kinds_found, fault.name
        fault.mend(estate)

    report = await Sweep(estate.policy, estate.services).run()
    restorable = {o.assignment.principal_id for o in report.orphans} - {
        before[each] for found in kinds.values() for each in found
    }
    assert len(restorable) == OF_EACH_LOOK  # reported, and kept: they can be restored
    for kind, expected in kinds.items():
        found = {
            o.assignment.id.lower()
            for o in report.orphans
            if o.kind is kind and o.assignment.principal_id not in restorable
        }
        assert found == expected
        assert all(o.evidence for o in report.orphans)

    await estate.sweeps.run()
    await work_twice(estate)
    gone = before.keys() - scenario.state.keys()
    assert gone == scenario.unclaimed | scenario.departed | scenario.unknown
    assert scenario.state.keys() <= before.keys()


@pytest.mark.timeout(240)
async def test_without_the_right_to_read_the_directory_only_what_is_lanyards_own_goes(
    scenario: Scenario,
) -> None:
    """The permission is optional: what needs no second source is done without it."""
    estate, before = scenario.estate, scenario.state
    estate.platform.directory.revoke_permissions(estate.app.object_id)
    report = await estate.sweeps.run()
    assert "Authorization_RequestDenied" in report.no_directory
    assert {orphan.kind for orphan in report.orphans} == {OrphanKind.UNCLAIMED}
    await work_twice(estate)
    assert before.keys() - scenario.state.keys() == scenario.unclaimed
    told = [reason for action, outcome, reason in await estate.decisions() if action == "sweep"]
    assert "orphans only as far as the ledger knows" in told[-1]
