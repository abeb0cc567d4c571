"""One recording played against one simulator, which starts in the state that it implies."""

import json
from typing import Any

from simulator.azure import Azure
from simulator.resource_ids import normalise
from simulator.state import Principal, Resource, RoleAssignment, Subscription
from simulator.transport import Answer, ask
from tests.support.conformance.recordings import DROPPED, Exchange

#: The subscription of every recording.
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"


class Replay:
    """Sends recorded requests, with what the simulator named differently put in its place."""

    def __init__(self) -> None:
        self.azure = Azure()
        state = self.azure.state
        state.subscriptions[SUBSCRIPTION] = Subscription(SUBSCRIPTION, "Recorded")
        self.caller = state.add_principal("recorder", "User")
        self._given: dict[str, str] = {}
        self._links: dict[str, str] = {}
        # The recordings do not show the caller's own right: lists are compared without it.
        self._rights = self.azure.assign(self.caller.object_id, "Owner", SCOPE)

    async def send(self, method: str, target: str, body: Any = None) -> Answer:
        """One request as the caller."""
        token = self.azure.tokens.issue(self.caller, "https://management.azure.com").access_token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        url = f"https://management.azure.com{target}"
        return await ask(self.azure.app, method, url, headers, content)

    async def answer(self, exchange: Exchange) -> tuple[Answer, Any]:
        """The simulator's answer to a recorded request, and its body."""
        target = self._links.get(exchange.uri) or self._in_our_words(exchange.target)
        body = json.loads(self._in_our_words(json.dumps(exchange.body)))
        answer = await self.send(exchange.method, target, body)
        ours = json.loads(answer.content) if answer.content else None
        self._learn(exchange.answer, ours)
        for name in ("azure-asyncoperation", "location"):
            if name in exchange.answer_headers and name in answer.headers:
                self.follow(exchange.answer_headers[name], answer.headers[name])
        if isinstance(ours, dict) and "value" in ours:
            ours["value"] = [each for each in ours["value"] if each["name"] != self._rights.name]
        return answer, ours

    def follow(self, theirs: str, ours: str) -> None:
        """A link that Azure gave stands for one that the simulator gave."""
        self._links[theirs] = ours.removeprefix("https://management.azure.com")

    def _in_our_words(self, text: str) -> str:
        for theirs, ours in self._given.items():
            text = text.replace(theirs, ours)
        return text

    def _learn(self, theirs: Any, ours: Any) -> None:
        """Ids of new principals differ: later requests name ours."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in ("principalId", "clientId", "tenantId"):
                self._note(theirs.get(key), ours.get(key))
            for key in theirs.keys() & ours.keys():
                self._learn(theirs[key], ours[key])

    def _note(self, theirs: object, ours: object) -> None:
        if isinstance(theirs, str) and isinstance(ours, str) and theirs not in (ours, SUBSCRIPTION):
            self._given[theirs] = ours

    # The state that a recording implies.

    def add_group(self, name: str, tags: dict[str, str], location: str = "westus") -> None:
        """A resource group."""
        self._put(
            Resource(
                f"{SCOPE}/resourceGroups/{name}",
                "Microsoft.Resources/resourceGroups",
                name,
                location,
                tags,
                {},
            )
        )

    def add_identity(self, resource_id: str, principal_id: str, client_id: str) -> None:
        """A user-assigned identity with these ids."""
        name = resource_id.rpartition("/")[2]
        properties = {
            "tenantId": self.azure.state.tenant_id,
            "principalId": principal_id,
            "clientId": client_id,
            "isolationScope": "None",
        }
        kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
        self._put(Resource(resource_id, kind, name, "westus", {}, properties))
        self.add_principal(principal_id, "ServicePrincipal", client_id)

    def add_machine(self, shown: Any) -> None:
        """A virtual machine that answers a GET with `shown`."""
        properties = {k: v for k, v in shown["properties"].items() if k != "provisioningState"}
        self._put(
            Resource(
                shown["id"],
                shown["type"],
                shown["name"],
                shown["location"],
                shown["tags"],
                properties,
                identity=shown.get("identity"),
                etag=int(shown["etag"].strip('"')),
                shows_state=True,
            )
        )

    def add_principal(self, object_id: str, kind: str, client_id: str = "") -> None:
        """An object of the directory, known for long."""
        made = Principal(object_id, client_id, "recorded", kind, 0.0)
        self.azure.state.principals[object_id] = made

    def add_assignments(self, rows: list[Any], *, besides: str) -> None:
        """The role assignments of a recorded list, but for the one named `besides`."""
        for row in rows:
            if row != DROPPED and row["name"] != besides:
                self._add_assignment(row)

    def _add_assignment(self, row: Any) -> None:
        properties = row["properties"]
        scope = normalise(properties["scope"])
        made = RoleAssignment(
            id=row["id"],
            name=row["name"],
            scope=scope,
            role_definition_id=properties["roleDefinitionId"],
            principal_id=properties["principalId"],
            principal_type=properties["principalType"],
            description=properties["description"],
            condition=properties["condition"],
            condition_version=properties["conditionVersion"],
            created_at=0.0,
            created_by=properties["createdBy"],
            updated_at=0.0,
            updated_by=properties["updatedBy"],
        )
        self.azure.state.role_assignments[made.id.lower()] = made
        if "/managementGroups/" in scope:
            group = scope.rpartition("/")[2]
            self.azure.state.subscriptions[SUBSCRIPTION].management_groups += (group,)

    def _put(self, resource: Resource) -> None:
        self.azure.state.resources[resource.id.lower()] = resource
