"""How an app is connected: the event subscriptions on the system topics of a subscription, and what
its identity may do there. Read from a desk, with the rights of whoever asks.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from azure.core.rest import HttpRequest

from lanyard.azure.arm import listing
from lanyard.azure.arm.answers import body_of
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.resource_graph import ResourceGraph
from lanyard.desk.azure.any_resource import AnyResource
from lanyard.desk.onboarding.parts import AUTHORIZATION, INSTALLATION_LABEL
from lanyard.desk.onboarding.template import definition_id
from lanyard.desk.rights_compared import Allowed
from lanyard.values.permissions import Permission
from lanyard.values.resource_id import ResourceId, folded, is_guid, is_within, last_name

_TOPICS = "/subscriptions/{}/providers/Microsoft.EventGrid/systemTopics?api-version=2022-06-15"
_EVENTS = "{}/eventSubscriptions?api-version=2022-06-15"
_ASSIGNMENTS = (
    "/subscriptions/{}/providers/Microsoft.Authorization/roleAssignments"
    "?api-version=2022-04-01&$filter=principalId%20eq%20'{}'"
)
_ASSIGNMENTS_AT = (
    "{}/providers/Microsoft.Authorization/roleAssignments"
    "?api-version=2022-04-01&$filter=principalId%20eq%20'{}'"
)
_DEFINITION_AT = "{}/providers/Microsoft.Authorization/roleDefinitions/{}?api-version=2022-04-01"
_RESOURCE_GROUPS = "/subscriptions/{}/resourceGroups?api-version=2025-04-01"
_SEND = "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action"
_WEB_VERSION = "2025-05-01"
_HOST_STATUS = "/host/default/properties/status"
_SUBSCRIPTION = "/subscriptions/{}?api-version=2022-12-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """An event subscription."""

    #: Its resource id.
    id: str
    #: What the topic reports on.
    source: str
    #: The function's id, a queue's, or a webhook's address without its query, which may hold a key.
    endpoint: str
    #: As ARM writes it: "Succeeded", …
    state: str
    #: The event types that it lets through; empty: all.
    types: frozenset[str]
    #: Whether what cannot be delivered is kept.
    dead_letters: bool
    #: As its maker wrote them.
    labels: frozenset[str]
    #: Whom it puts events into the queue as, where the endpoint is one (object id of the topic's
    #: identity, "" where it has none); None where they come by webhook.
    sender: str | None = None

    @property
    def way(self) -> str:
        """How its events come."""
        return "webhook" if self.sender is None else "queue"

    @property
    def installations(self) -> frozenset[str]:
        """Those (GUIDs, lower case) that its labels name: whose it is."""
        labels = [folded(label) for label in self.labels]
        named = [each for each in labels if each.startswith(INSTALLATION_LABEL)]
        return frozenset(each.removeprefix(INSTALLATION_LABEL) for each in named)

    @property
    def account(self) -> str:
        """The storage account (name, lower case) of its queue; "" where they come by webhook."""
        id_, queues, _ = folded(self.endpoint).partition("/queueservices/")
        return last_name(id_) if queues else ""


@dataclass(frozen=True, slots=True)
class Host:
    """The Functions host of an app: `state` as it says it ("Running", "Error", …), and why."""

    state: str
    errors: tuple[str, ...]


class Setup:
    """Reads how an app is connected."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def event_subscriptions(self, subscription: str) -> list[Subscribed]:
        """Those on every system topic of the subscription. Raises Temporary, Permanent."""
        found: list[Subscribed] = []
        async for topic in self._pages(_TOPICS.format(subscription)):
            events = _EVENTS.format(topic["id"])
            found += [_subscribed(event, topic) async for event in self._pages(events)]
        return found

    async def permissions(self, principal: str, subscription: str) -> list[Allowed]:
        """What a principal (object id) is allowed at, above and below the subscription."""
        found: list[Allowed] = []
        roles: dict[str, list[Permission]] = {}  # one may be assigned at many groups
        async for each in self._pages(_ASSIGNMENTS.format(subscription, principal)):
            properties, id_ = each["properties"], str(each["id"])
            scope, role = (str(properties[key]) for key in ("scope", "roleDefinitionId"))
            if role not in roles:
                definition = await self._get(f"{role}?api-version=2022-04-01")
                roles[role] = [*map(_permission, definition["properties"]["permissions"])]
            condition = str(properties.get("condition") or "")
            found += [Allowed(scope, part, condition, last_name(role), id_) for part in roles[role]]
        return found

    async def resource_groups(self, subscription: str) -> frozenset[str]:
        """The names (folded) of those that there are. Raises Temporary, Permanent."""
        pages = self._pages(_RESOURCE_GROUPS.format(subscription))
        return frozenset([folded(str(each["name"])) async for each in pages])

    async def defines(self, subscription: str, role: str) -> bool:
        """Whether a subscription has a role definition (GUID). Raises Temporary, Permanent."""
        id_ = definition_id(subscription, role)
        return await AnyResource(self._clients).read(id_, AUTHORIZATION) is not None

    async def may_send(self, principal: str, queue: str) -> bool:
        """Whether a principal (object id) may put messages into a queue (id). Raises Temporary,
        Permanent.
        """
        async for each in self._pages(_ASSIGNMENTS_AT.format(queue, principal)):
            scope, role = (str(each["properties"][k]) for k in ("scope", "roleDefinitionId"))
            # At the queue: who may read that need not read its subscription.
            definition = await self._get(_DEFINITION_AT.format(queue, last_name(role)))
            parts = map(_permission, definition["properties"]["permissions"])
            if is_within(queue, scope) and any(part.allows_data(_SEND) for part in parts):
                return True
        return False

    async def principal(self, client_id: str) -> str:
        """The object id of the user-assigned identity with this client id, "" where none is
        listed. A client id is a GUID; anything else is no identity's.
        """
        if not is_guid(client_id):
            return ""
        query = (
            "resources | where type =~ 'microsoft.managedidentity/userassignedidentities' "
            f"| where properties.clientId =~ '{client_id}' | project id, properties "
            "| order by id asc"
        )
        async for row in ResourceGraph(self._clients).rows(query):
            return folded(str(row["properties"].get("principalId") or ""))
        return ""

    async def with_topic(self, name: str) -> frozenset[str]:
        """The subscriptions (ids) that have a system topic of this name."""
        query = (
            "resources | where type =~ 'microsoft.eventgrid/systemtopics' "
            f"| where name =~ '{name}' | project id | order by id asc"
        )
        rows = ResourceGraph(self._clients).rows(query)
        return frozenset([ResourceId.parse(str(row["id"])).subscription async for row in rows])

    async def tenant_of_app(self, site: str) -> str:
        """The tenant (lower case) that an app is in, "" where it is not listed."""
        query = f"resources | where id =~ '{site}' | project id, tenantId | order by id asc"
        async for row in ResourceGraph(self._clients).rows(query):
            return folded(str(row.get("tenantId") or ""))
        return ""

    async def functions(self, site: str) -> frozenset[str]:
        """The names of the functions that ARM shows of an app. Raises Temporary, Permanent."""
        return frozenset(
            [
                str(each["properties"]["name"])
                async for each in self._pages(f"{site}/functions?api-version={_WEB_VERSION}")
            ]
        )

    async def host(self, site: str) -> Host:
        """How the Functions host of an app is, by its own account (azure-functions-host, issue
        6254). Raises Temporary, Permanent.
        """
        status = await self._get(f"{site}{_HOST_STATUS}?api-version={_WEB_VERSION}")
        found = status["properties"]
        return Host(str(found.get("state") or ""), tuple(map(str, found.get("errors") or ())))

    async def app_settings(self, site: str) -> dict[str, str]:
        """The settings of an app, secrets among them. Raises Temporary, Permanent."""
        url = f"{site}/config/appsettings/list?api-version={_WEB_VERSION}"
        with translated(f"read the settings of {site}"):
            response = await self._clients.resources.send_request(HttpRequest("POST", url))
            response.raise_for_status()
            return {str(k): str(v) for k, v in body_of(response)["properties"].items()}

    async def tenant(self, subscription: str) -> str:
        """The tenant (lower case) that a subscription is of, also where it is delegated to another
        one (Azure Lighthouse). Raises Temporary, Permanent.
        """
        found = await self._get(_SUBSCRIPTION.format(subscription))
        return folded(str(found.get("tenantId") or ""))

    async def date(self, subscription: str) -> str:
        """When ARM says that it is: the header `Date` of an answer, "" where it has none."""
        with translated(f"read subscription {subscription}"):
            request = HttpRequest("GET", _SUBSCRIPTION.format(subscription))
            response = await self._clients.resources.send_request(request)
            response.raise_for_status()
        return str(response.headers.get("Date", ""))

    async def _pages(self, url: str) -> AsyncIterator[Any]:
        with translated(f"list {url.partition('?')[0]}"):
            async for entry in listing.listed(self._clients, url):
                yield entry

    async def _get(self, url: str) -> Any:
        with translated(f"read {url.partition('?')[0]}"):
            return await listing.get(self._clients, url)


