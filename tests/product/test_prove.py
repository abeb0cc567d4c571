"""The proof beside an in-process Azure and app, in virtual time: what Azure refuses, one by one."""

import json
import os
import re
import shlex
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from demo.hosts import PROJECT
from lanyard.azure.arm.answers import Json
from lanyard.azure.arm.clients import Clients
from lanyard.desk.azure.any_resource import AnyResource
from lanyard.desk.onboarding.parts import Deployment, role_of
from lanyard.values.errors import LanyardError
from prove.all_steps import STEPS
from prove.app import POLICY
from prove.ground import TEXT, account_body
from prove.journal import Journal, State
from prove.local import there
from prove.proof import APP_GROUP, GROUP, GROUPS, STORAGE, Message, Pace, Proof
from prove.steps import carry_out
from simulator.behaviour import GroupDeletion, WriteEvent
from simulator.event_grid.models import EventSubscription
from simulator.faults import Fault
from simulator.state import Resource, RoleDefinition
from simulator.tokens.credential import AsyncPrincipalCredential
from simulator.transport import InProcessTransport
from simulator.web.function_app import Hosted
from tests.support.handlers import started
from tests.support.watched import UnwatchedEstate

READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
QUEUE = "Microsoft.Storage/storageAccounts/queueServices/queues/write"


class Place(UnwatchedEstate):
    """The app works whenever the proof waits. `before_deployment`: what happens first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(POLICY.read_text())
        self.folder = folder
        self.before_deployment: Callable[[], None] = lambda: None
        self.asked: list[str] = []
        self.deploys_for = 0.0  # seconds, of the first deployment
        self.at, self.dies = "", False
        self.died: set[tuple[str, str]] = set()
        self.mail: list[str] = []
        self.azure.run_command.player = self._play
        self.platform.event_grid.on_event(self._post)
        self.before: frozenset[str] = frozenset()

    @property
    def deployment(self) -> Deployment:
        inside = f"{self.scope}/resourceGroups/{APP_GROUP}/providers"
        return replace(
            super().deployment,
            app_id=f"{inside}/Microsoft.Web/sites/func-lanyard",
            storage_id=f"{inside}/Microsoft.Storage/storageAccounts/stlanyard",
        )

    async def deploy(self) -> None:
        """What infra/main.bicep makes, as far as the proof looks at it."""
        app, body = self.deployment, {"location": "westeurope", "properties": {}}
        group = f"{self.scope}/resourceGroups/{APP_GROUP}"
        workspace = f"{group}/providers/Microsoft.OperationalInsights/workspaces/log"
        resources = AnyResource(self.clients)
        await resources.put(group, GROUPS, {"location": "westeurope"})
        await resources.put(app.app_id, "2025-05-01", {**body, "kind": "functionapp"})
        await resources.put(app.storage_id, STORAGE, account_body("westeurope"))
        await resources.put(workspace, "2023-09-01", body)
        hosted = self.azure.compute_types.function_apps.hosted
        hosted[app.app_id.lower()] = Hosted(["resource_events"])

    def begin_deployment(self) -> None:
        """It goes on in Azure, and the process that waits for it is killed."""
        group = f"{self.scope}/resourceGroups/{APP_GROUP}"
        made = Resource(
            group, "Microsoft.Resources/resourceGroups", APP_GROUP, "westeurope", {}, {}
        )
        resources, seconds = self.azure.state.resources, self.deploys_for
        self.deploys_for = 0.0
        self.platform.deployments.begin(
            f"{self.scope}/providers/Microsoft.Resources/deployments/lanyard-proof",
            seconds,
            lambda: resources.__setitem__(group.lower(), made),
        )
        raise Killed

    def _post(self, subscription: EventSubscription, event: Any) -> None:
        if subscription.name == "lanyard-proof":
            self.mail.append(json.dumps(event))

    def show(self, text: str) -> None:
        if not text.startswith(" "):
            self.at = text.partition(":")[0]

    def may_die(self, when: str) -> None:
        """Once for each `when` of each step, and of each that is taken back."""
        if self.dies and (self.at, when) not in self.died:
            self.died.add((self.at, when))
            raise Killed

    async def prove(self, *, clean: bool = False) -> Journal:
        """A run; the journal as it is on the disk."""
        file = self.folder / "journal.json"
        journal = Journal.load(file) or Journal(
            file=file, subscription=self.subscription, location="westeurope"
        )
        journal.cleaning |= clean
        await carry_out(STEPS, self._proof(journal))
        return journal

    @cached_property
    def clients(self) -> Clients:
        credential, settings = (
            AsyncPrincipalCredential(self.azure.tokens, self.operator),
            self.settings,
        )
        return Clients(credential, arm=settings.arm, graph=settings.graph, transport=Awake(self))

    def left(self) -> list[str]:
        return sorted(there(self.azure) - self.before)

    def _proof(self, journal: Journal) -> Proof:
        settings = self.settings
        return Proof(
            journal=journal,
            clients=self.clients,
            storage=self,
            az=self.az,
            person=self.operator.object_id,
            arm_url=settings.arm.url,
            arm_audience=settings.arm.audience,
            size="Standard_B1s",
            show=self.show,
            pace=Pace(look=15, spreads=600, deadline=900, quiet=60),
            now=self.azure.clock.now,
        )

    async def az(self, *arguments: str) -> str:
        said = " ".join(arguments)
        self.asked.append(said)
        if not said.startswith("deployment sub create"):
            return '{"tables": [{"rows": [[1]]}]}'
        self.before_deployment()
        if self.deploys_for:
            self.begin_deployment()
        await self.deploy()
        app = self.deployment
        outputs = {
            "SERVICE_APP_NAME": "func-lanyard",
            "LANYARD_APP_ID": app.app_id,
            "LANYARD_CLIENT_ID": app.client_id,
            "LANYARD_PRINCIPAL_ID": app.principal_id,
            "LANYARD_STORAGE_ID": app.storage_id,
            "LANYARD_INSTALLATION": app.installation,
            "LANYARD_ACTION_GROUP_ID": "",
        }
        return json.dumps({name: {"value": value} for name, value in outputs.items()})

    # The data of the proof's storage account.

    async def upload(self, _container_url: str, _name: str, _text: str) -> None:
        """What the machine reads is said by `_play`."""

    async def make_queue(self, _account: Json, _name: str) -> None:
        """`_post` has it."""

    async def messages(self, _account: Json, _name: str) -> AsyncIterator[Message]:
        while self.mail:
            yield Message(self.mail.pop(0), self.azure.clock.now())

    # The machine.

    async def _play(self, machine: str, script: Sequence[str]) -> str:
        asked = json.loads(shlex.split(script[0])[2])
        found = self.azure.state.resources[machine.lower()]
        attached = (found.identity or {})["userAssignedIdentities"]
        principal = next(iter(attached.values()))["principalId"]
        call = self._read if asked["method"] == "GET" else self._write
        return "proof: " + json.dumps(await call(principal, asked)) + "\n"

    async def _read(self, principal: str, _asked: Json) -> Json:
        scope = f"{self.scope}/resourceGroups/{GROUP}/providers/Microsoft.Storage"
        may = self.azure.access.allowed(principal, READ, f"{scope}/storageAccounts/x", data=True)
        return {"status": 200, "text": TEXT} if may else {"status": 403, "text": "no"}

    async def _write(self, principal: str, asked: Json) -> Json:
        options = self.azure.client_options(self.azure.state.principals[principal])
        client = ResourceManagementClient(subscription_id=self.subscription, **options)
        request = HttpRequest(asked["method"], asked["url"], json=asked["body"])
        answer = await client._client.send_request(request)
        return {"status": answer.status_code, "text": answer.text()}


class Killed(BaseException):
    """The process is gone."""


class Awake(InProcessTransport):
    """Whoever waits lets the app work. What is sent, or waited for, may be the last thing."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.azure.app, place.azure.clock)
        self._place = place

    async def send(self, request: Any, **options: Any) -> Any:
        answer = await super().send(request, **options)
        self._place.may_die("read" if request.method == "GET" else "changed")
        return answer

    async def sleep(self, duration: float) -> None:
        await super().sleep(duration)
        self._place.may_die("changed")
        await self._place.hear()
        waiting, self._place.queue.messages = self._place.queue.messages, []
        for change, _ in waiting:
            await self._place.worker.process(change)


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    # The package of the project is built by the whole run (tests/e2e/test_prove.py).
    monkeypatch.setattr("prove.app.package_at", lambda target: target)
    monkeypatch.setattr(os, "fsync", lambda _number: None)  # the computer does not fail here
    made = Place(tmp_path)
    await started(made, monkeypatch)
    made.before = there(made.azure)
    return made


