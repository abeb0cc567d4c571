"""Which events an event subscription wants. Pure.

Sources: Microsoft's page "Understand event filtering for Event Grid subscriptions"; azure-facts §1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from simulator.errors import AzureError
from simulator.state import Json

MAX_FILTERS = 25
MAX_VALUES = 25
MAX_STRING = 512


def _text(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """Strings compare without regard to case; anything that is no string does not match."""

    def matches(actual: Any, wanted: Any) -> bool:
        return isinstance(actual, str) and compare(actual.casefold(), str(wanted).casefold())

    return matches


def _number(compare: Callable[[float, Any], bool]) -> Callable[[Any, Any], bool]:
    def matches(actual: Any, wanted: Any) -> bool:
        return isinstance(actual, int | float) and compare(actual, wanted)

    return matches


_POSITIVE: Mapping[str, Callable[[Any, Any], bool]] = {
    "StringIn": _text(str.__eq__),
    "StringBeginsWith": _text(str.startswith),
    "StringEndsWith": _text(str.endswith),
    "StringContains": _text(str.__contains__),
    "NumberIn": _number(lambda actual, wanted: actual == wanted),
    "NumberLessThan": _number(lambda actual, wanted: actual < wanted),
    "NumberLessThanOrEquals": _number(lambda actual, wanted: actual <= wanted),
    "NumberGreaterThan": _number(lambda actual, wanted: actual > wanted),
    "NumberGreaterThanOrEquals": _number(lambda actual, wanted: actual >= wanted),
    "NumberInRange": _number(lambda actual, wanted: wanted[0] <= actual <= wanted[1]),
    "BoolEquals": lambda actual, wanted: isinstance(actual, bool) and actual is wanted,
}
#: These match where the key is missing, too: a filter on what may be absent fails open.
_NEGATIVE = {
    "StringNotIn": "StringIn",
    "StringNotBeginsWith": "StringBeginsWith",
    "StringNotEndsWith": "StringEndsWith",
    "StringNotContains": "StringContains",
    "NumberNotIn": "NumberIn",
    "NumberNotInRange": "NumberInRange",
}
_NULL = {"IsNotNull", "IsNullOrUndefined"}


def wants(event_filter: Json, event: Json) -> bool:
    """Whether an event passes. `event` in the schema that it is delivered in."""
    return (
        _wants_type(event_filter, event)
        and _wants_subject(event_filter, event["subject"])
        and all(_wants_value(each, event) for each in event_filter.get("advancedFilters") or ())
    )


def _wants_type(event_filter: Json, event: Json) -> bool:
    included = event_filter.get("includedEventTypes")
    kind = str(event.get("eventType") or event.get("type"))
    return not included or kind.casefold() in {each.casefold() for each in included}


def _wants_subject(event_filter: Json, subject: str) -> bool:
    begins: str = event_filter.get("subjectBeginsWith") or ""
    ends: str = event_filter.get("subjectEndsWith") or ""
    if not event_filter.get("isSubjectCaseSensitive"):
        subject, begins, ends = subject.casefold(), begins.casefold(), ends.casefold()
    return subject.startswith(begins) and subject.endswith(ends)


def _wants_value(advanced: Json, event: Json) -> bool:
    operator: str = advanced["operatorType"]
    actual = _value_at(event, advanced["key"])
    if operator in _NULL:
        return (actual is None) == (operator == "IsNullOrUndefined")
    wanted = _operands(advanced)
    if operator in _NEGATIVE:
        return not any(_POSITIVE[_NEGATIVE[operator]](actual, each) for each in wanted)
    return any(_POSITIVE[operator](actual, each) for each in wanted)


def _value_at(event: Json, key: str) -> Any:
    """Dots walk into objects, so a key that has a dot itself can never be reached."""
    found: Any = event
    for part in key.split("."):
        if not isinstance(found, dict):
            return None
        found = next((found[name] for name in found if name.casefold() == part.casefold()), None)
    return found


def _operands(advanced: Json) -> list[Any]:
    return advanced["values"] if "values" in advanced else [advanced.get("value")]


def check_filter(event_filter: Json) -> None:
    """Raises AzureError 400 where Azure's limits are exceeded or an operator is unknown."""
    advanced = event_filter.get("advancedFilters") or []
    values = [value for each in advanced for value in _operands(each) if value is not None]
    known = _POSITIVE.keys() | _NEGATIVE.keys() | _NULL
    for each in advanced:
        if each.get("operatorType") not in known:
            raise invalid_subscription(f"Unknown operatorType '{each.get('operatorType')}'.")
        if not each.get("key"):
            raise invalid_subscription("Advanced filter key cannot be null or empty.")
    if len(advanced) > MAX_FILTERS or len(values) > MAX_VALUES:
        raise invalid_subscription(
            f"There are {len(advanced)} advanced filters with {len(values)} values. An event "
            f"subscription takes {MAX_FILTERS} filters with {MAX_VALUES} values in total."
        )
    if any(isinstance(value, str) and len(value) > MAX_STRING for value in values):
        raise invalid_subscription(f"Filter values are limited to {MAX_STRING} characters.")


def invalid_subscription(message: str) -> AzureError:
    """400 `InvalidRequest`, worded as Event Grid words it."""
    return AzureError(400, "InvalidRequest", f"Invalid event subscription request: {message}")
