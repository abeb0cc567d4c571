"""A management group whose subscriptions join by Azure Policy: infra/join.bicep as it is deployed
to a local Azure, all of it or without one action, and infra/joined.bicep as the joining identity
deploys it.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.desk.azure.any_resource import AnyResource
from lanyard.desk.azure.connection import reading_over
from lanyard.desk.rights import Rights
from lanyard.values.clouds import Endpoint
from simulator.authorization.access import role_guid
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.event_grid.models import EventSubscription
from simulator.state import Principal, Resource, RoleDefinition, Subscription
from simulator.tokens.credential import AsyncPrincipalCredential
from tests.support.infra.bounded import needed
from tests.support.infra.deployment import Deployment, Made
from tests.support.watched import UnwatchedEstate

GROUP = "mg-landing"
INSTALLATION = "77777777-7777-7777-7777-777777777777"
IDENTITIES = "rg-identities"
_PARAMETER = re.compile(r"\[parameters\('(\w+)'\)(?:\.(\w+))?\]")
_ROLES = ("/Microsoft.Authorization/roleDefinitions/", "/Microsoft.Authorization/roleAssignments/")


class JoiningEstate:
    """The app's subscription and a new one, both below the management group. `without`: an action
    that the joining identity's roles lack. `inside`: an estate, whose app and one subscription they
    are.
    """

    def __init__(
        self, policy: str, without: str = "", *, inside: UnwatchedEstate | None = None
    ) -> None:
        self.azure = Azure(seed=7) if inside is None else inside.azure
        event_grid = self.azure.services.event_grid
        if inside is None:
            event_grid.validate = _without_handshake
        # Which of the two is asked, if any, is not documented: it is the one that is missing.
        event_grid.behaviour.asks_write_on_handler = True
        event_grid.behaviour.handler_is_the_queue = "/queueServices/" in without
        if inside is None:
            self.app = self.azure.state.add_principal("id-lanyard")
            self.home, self.new = self._subscription("platform"), self._subscription("new")
            self.group = self.add_group(self.home, "rg-lanyard-prod")
            self.add_group(self.new, IDENTITIES)
        else:
            self.app = inside.app
            self.home = self.new = self._below(self.azure.state.subscriptions[inside.subscription])
            self.group = f"{inside.scope}/resourceGroups/rg-lanyard"
        self.installation = INSTALLATION if inside is None else inside.installation
        storage = f"{self.group}/providers/Microsoft.Storage/storageAccounts"
        self.storage, self.events = f"{storage}/stlanyard", f"{storage}/stevents"
        self.deploy(policy, without)

    def deploy(self, policy: str, without: str = "") -> None:
        """join.bicep with the rights of a policy, over what is there."""
        # Azure makes the identity with the policy's assignment; its roles come after it.
        place = f"{self.place}/providers/Microsoft.Authorization/policyAssignments/lanyard-join"
        shown = self.azure.services.policies.put(place, {"identity": {"type": "SystemAssigned"}})
        self.identity = self.azure.state.principals[shown["identity"]["principalId"]]
        self.deployed = self._run(needed(policy))
        for made in self.deployed.made:
            self._put(made, without)

    @property
    def place(self) -> str:
        """The id of the management group."""
        return f"/providers/Microsoft.Management/managementGroups/{GROUP}"

    @property
    def scope(self) -> str:
        """The id of the new subscription."""
        return f"/subscriptions/{self.new.id}"

    @property
    def topic(self) -> str:
        """The id of its topic."""
        events = f"{self.scope}/resourceGroups/rg-lanyard-events"
        return f"{events}/providers/Microsoft.EventGrid/systemTopics/lanyard"

    def roles_of(self, principal: Principal) -> Iterator[tuple[str, RoleDefinition]]:
        """Where it has which role."""
        for each in self.azure.access.assignments_of(principal.object_id):
            role = self.azure.access.definition(each)
            assert role is not None
            yield each.scope, role

    async def join(self) -> None:
        """What Azure Policy deploys to the new subscription, as the joining identity."""
        await self._register("Microsoft.EventGrid", "Microsoft.Insights")
        async with self.acting() as resources:
            before = [made for made in self._joined("") if _comes_first(made)]
            for made in before:
                await resources.put(made.id, made.api_version, made.body)
            topic = await resources.read(self.topic, "2025-02-15")
            assert topic is not None
            for made in self._joined(str(topic["identity"]["principalId"])):
                if made.id not in {each.id for each in before}:
                    await resources.put(made.id, made.api_version, made.body)

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[AnyResource]:
        """ARM as the joining identity."""
        credential = AsyncPrincipalCredential(self.azure.tokens, self.identity)
        arm = Endpoint(IN_PROCESS_URL, "https://management.azure.com")
        graph = Endpoint(f"{IN_PROCESS_URL}/graph", "https://graph.microsoft.com")
        async with reading_over(credential, arm, graph, self.azure.transport()) as reading:
            yield AnyResource(reading.clients)

    async def _register(self, *namespaces: str) -> None:
        """As a deployment does for what it makes."""
        options = self.azure.client_options(self.identity)
        async with ResourceManagementClient(subscription_id=self.new.id, **options) as client:
            for namespace in namespaces:
                await client.providers.register(namespace)

    def _subscription(self, name: str) -> Subscription:
        return self._below(self.azure.state.add_subscription(name))

    def _below(self, made: Subscription) -> Subscription:
        """In the management group, and nothing is registered there yet."""
        made.management_groups = (GROUP,)
        for namespace in ("microsoft.eventgrid", "microsoft.insights"):
            self.azure.state.unregistered.add((made.id, namespace))
        return made

    def add_group(self, subscription: Subscription, name: str) -> str:
        """A resource group, by its id."""
        id_ = f"/subscriptions/{subscription.id}/resourceGroups/{name}"
        kind = "Microsoft.Resources/resourceGroups"
        self.azure.state.resources[id_.lower()] = Resource(id_, kind, name, "westeurope", {}, {})
        return id_

    def _run(self, rights: Rights) -> Deployment:
        values = {
            "rights": {
                "actions": [*rights.actions],
                "condition": rights.condition,
                "identityActions": [*rights.identity_actions],
                "identityGroups": [*rights.identity_groups],
                "operatorOn": [],
            },
            "appId": f"{self.group}/providers/Microsoft.Web/sites/func-lanyard",
            "clientId": self.app.client_id,
            "principalId": self.app.object_id,
            "storageId": self.storage,
            "eventsStorageId": self.events,
            "installation": self.installation,
            "actionGroupId": "",
            "location": "westeurope",
        }
        given = {"join": {"identity": {"principalId": self.identity.object_id}}}
        return Deployment("join.bicep", "", "", values, given, GROUP).run()

    def _put(self, made: Made, without: str) -> None:
        properties = made.body.get("properties") or {}
        if _ROLES[0] in made.id:
            self._define(made.id, properties, without)
        elif _ROLES[1] in made.id:
            scope, name = made.id.split(f"/providers{_ROLES[1]}")
            self.azure.assign(
                properties["principalId"],
                role_guid(properties["roleDefinitionId"]),
                scope,
                condition=properties.get("condition"),
                name=name,
            )
        else:
            self.azure.services.policies.put(made.id, dict(made.body))

    def has_joined(self) -> bool:
        """As Azure Policy sees it: what its rule looks for is there, and as it asks."""
        details = self._body("policyDefinitions")["policyRule"]["then"]["details"]
        group = f"{self.scope}/resourceGroups/{details['resourceGroupName']}"
        found = self.azure.state.resources.get(
            f"{group}/providers/{details['type']}/{details['name']}".lower()
        )
        condition = details["existenceCondition"]
        tag = condition["field"].removeprefix("tags['").removesuffix("']")
        given = {k: v["value"] for k, v in self._body("policyAssignments")["parameters"].items()}
        return found is not None and found.tags.get(tag) == _parameter(condition["equals"], given)

    def _body(self, kind: str) -> Any:
        """The properties of the policy or of its assignment, as they were deployed."""
        name = f"Microsoft.Authorization/{kind}/lanyard-join"
        (found,) = [each for each in self.deployed.made if each.id.endswith(name)]
        return found.body["properties"]

    def _define(self, id_: str, properties: Mapping[str, Any], without: str) -> None:
        (permission,) = properties["permissions"]
        actions = [each for each in permission["actions"] if each != without]
        name, scopes = role_guid(id_), properties["assignableScopes"]
        self.azure.state.role_definitions[name] = RoleDefinition(
            name, properties["roleName"], "", "CustomRole", actions, [], [], [], scopes
        )

    def _joined(self, topic_principal: str) -> list[Made]:
        """The template that the policy has in itself, with its parameters."""
        definition, assignment = self._body("policyDefinitions"), self._body("policyAssignments")
        details = definition["policyRule"]["then"]["details"]
        deployment = details["deployment"]["properties"]
        given = {name: each["value"] for name, each in assignment["parameters"].items()}
        values = {
            name: _parameter(each["value"], given)
            for name, each in deployment["parameters"].items()
        }
        file = deployment["template"].replace(".json", ".bicep")
        known = {"topic": {"identity": {"principalId": topic_principal}}}
        return Deployment(file, self.new.id, "", values, known).run().made


async def _without_handshake(subscription: EventSubscription) -> None:
    """A queue has none."""
    assert subscription.queue is not None


def _comes_first(made: Made) -> bool:
    """The topic and what it lies in: by the topic its principal is known."""
    return made.id.endswith(("/resourceGroups/rg-lanyard-events", "/systemTopics/lanyard"))


def _parameter(text: str, given: Mapping[str, Any]) -> Any:
    match = _PARAMETER.fullmatch(text)
    assert match is not None, text
    value = given[match[1]]
    return value[match[2]] if match[2] else value