def states(journal: Journal, state: State) -> set[str]:
    return {name for name, entry in journal.entries.items() if entry.state is state}


async def test_all_is_done_answered_and_taken_back(place: Place) -> None:
    journal = await place.prove()
    assert {name: e.why for name, e in journal.entries.items() if e.why} == {}
    assert journal.answers["topic-identity"] == "yes"
    assert journal.answers["first-403"] == "its first call is let in"
    assert journal.answers["handler-right"].startswith("none")
    assert place.left() == []


async def test_killed_in_every_step_it_goes_on_and_leaves_nothing(place: Place) -> None:
    """After the first thing that each reads, and the first that it writes or waits for: what that
    did is not known then.
    """
    place.dies = True
    for _ in range(4 * len(STEPS)):
        try:
            journal = await place.prove()
            break
        except Killed:
            continue
    assert {name: e.why for name, e in journal.entries.items() if e.why} == {}
    assert place.left() == []
    undone = {f"undo {step.name}" for step in STEPS if step.undo}
    assert {step.name for step in STEPS} | undone == {name for name, _ in place.died}
    assert len(place.died) > 50


async def test_the_templates_have_what_the_deployment_names(place: Place) -> None:
    journal = await place.prove()
    template = (PROJECT / "infra" / "main.bicep").read_text()
    created = next(each for each in place.asked if each.startswith("deployment sub create"))
    given = re.findall(r" (\w+)=", created)
    assert given == ["environmentName", "location", "policy", "storageSku"]
    assert [name for name in given if f"param {name} string" not in template] == []
    named = journal.values["app"]
    assert [name for name in named if f"output {name} string" not in template] == []
    assert "'rg-lanyard-${environmentName}'" in template
    assert place.asked[-1].startswith("deployment sub delete --name lanyard-proof")


