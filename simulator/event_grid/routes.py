"""What Microsoft.EventGrid serves of system topics and their event subscriptions.

Where their links lead is served with the custom topics (custom_topic_routes.py).
"""

from dataclasses import replace

from simulator.arm.messages import Operation
from simulator.authorization.access import Access
from simulator.event_grid.models import RULES, SUBSCRIPTION_TYPE, TOPIC_TYPE
from simulator.event_grid.service import EventGrid
from simulator.event_grid.subscription_routes import EventSubscriptions
from simulator.event_grid.topic_routes import Topics
from simulator.managed_identity.attach import Attacher
from simulator.operations import Operations
from simulator.state import State

VERSIONS = (
    *("2020-10-15-preview", "2021-06-01-preview", "2021-10-15-preview", "2021-12-01"),
    *("2022-06-15", "2023-06-01-preview", "2023-12-15-preview"),
    *("2024-06-01-preview", "2024-12-15-preview", "2025-02-15", "2025-07-15-preview"),
)

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_TOPICS = f"{_GROUP}/providers/{TOPIC_TYPE}"
_TOPIC = f"{_TOPICS}/{{topic}}"
_EVENTS = f"{_TOPIC}/eventSubscriptions"
_EVENT = f"{_EVENTS}/{{name}}"


def operations(
    state: State, event_grid: EventGrid, access: Access, running: Operations
) -> list[Operation]:
    """All operations on system topics and event subscriptions."""
    attacher = Attacher(state, access, f"{TOPIC_TYPE}/write", RULES)
    topics = Topics(state, event_grid, attacher, running)
    events = EventSubscriptions(state, event_grid, access, running)
    read, of_all = f"{TOPIC_TYPE}/read", f"{_SUBSCRIPTION}/providers/{TOPIC_TYPE}"
    made = [
        Operation("PUT", _TOPIC, topics.put, f"{TOPIC_TYPE}/write"),
        Operation("PATCH", _TOPIC, topics.patch, f"{TOPIC_TYPE}/write"),
        Operation("GET", _TOPIC, topics.get, read),
        Operation("DELETE", _TOPIC, topics.delete, f"{TOPIC_TYPE}/delete"),
        Operation("GET", _TOPICS, topics.list, read, _GROUP),
        Operation("GET", of_all, topics.list, read, _SUBSCRIPTION),
        Operation("PUT", _EVENT, events.put, f"{SUBSCRIPTION_TYPE}/write"),
        Operation("PATCH", _EVENT, events.patch, f"{SUBSCRIPTION_TYPE}/write"),
        Operation("GET", _EVENT, events.get, f"{SUBSCRIPTION_TYPE}/read"),
        Operation("DELETE", _EVENT, events.delete, f"{SUBSCRIPTION_TYPE}/delete"),
        Operation("GET", _EVENTS, events.list, f"{SUBSCRIPTION_TYPE}/read", _TOPIC),
        Operation(
            "POST",
            f"{_EVENT}/getFullUrl",
            events.full_url,
            f"{SUBSCRIPTION_TYPE}/getFullUrl/action",
            _EVENT,
        ),
    ]
    return [replace(each, versions=VERSIONS) for each in made]
