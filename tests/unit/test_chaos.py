"""The storm's own parts: a judge who lets things pass would make every storm end well."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chaos.monitor import Monitor, Violation
from chaos.oracle import BLOB_READER, READER, SYSTEM, Need, wants
from chaos.policy import CONDITION, DELETE_AFTER, GRACE, TAGS, Edition, policy_text
from chaos.record import Decision, Record
from chaos.script import Life, write_script
from chaos.verdict import Verdict, assign_text
from chaos.weather import Dice, LaggingReplica, SeededFault
from lanyard.policy.load import parse_policy
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.faults import Fault
from simulator.state import Principal
from simulator.transport import ask

IDENTITIES = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
_VERSIONS = {
    "Microsoft.Web": "2025-05-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Authorization": "2022-04-01",
}


@dataclass
class World:
    """One site that Lanyard looks after, by the storm's policy, and the judge of it."""

    azure: Azure
    people: Principal
    lanyard: Principal
    scope: str
    monitor: Monitor

    @property
    def site(self) -> str:
        return f"{self.scope}/resourceGroups/rg-storm-0/providers/Microsoft.Web/sites/r1"

    def identity(self, name: str) -> str:
        return f"{self.scope}/resourceGroups/rg-identities/{IDENTITIES}/{name}"

    async def call(self, who: Principal, method: str, path: str, body: Any = None) -> None:
        namespace = path.rpartition("/providers/")[2].split("/")[0] if "/providers/" in path else ""
        token = self.azure.tokens.issue(who, "https://management.azure.com")[0]
        answer = await ask(
            self.azure.app,
            method,
            f"{IN_PROCESS_URL}{path}?api-version={_VERSIONS.get(namespace, '2022-09-01')}",
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
            b"" if body is None else json.dumps(body).encode(),
        )
        assert answer.status < 300, answer.content

    async def attach(self, who: Principal, *identities: str, off: str = "") -> None:
        values: dict[str, Any] = {self.identity(name): {} for name in identities}
        values |= {self.identity(off): None} if off else {}
        block = {"type": "UserAssigned", "userAssignedIdentities": values}
        await self.call(who, "PATCH", self.site, {"identity": block})

    def assignment(self) -> str:
        name = "33333333-3333-3333-3333-333333333333"
        group = f"{self.scope}/resourceGroups/rg-storm-0"
        return f"{group}/providers/Microsoft.Authorization/roleAssignments/{name}"

    async def assign(self, who: Principal, identity: str, on: str = CONDITION) -> None:
        found = self.azure.state.resources[self.identity(identity).lower()]
        role = f"{self.scope}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_READER}"
        properties = {
            "roleDefinitionId": role,
            "principalId": found.properties["principalId"],
            "principalType": "ServicePrincipal",
            **({"condition": on, "conditionVersion": "2.0"} if on else {}),
        }
        await self.call(who, "PUT", self.assignment(), {"properties": properties})

    def verdict(self, *decisions: Decision, **record: Any) -> list[Violation]:
        found = Record(decisions=decisions, **record)
        return Verdict(self.azure, self.lanyard.object_id, self.monitor, found).violations()

    def kinds(self, *decisions: Decision, **record: Any) -> set[str]:
        return {violation.kind for violation in self.verdict(*decisions, **record)}


REGIONAL, FOREIGN = "id-lanyard-westeurope", "id-foreign"
NEXT, NEXT_REGIONAL = Edition(regional="id-compute"), "id-compute-westeurope"


@pytest.fixture
async def world() -> World:
    """As it should be, but for the record: identity attached, role assigned, both by Lanyard."""
    azure = Azure()
    scope = f"/subscriptions/{azure.state.add_subscription('s').id}"
    people, lanyard = (azure.state.add_principal(name) for name in ("people", "lanyard"))
    for principal in (people, lanyard):
        azure.assign(principal.object_id, "Owner", scope)
    made = World(azure, people, lanyard, scope, Monitor(azure, lanyard.object_id))
    for group in ("rg-storm-0", "rg-identities"):
        await made.call(people, "PUT", f"{scope}/resourceGroups/{group}", {"location": "x"})
    await made.call(people, "PUT", made.site, {"location": "westeurope", "properties": {}})
    for who, name in ((lanyard, REGIONAL), (people, FOREIGN)):
        await made.call(who, "PUT", made.identity(name), {"location": "westeurope"})
    await made.attach(people, FOREIGN)
    await made.attach(lanyard, REGIONAL)
    await made.assign(lanyard, REGIONAL)
    return made