async def test_a_topic_that_is_refused_an_identity_is_proven_without(place: Place) -> None:
    place.platform.event_grid.behaviour.global_identity_refused = True
    journal = await place.prove()
    assert journal.answers["topic-identity"].startswith("no: ")
    assert states(journal, State.FAILED) == {"listen", "watch-queue"}
    assert journal.succeeded("clean-webhook")
    assert place.left() == []


@pytest.mark.parametrize("of_the_queue", [True, False])
async def test_the_right_on_a_handler_is_named_by_who_lacks_it(
    place: Place, of_the_queue: bool
) -> None:
    behaviour = place.platform.event_grid.behaviour
    behaviour.asks_write_on_handler, behaviour.handler_is_the_queue = True, of_the_queue
    journal = await place.prove()
    account = "Microsoft.Storage/storageAccounts/write"
    assert journal.answers["handler-right"] == f"{QUEUE if of_the_queue else account} (403)"
    assert place.left() == []


async def test_what_takes_its_time_is_waited_for_and_measured(place: Place) -> None:
    behaviour = place.azure.behaviour
    behaviour.role_propagation_seconds, behaviour.operation_seconds = 240.0, 5.0
    behaviour.role_definition_replication_seconds = 60.0
    behaviour.write_event, behaviour.group_deletion_events = WriteEvent.BOTH, GroupDeletion.EACH
    journal = await place.prove()
    assert "refused, by [403]" in journal.answers["first-403"]
    assert journal.measured["webhook: the machine reads after that"] > 200
    assert journal.answers["write-events"].startswith("2 by its creation")
    assert "resourcegroups/delete" not in journal.answers["group-deletion-events"]
    assert place.left() == []


@pytest.mark.parametrize("clean", [False, True], ids=["goes on", "takes back"])
async def test_a_deployment_that_outlives_its_run_is_called_off(place: Place, clean: bool) -> None:
    """Else Azure refuses the next one, or makes the group after it was taken back."""
    place.deploys_for = 600.0
    with pytest.raises(Killed):
        await place.prove()
    journal = await place.prove(clean=clean)
    assert {name: e.why for name, e in journal.entries.items() if e.why} == {}
    place.azure.clock.advance(900)
    place.platform.deployments.settle()
    assert place.left() == []


async def test_a_deployment_that_fails_ends_it(place: Place) -> None:
    def refuse() -> None:
        raise LanyardError("Flex Consumption is not there")

    place.before_deployment = refuse
    journal = await place.prove()
    assert states(journal, State.FAILED) == {"deploy"}
    assert "create-webhook" in states(journal, State.NOT_TRIED)
    assert place.left() == []


async def test_a_machine_that_is_refused_once_leaves_the_other_way(place: Place) -> None:
    quota = Fault(
        method="PUT", path="virtualMachines/vm-webhook$", status=409, code="QuotaExceeded"
    )
    place.azure.faults.add(quota)
    journal = await place.prove()
    assert states(journal, State.FAILED) == {"create-webhook"}
    assert journal.succeeded("clean-queue")
    assert place.left() == []


async def test_what_a_lock_keeps_is_named_and_goes_with_the_next_run(place: Place) -> None:
    group = f"{place.scope}/resourceGroups/{GROUP}"

    def lock() -> None:
        place.azure.locks.put(group, "keep", "CanNotDelete")

    place.before_deployment = lock
    journal = await place.prove()
    assert "ScopeLocked" in journal.entries["groups"].stays
    place.azure.locks.delete(group, "keep")
    calls = len(place.azure.calls)
    journal = await place.prove()
    assert not any(entry.stays for entry in journal.entries.values())
    assert place.left() == []
    assert len(place.azure.calls) - calls < 40


@pytest.mark.parametrize("name", ["rg-lanyard-events", GROUP, APP_GROUP])
async def test_a_subscription_that_is_watched_or_in_use_is_left_alone(
    place: Place, name: str
) -> None:
    group = f"{place.scope}/resourceGroups/{name}"
    await AnyResource(place.clients).put(group, GROUPS, {"location": "westeurope"})
    before = there(place.azure)
    journal = await place.prove()
    assert states(journal, State.FAILED) == {"look"}
    assert states(journal, State.DONE) == set()
    assert there(place.azure) == before


async def test_the_role_of_an_app_is_enough_to_be_left_alone(place: Place) -> None:
    state, role = place.azure.state, role_of(place.subscription)
    state.role_definitions[role] = RoleDefinition(
        role, "Lanyard", "", "CustomRole", [], [], [], [], [place.scope]
    )
    journal = await place.prove()
    assert "an app watches" in journal.entries["look"].why
    assert states(journal, State.DONE) == set()
