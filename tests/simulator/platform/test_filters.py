"""Which events an event subscription gets."""

from typing import Any

import pytest

from simulator.errors import AzureError
from simulator.event_grid.filters import check_filter, wants
from simulator.event_grid.models import RetryPolicy, event_subscription

EVENT: dict[str, Any] = {
    "subject": "/subscriptions/S/resourceGroups/Prod/providers/Microsoft.Compute/disks/vm",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "data": {
        "operationName": "Microsoft.Compute/virtualMachines/write",
        "claims": {"appid": "App-1", "http://schemas.microsoft.com/identity/claims/x": "y"},
        "count": 3,
        "flag": True,
    },
}


def passes(operator: str, key: str, *values: object) -> bool:
    return wants({"advancedFilters": [filter_of(operator, key, *values)]}, EVENT)


def filter_of(operator: str, key: str, *values: object) -> dict[str, Any]:
    single = operator.startswith("Bool") or "Than" in operator
    return {
        "operatorType": operator,
        "key": key,
        **({"value": values[0]} if single else {"values": list(values)}),
    }


@pytest.mark.parametrize(
    ("operator", "key", "values", "passed"),
    [
        ("StringIn", "data.claims.appid", ["other", "app-1"], True),
        ("StringIn", "data.claims.appid", ["other"], False),
        ("StringNotIn", "data.claims.appid", ["APP-1"], False),
        ("StringNotIn", "data.claims.missing", ["app-1"], True),
        ("StringIn", "data.claims.missing", ["app-1"], False),
        ("StringBeginsWith", "data.operationName", ["microsoft.compute/"], True),
        ("StringNotBeginsWith", "data.operationName", ["microsoft.compute/"], False),
        ("StringEndsWith", "data.operationName", ["/delete", "/write"], True),
        ("StringNotEndsWith", "data.operationName", ["/write"], False),
        ("StringContains", "subject", ["resourcegroups/prod/"], True),
        ("StringNotContains", "subject", ["resourcegroups/prod/"], False),
        ("IsNotNull", "data.claims.appid", [], True),
        ("IsNotNull", "data.claims.missing", [], False),
        ("IsNullOrUndefined", "data.claims.missing", [], True),
        ("NumberIn", "data.count", [1, 3], True),
        ("NumberNotIn", "data.count", [3], False),
        ("NumberGreaterThan", "data.count", [3], False),
        ("NumberGreaterThanOrEquals", "data.count", [3], True),
        ("NumberLessThan", "data.count", [4], True),
        ("NumberLessThanOrEquals", "data.count", [2], False),
        ("NumberInRange", "data.count", [[1, 2], [3, 5]], True),
        ("NumberNotInRange", "data.count", [[1, 2]], True),
        ("BoolEquals", "data.flag", [True], True),
        ("BoolEquals", "data.flag", [False], False),
        ("StringIn", "data.count", ["3"], False),
    ],
)
def test_advanced_filters(operator: str, key: str, values: list[object], passed: bool) -> None:
    assert passes(operator, key, *values) is passed


def test_a_key_with_dots_in_its_name_cannot_be_reached() -> None:
    assert not passes("StringIn", "data.claims.http://schemas.microsoft.com/identity/claims/x", "y")


def test_filters_and_values_or() -> None:
    first = filter_of("StringIn", "data.claims.appid", "app-1")
    second = filter_of("StringIn", "data.claims.appid", "another")
    assert wants({"advancedFilters": [first]}, EVENT)
    assert not wants({"advancedFilters": [first, second]}, EVENT)


@pytest.mark.parametrize(
    ("event_filter", "passed"),
    [
        ({}, True),
        ({"includedEventTypes": None, "subjectBeginsWith": ""}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]}, False),
        ({"subjectBeginsWith": "/subscriptions/s/resourcegroups/prod"}, True),
        (
            {
                "subjectBeginsWith": "/subscriptions/s/resourcegroups/prod",
                "isSubjectCaseSensitive": True,
            },
            False,
        ),
        ({"subjectEndsWith": "/VM"}, True),
        ({"subjectEndsWith": "/vm2"}, False),
    ],
)
def test_types_and_subjects(event_filter: dict[str, Any], passed: bool) -> None:
    assert wants(event_filter, EVENT) is passed


@pytest.mark.parametrize(
    "advanced",
    [
        [filter_of("StringIn", "subject", *map(str, range(26)))],
        [filter_of("IsNotNull", "subject")] * 26,
        [filter_of("StringIn", "subject", "x" * 513)],
        [filter_of("StringLike", "subject", "x")],
        [{"operatorType": "StringIn", "values": ["x"]}],
    ],
    ids=["26 values", "26 filters", "513 characters", "unknown operator", "no key"],
)
def test_a_filter_beyond_azures_limits_is_refused(advanced: list[dict[str, Any]]) -> None:
    with pytest.raises(AzureError) as refused:
        check_filter({"advancedFilters": advanced})
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequest")


def test_25_filters_with_25_values_are_taken() -> None:
    check_filter({"advancedFilters": [filter_of("StringIn", "subject", "x" * 512)] * 25})


WEBHOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://app.example/"}}
TOPIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/systemTopics/t"
ID = f"{TOPIC}/eventSubscriptions/e"


def test_an_event_subscription_has_azures_defaults() -> None:
    subscription = event_subscription(ID, {"destination": WEBHOOK})
    assert (subscription.name, subscription.topic_id) == ("e", TOPIC)
    assert subscription.retry == RetryPolicy(max_attempts=30, time_to_live=86400.0)
    assert (subscription.schema, subscription.dead_letter) == ("EventGridSchema", None)


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "no url"}}},
        {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "http://a.b/"}}},
        {"destination": {"endpointType": "ServiceBusQueue", "properties": {"resourceId": "/x"}}},
        {"destination": {"endpointType": "AzureFunction", "properties": {}}},
        {"destination": WEBHOOK, "eventDeliverySchema": "CustomInputSchema"},
        {"destination": WEBHOOK, "retryPolicy": {"maxDeliveryAttempts": 31}},
        {"destination": WEBHOOK, "retryPolicy": {"eventTimeToLiveInMinutes": 0}},
        {"destination": WEBHOOK, "deadLetterDestination": {"endpointType": "StorageBlob"}},
    ],
)
def test_a_wrong_event_subscription_is_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(AzureError, match="Invalid event subscription request"):
        event_subscription(ID, properties)


def test_plain_http_is_taken_on_loopback() -> None:
    local = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:7071/x"}}
    assert event_subscription(ID, {"destination": local}).endpoint == "http://127.0.0.1:7071/x"