UNRECORDED = {"write without a decision"}


def given(world: World, at: float) -> Decision:
    """Lanyard's word that it gave the site its role."""
    need = Need(
        world.identity(REGIONAL).lower(), f"{world.scope}/resourcegroups/rg-storm-0", BLOB_READER
    )
    return Decision(at, world.site.lower(), assign_text(need), "done", "")


async def test_what_is_as_it_should_be_and_on_record_is_no_violation(world: World) -> None:
    now = world.azure.clock.now()
    actions = (f"attach identity {REGIONAL}", f"create identity {REGIONAL} in westeurope")
    told = [Decision(now, world.site.lower(), action, "done", "") for action in actions]
    assert world.verdict(given(world, now), *told) == []


async def test_writes_that_are_not_on_record_are_told(world: World) -> None:
    assert len(world.verdict()) == 3
    assert world.kinds() == UNRECORDED


async def test_another_condition_is_told(world: World) -> None:
    await world.call(world.lanyard, "DELETE", world.assignment())
    await world.assign(world.lanyard, REGIONAL, on="")
    assert "another condition" in world.kinds()


async def test_an_identity_without_the_tags_of_the_policy_is_told(world: World) -> None:
    identity = world.identity("id-site").replace("rg-identities", "rg-storm-0")
    body = {"location": "westeurope", "tags": {"createdBy": "lanyard"}}
    await world.call(world.lanyard, "PUT", identity, body)
    assert "tags missing" in world.kinds()


async def test_a_removal_is_on_record_whole(world: World) -> None:
    await world.call(world.lanyard, "DELETE", world.assignment())
    now, text = world.azure.clock.now(), f"remove role assignment {world.assignment()}"
    removal = Decision(now, world.site.lower(), "release", "intended", text)
    assert [each for each in world.verdict() if each.text.startswith("DELETE")]
    assert not [each for each in world.verdict(removal) if each.text.startswith("DELETE")]


async def test_a_removal_of_what_was_given_and_is_needed_is_told(world: World) -> None:
    world.azure.clock.advance(10)
    before = world.azure.clock.now()
    world.azure.clock.advance(10)
    await world.call(world.lanyard, "DELETE", world.assignment())
    await world.assign(world.lanyard, REGIONAL)
    assert "removed while it was needed" in world.kinds(given(world, before))
    assert "removed while it was needed" not in world.kinds(given(world, before + 11))


@pytest.mark.parametrize(
    ("seconds", "kinds"), [(GRACE - 1, {"removed within its grace"}), (GRACE + 1, set())]
)
async def test_what_another_policy_made_needless_goes_when_its_grace_is_over(
    world: World, seconds: float, kinds: set[str]
) -> None:
    before = world.azure.clock.now()
    world.azure.clock.advance(10)
    world.monitor.adopt(NEXT)
    world.azure.clock.advance(seconds)
    await world.call(world.lanyard, "DELETE", world.assignment())
    assert {kind for kind in world.kinds(given(world, before)) if "remove" in kind} == kinds


async def test_what_is_excluded_keeps_what_it_has(world: World) -> None:
    before = world.azure.clock.now()
    world.azure.clock.advance(10)
    await world.call(world.people, "PATCH", world.site, {"tags": {"lanyard": "ignore"}})
    assert world.kinds() == UNRECORDED
    await world.call(world.lanyard, "GET", world.site)
    await world.attach(world.lanyard, off=REGIONAL)
    await world.call(world.lanyard, "DELETE", world.assignment())
    kinds = {"identity detached that was needed", "removed while it was needed"}
    assert kinds <= world.kinds(given(world, before))


async def test_what_is_excluded_and_claims_a_role_has_it(world: World) -> None:
    await world.call(world.people, "PATCH", world.site, {"tags": {"lanyard": "ignore"}})
    principal = world.azure.state.resources[world.identity(REGIONAL).lower()]
    grant = {
        "state": "active",
        "scope": f"{world.scope}/resourceGroups/rg-storm-0",
        "principalId": principal.properties["principalId"],
        "roleId": BLOB_READER,
    }
    record = {"grants": {"g": grant}, "claims": frozenset({("g", world.site.lower())})}
    assert world.kinds(**record) == UNRECORDED
    await world.call(world.people, "DELETE", world.assignment())
    assert world.kinds(**record) == UNRECORDED | {"what is excluded lost its role"}