def _subscribed(event: Any, topic: Any) -> Subscribed:
    properties = event["properties"]
    destination = (
        properties.get("destination")
        or (properties.get("deliveryWithResourceIdentity") or {}).get("destination")
        or {}
    )
    target = destination.get("properties") or {}
    by_queue = str(destination.get("endpointType")).lower() == "storagequeue"
    types = (properties.get("filter") or {}).get("includedEventTypes") or ()
    dead = properties.get("deadLetterDestination") or properties.get(
        "deadLetterWithResourceIdentity"
    )
    return Subscribed(
        id=str(event["id"]),
        source=str(topic["properties"].get("source", "")),
        endpoint=_endpoint(target, by_queue=by_queue),
        state=str(properties.get("provisioningState") or ""),
        types=frozenset(map(str, types)),
        dead_letters=bool(dead),
        labels=frozenset(map(str, properties.get("labels") or ())),
        sender=_principal(topic) if by_queue else None,
    )


def _endpoint(target: Any, *, by_queue: bool) -> str:
    id_ = str(target.get("resourceId") or target.get("endpointBaseUrl") or "")
    return f"{id_}/queueServices/default/queues/{target.get('queueName')}" if by_queue else id_


def _principal(topic: Any) -> str:
    return str((topic.get("identity") or {}).get("principalId") or "")


def _permission(part: Any) -> Permission:
    members = ("actions", "notActions", "dataActions", "notDataActions")
    return Permission(*(tuple(part.get(name) or ()) for name in members))
