"""A subscription that nothing watches yet, the app that is to watch it, and what reaches it."""

from dataclasses import replace
from typing import Any

from lanyard.desk.onboarding.parts import Deployment
from simulator.event_grid.handshake import destination_not_found
from simulator.event_grid.models import EventSubscription
from simulator.state import Json
from tests.support.desk import Desk, Ran
from tests.support.estate import POLICY, Estate

_HOME = "resourceGroups/rg-lanyard/providers"


class UnwatchedEstate(Estate):
    """Lanyard's identity has no right at all, and there is no topic."""

    def __init__(self, policy: str = POLICY) -> None:
        super().__init__(policy)
        del self.azure.state.resources[self.topic.id.lower()]
        self.heard: list[Json] = []
        event_grid = self.platform.event_grid
        event_grid.on_event(lambda _subscription, event: self.heard.append(dict(event)))
        event_grid.validate = self._validate
        event_grid.addresses[self.deployment.endpoint.lower()] = "https://app.example/"

    def _grant_rights(self) -> None:
        """None."""

    @property
    def deployment(self) -> Deployment:
        """The app, as its deployment tells of it."""
        return Deployment(
            app_id=f"{self.scope}/{_HOME}/Microsoft.Web/sites/func-lanyard",
            client_id=self.app.client_id,
            principal_id=self.app.object_id,
            storage_id=f"{self.scope}/{_HOME}/Microsoft.Storage/storageAccounts/stlanyard",
            installation=self.installation,
            location="westeurope",
        )

    async def hear(self) -> list[str]:
        """Let the app work on every event that reached it; returns what they were of."""
        operations: list[str] = []
        while self.heard:
            event = self.heard.pop(0)
            operations.append(event["data"]["operationName"])
            if message := await self.deliver(event):
                await self.work(message)
        return operations

    async def _validate(self, subscription: EventSubscription) -> None:
        """As Event Grid does with a function: it has to be there. A queue is not looked at."""
        if subscription.queue is None and self.platform.event_grid.address_of(subscription) is None:
            raise destination_not_found(subscription)


class Onboarder:
    """A person at the desk who has the rights to onboard, and the app's deployment at hand."""

    def __init__(self, desk: Desk, estate: UnwatchedEstate) -> None:
        self.desk, self.estate = desk, estate
        self.own(estate.scope)

    def own(self, scope: str) -> None:
        self.estate.azure.assign(self.desk.person.object_id, "Owner", scope)

    def lack(self, action: str) -> None:
        """Owners may do anything but this from now on."""
        self._change_owner([action])

    def lack_nothing(self) -> None:
        """They may do anything again."""
        self._change_owner([])

    def _change_owner(self, not_actions: list[str]) -> None:
        owner = self.estate.azure.role_definitions.by_name("Owner")
        changed = replace(owner, not_actions=not_actions)
        self.estate.azure.state.role_definitions[owner.guid] = changed

    async def run(self, command: str, *arguments: str) -> Ran:
        """`lanyard onboard`, `offboard`, of the estate's subscription if no other is named."""
        app = self.estate.deployment
        more = ["--app-id", app.app_id, "--storage-id", app.storage_id]
        more += ["--app-principal", app.principal_id]
        if command == "onboard":
            more += ["--client-id", app.client_id, "--location", app.location]
            more += ["--installation", app.installation]
            more += ["--policy", str(self.desk.policy)]
        named = [each for each in arguments if not each.startswith("-")]
        return await self.desk.lanyard(
            command, *(named or [self.estate.subscription]), *more, *arguments[len(named) :]
        )

    def there(self) -> dict[str, Any]:
        """Everything that onboarding could have made, as it is."""
        state = self.estate.azure.state
        own = {self.estate.operator.object_id, self.desk.person.object_id}
        return {
            "resources": sorted(
                each.id
                for each in state.resources.values()
                if "rg-lanyard-events" in each.id or each.type.startswith("Microsoft.EventGrid")
            ),
            "roles": sorted(
                each.role_name
                for each in state.role_definitions.values()
                if each.kind == "CustomRole"
            ),
            "assignments": sorted(
                (each.role_definition_id.rpartition("/")[2], each.scope)
                for each in state.role_assignments.values()
                if each.principal_id not in own
            ),
            "subscriptions": sorted(self.estate.platform.event_grid.subscriptions),
        }