async def test_what_is_excluded_gets_nothing_new(world: World) -> None:
    await world.call(world.people, "PATCH", world.site, {"tags": {"lanyard": "ignore"}})
    await world.attach(world.people, off=REGIONAL)
    assert world.kinds() == UNRECORDED
    await world.call(world.lanyard, "GET", world.site)
    await world.attach(world.lanyard, REGIONAL)
    assert "identity attached to what is excluded" in world.kinds()


@pytest.mark.parametrize(
    ("seconds", "kinds"), [(GRACE - 1, {"identity detached within its grace"}), (GRACE + 1, set())]
)
async def test_an_identity_that_is_not_wanted_any_more_is_detached_after_its_grace(
    world: World, seconds: float, kinds: set[str]
) -> None:
    await world.call(world.lanyard, "GET", world.site)
    world.azure.clock.advance(10)
    world.monitor.adopt(NEXT)
    await world.call(world.lanyard, "PUT", world.identity(NEXT_REGIONAL), {"location": "x"})
    await world.attach(world.lanyard, NEXT_REGIONAL)
    world.azure.clock.advance(seconds)
    await world.attach(world.lanyard, off=REGIONAL)
    assert {kind for kind in world.kinds() if "detached" in kind} == kinds


async def test_what_is_taken_before_its_successor_is_there_is_told(world: World) -> None:
    world.monitor.adopt(NEXT)
    world.azure.clock.advance(GRACE + 1)
    await world.call(world.lanyard, "GET", world.site)
    await world.attach(world.lanyard, off=REGIONAL)
    assert "detached before all was attached" in world.kinds()


async def test_an_identity_of_its_own_stays_for_a_while_after_its_resource(world: World) -> None:
    own = f"{world.scope}/resourceGroups/rg-storm-0/{IDENTITIES}/id-r1"
    await world.call(world.people, "PATCH", world.site, {"tags": {"own": "yes"}})
    await world.call(world.lanyard, "GET", world.site)
    world.azure.clock.advance(10)
    await world.call(world.people, "DELETE", world.site)
    for seconds, found in ((DELETE_AFTER - 1, True), (2, False)):
        world.azure.clock.advance(seconds)
        world.monitor.violations.clear()
        await world.call(world.lanyard, "PUT", own, {"location": "x"})
        await world.call(world.lanyard, "DELETE", own)
        told = {violation.kind for violation in world.monitor.violations}
        assert ("identity deleted within its time" in told) == found


async def test_a_removal_of_what_others_gave_to_the_living_is_told(world: World) -> None:
    await world.call(world.lanyard, "DELETE", world.assignment())
    await world.assign(world.people, FOREIGN)
    await world.call(world.lanyard, "DELETE", world.assignment())
    assert "foreign assignment removed" in world.kinds()


async def test_what_others_gave_to_the_dead_may_go(world: World) -> None:
    await world.call(world.lanyard, "DELETE", world.assignment())
    await world.assign(world.people, FOREIGN)
    await world.call(world.people, "DELETE", world.identity(FOREIGN))
    await world.call(world.lanyard, "DELETE", world.assignment())
    assert "foreign assignment removed" not in world.kinds()


async def test_identities_that_lanyard_takes_off_are_told(world: World) -> None:
    await world.attach(world.lanyard, off=FOREIGN)
    assert "foreign identity detached" in world.kinds()
    await world.call(world.lanyard, "GET", world.site)
    await world.call(world.lanyard, "PATCH", world.site, {"identity": {"type": "None"}})
    assert {"identity detached that was needed", "identity missing"} <= world.kinds()


@pytest.mark.parametrize("again", [True, False])
async def test_what_a_call_does_to_a_resource_that_was_made_since_is_not_counted(
    world: World, again: bool
) -> None:
    slow = Fault(method="PATCH", caller=world.lanyard.object_id, delay=20)
    world.azure.faults.add(slow)
    late = asyncio.create_task(world.attach(world.lanyard, off=FOREIGN))
    for _ in range(20):  # until it waits
        await asyncio.sleep(0)
    assert slow.hits
    if again:
        world.azure.clock.advance(1)
        await world.call(world.people, "DELETE", world.site)
        await world.call(world.people, "PUT", world.site, {"location": "x", "properties": {}})
        await world.attach(world.people, FOREIGN, REGIONAL)
    world.azure.clock.advance(20)
    await late
    assert ("foreign identity detached" in world.kinds()) is not again
    assert bool(world.monitor.late) == again


