"""JSON as the real host reads and writes it, by Newtonsoft.Json: not byte for byte what was sent.

Every text value that Newtonsoft takes for a date is one afterwards, and is written anew (host in
UTC, as Azure's are). Source: what the host did with 187 requests (../shared/host/eventgrid.jsonl).
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

MAX_DEPTH = 64
"""Arrays and objects within each other."""
_MAX_DIGITS = 380
"""Of an integer."""

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_MILLISECONDS = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/", re.ASCII)


class NotJson(ValueError):
    """Newtonsoft refuses it."""


def read(text: str) -> Any:
    """The value, its dates written anew. Raises NotJson, for what is nested too deeply as well.

    Newtonsoft takes more than JSON (comments, single quotes, names without any); this does not.
    """
    try:
        value = json.loads(
            text,
            strict=False,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=str,
        )
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    return _mapped(value, rewritten, 1)


def rewritten(text: str) -> str:
    """A text value as it comes out again; what is no date stays."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _date(whole) or whole


def shown(text: str) -> str:
    """A text value as .NET shows it as text: a date in the invariant culture."""
    written = rewritten(text)
    if written == text and not _is_date(text):
        return text
    moment = datetime.fromisoformat(written.removesuffix("Z")[:19])
    return moment.strftime("%m/%d/%Y %H:%M:%S")


def compact(value: Any) -> str:
    """On one line, non-ASCII as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def indented(value: Any) -> str:
    """As JToken.ToString() writes an object or array: over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _mapped(value: Any, of_text: Callable[[str], str], depth: int) -> Any:
    if isinstance(value, str):
        return of_text(value)
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        raise NotJson(f"more than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_mapped(item, of_text, depth + 1) for item in value]
    return {name: _mapped(item, of_text, depth + 1) for name, item in value.items()}


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise NotJson("an integer of too many digits")
    return int(digits)


def _float(text: str) -> float | str:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _is_date(text: str) -> bool:
    return _date(text) is not None


def _date(text: str) -> str | None:
    if match := _MILLISECONDS.fullmatch(text):
        return _from_milliseconds(int(match[1]), match[2])
    if match := _ISO.fullmatch(text):
        return _from_iso(*match.groups())
    return None


def _from_milliseconds(milliseconds: int, offset: str | None) -> str | None:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    fraction = f"{milliseconds % 1000:03d}"
    return _written(moment, fraction, "Z" if offset is None else "+00:00")


def _from_iso(
    day: str, hour: str, minute: str, second: str, fraction: str | None, zone: str | None
) -> str | None:
    midnight = hour == "24" and int(minute) == int(second) == int(fraction or 0) == 0
    try:
        moment = datetime.fromisoformat(f"{day}T{'00' if midnight else hour}:{minute}:{second}")
        moment += timedelta(days=midnight)
    except (ValueError, OverflowError):
        return None
    if zone is None or zone == "Z":
        return _written(moment, fraction or "", zone or "")
    return _written(_in_utc(moment, zone), fraction or "", "+00:00")


def _in_utc(moment: datetime, zone: str) -> datetime:
    """At either end of time .NET stays there."""
    hours, minutes = int(zone[1:3]), int(zone[3:].removeprefix(":") or 0)
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    try:
        return moment - offset
    except OverflowError:
        return datetime.min if offset > timedelta(0) else datetime.max


def _written(moment: datetime, fraction: str, zone: str) -> str:
    tail = fraction.rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{tail}" if tail else "") + zone