@pytest.mark.parametrize("late", [True, False])
async def test_what_a_slow_write_puts_back_that_people_took_off_may_stay(
    world: World, *, late: bool
) -> None:
    slow = Fault(method="PATCH", caller=world.lanyard.object_id, delay=20)
    if late:
        world.azure.faults.add(slow)
        writing = asyncio.create_task(world.attach(world.lanyard, FOREIGN))
        for _ in range(20):  # until it waits
            await asyncio.sleep(0)
    await world.attach(world.people, off=FOREIGN)
    world.azure.clock.advance(100)
    await (writing if late else world.attach(world.lanyard, FOREIGN))
    assert (FOREIGN in left_over(world)) is not late


@pytest.mark.parametrize("read", [True, False])
async def test_what_was_written_for_the_one_before_it_may_stay(world: World, *, read: bool) -> None:
    await world.call(world.lanyard, "GET", world.site)
    world.azure.clock.advance(1)
    await world.call(world.people, "DELETE", world.site)
    await world.call(world.people, "PUT", world.site, {"location": "x", "properties": {}})
    if read:
        world.azure.clock.advance(1)
        await world.call(world.lanyard, "GET", world.site)
    await world.attach(world.lanyard, FOREIGN)
    assert (FOREIGN in left_over(world)) is read
    assert bool(world.monitor.late) is not read


async def test_what_lost_tables_knew_of_what_ended_before_a_sweep_is_nobodys(world: World) -> None:
    own = f"{world.scope}/resourceGroups/rg-storm-0/{IDENTITIES}/id-r1"
    await world.call(world.lanyard, "PUT", own, {"location": "x", "tags": TAGS})
    block = {"type": "UserAssigned", "userAssignedIdentities": {own: {}}}
    for relearnt in (True, False):
        await world.call(world.people, "PATCH", world.site, {"identity": block})
        world.monitor.lose()
        if relearnt:
            world.monitor.relearnt()
        await world.call(world.people, "DELETE", world.site)
        assert ("dedicated identity left over" in world.kinds()) is relearnt
        await world.call(world.people, "PUT", world.site, {"location": "x", "properties": {}})


async def test_the_identity_of_a_moved_resource_is_nobodys_once_the_tables_are_lost(
    world: World,
) -> None:
    own = f"{world.scope}/resourceGroups/rg-storm-9/{IDENTITIES}/id-r1"
    group = f"{world.scope}/resourceGroups/rg-storm-9"
    await world.call(world.people, "PUT", group, {"location": "x"})
    await world.call(world.lanyard, "PUT", own, {"location": "x", "tags": TAGS})
    block = {"type": "UserAssigned", "userAssignedIdentities": {own: {}}}
    await world.call(world.people, "PATCH", world.site, {"identity": block})
    assert "dedicated identity left over" not in world.kinds(), "something has it still"
    world.monitor.lose()
    world.monitor.relearnt()
    none = {"type": "None"}
    await world.call(world.people, "PATCH", world.site, {"identity": none})
    assert "dedicated identity left over" not in world.kinds(), "nothing can know it again"


async def test_an_identity_that_people_take_off_is_only_missing(world: World) -> None:
    await world.call(world.people, "PATCH", world.site, {"identity": {"type": "None"}})
    assert world.kinds() == UNRECORDED | {"identity missing"}


def left_over(world: World) -> set[str]:
    """The names of the identities that should not be attached any more."""
    found = world.verdict()
    return {each.text.rpartition("/")[2] for each in found if each.kind == "identity left over"}


async def test_what_lanyard_attached_before_a_move_is_its_own_after_it(world: World) -> None:
    target = f"{world.scope}/resourceGroups/rg-storm-1"
    await world.call(world.people, "PUT", target, {"location": "westeurope"})
    wanted = {"resources": [world.site], "targetResourceGroup": target}
    source = f"{world.scope}/resourceGroups/rg-storm-0"
    await world.call(world.people, "POST", f"{source}/moveResources", wanted)
    world.azure.clock.advance(60)
    assert world.site.lower() not in world.azure.state.resources
    assert left_over(world) == set()
    world.monitor.adopt(NEXT)
    assert left_over(world) == {REGIONAL}


async def test_what_was_attached_before_the_tables_were_lost_may_stay(world: World) -> None:
    world.monitor.adopt(NEXT)
    assert left_over(world) == {REGIONAL}
    world.monitor.lose()
    assert left_over(world) == set()
    await world.attach(world.lanyard, off=REGIONAL)
    await world.attach(world.lanyard, REGIONAL)
    assert left_over(world) == {REGIONAL}


async def test_what_is_left_of_the_dead_is_told(world: World) -> None:
    await world.call(world.people, "DELETE", world.site)
    row = {"id": world.site, "systemPrincipals": "[]", "pending": "[]", "goneAt": "{}"}
    assert {"assignment left over", "record of a dead resource"} <= world.kinds(resources=(row,))


async def test_what_is_unfinished_is_told(world: World) -> None:
    row = {"id": world.site, "systemPrincipals": "[]", "pending": '["x"]', "goneAt": "{}"}
    grant = {"state": "revoking", "scope": "s", "principalId": "p", "roleId": "r"}
    claims = frozenset({("g", "nobody")})
    kinds = world.kinds(resources=(row,), grants={"g": grant}, claims=claims)
    assert {"unfinished record", "stuck grant", "claim left over"} <= kinds


async def test_the_dead_principal_of_a_recreated_identity_is_told(world: World) -> None:
    await world.call(world.people, "DELETE", world.identity(REGIONAL))
    await world.call(world.lanyard, "PUT", world.identity(REGIONAL), {"location": "westeurope"})
    assert {"identity is dead", "assignment missing", "assignment left over"} <= world.kinds()


async def test_the_oracle_reads_the_tags(world: World) -> None:
    site = world.azure.state.resources[world.site.lower()]
    group, other = (f"{world.scope}/resourcegroups/{name}" for name in ("rg-storm-0", "rg-other"))
    team = world.identity("id-team-t3-westeurope").lower()
    wanted = wants(replace(site, tags={"team": "t3", "own": "yes", "system": "yes"}))
    own = f"{group}/providers/microsoft.managedidentity/userassignedidentities/id-r1"
    regional = Need(world.identity(REGIONAL).lower(), group, BLOB_READER)
    rest = {Need(team, other, READER), Need(own, group, READER), Need(SYSTEM, group, READER)}
    assert wanted.needs == {regional, *rest}
    assert (wanted.own, wanted.system) == (own, True)
    excluded = wants(replace(site, tags={"team": "t3", "lanyard": "ignore"}))
    assert (excluded.excluded, wanted.excluded) == (True, False)
    assert excluded.needs == wants(replace(site, tags={"team": "t3"})).needs
    compute = Need(world.identity(NEXT_REGIONAL).lower(), group, BLOB_READER)
    assert wants(replace(site, tags={}), NEXT).needs == {compute}


def test_the_policy_of_the_storm_is_a_valid_one() -> None:
    editions = {change.edition for _, change in write_script(1, 50, 3).policies}
    assert len(editions) == 3
    for edition in (Edition(), *editions):
        policy = parse_policy("storm.yaml", policy_text(3, edition))
        assert len(policy.rules) == 6
        assert policy.limits.removals.grace_minutes * 60 == GRACE
        assert policy.identities["own"].delete_after_hours * 3600 == DELETE_AFTER


def test_a_replica_lags_for_a_while_and_only_for_some() -> None:
    now = [0.0]
    lag = LaggingReplica(times=None, rate=0.3, dice=Dice(7, "x"), now=lambda: now[0])

    def missing() -> set[str]:
        paths = (f"/p{number}" for number in range(100))
        return {path for path in paths if lag.matches("arm", "GET", path, None)}

    first = missing()
    assert 15 < len(first) < 45
    now[0] = 5.0
    assert 0.7 * len(first) < len(first & missing()) < len(first)


def test_the_seed_decides_the_script() -> None:
    assert write_script(1, 50, 3) == write_script(1, 50, 3)
    assert write_script(1, 50, 3) != write_script(2, 50, 3)
    assert all(isinstance(life, Life) and life.steps for life in write_script(1, 50, 3).lives)


def test_which_request_fails_does_not_hang_on_the_order_of_others() -> None:
    def hits(paths: list[str]) -> set[tuple[str, int]]:
        fault = SeededFault(times=None, rate=0.3, dice=Dice(7, "x"))
        return {
            (path, paths[:at].count(path))
            for at, path in enumerate(paths)
            if fault.matches("arm", "GET", path, None)
        }

    paths = [f"/p{number % 9}" for number in range(90)]
    assert hits(paths) == hits(sorted(paths))
    assert 0.1 < len(hits(paths)) / len(paths) < 0.5
