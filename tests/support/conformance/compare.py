"""What must agree between Azure's answer and the simulator's: status, error code, the whole body
apart from ids and times, and the headers that steer the SDK."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from tests.support.conformance.recordings import DROPPED

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_STEERING = ("etag", "retry-after", "azure-asyncnotification", "x-ms-failure-cause")
_LINKS = ("location", "azure-asyncoperation")
_QUOTA = "x-ms-ratelimit-remaining-"


def alike(value: Any) -> Any:
    """GUIDs and times replaced, lists in a fixed order, parts that were dropped left out."""
    if isinstance(value, dict):
        return {_masked(key): alike(inner) for key, inner in value.items()}
    if isinstance(value, list):
        kept = [alike(inner) for inner in value if inner != DROPPED]
        return sorted(kept, key=lambda inner: json.dumps(inner, sort_keys=True))
    return _masked(value) if isinstance(value, str) else value


def shape(value: Any) -> Any:
    """Keys and JSON types only."""
    if isinstance(value, dict):
        return {_masked(key): shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value if inner != DROPPED]
    return "null" if value is None else type(value).__name__


def steering(headers: Any) -> dict[str, str]:
    """The headers that tell the SDK what to do next; links by their path."""
    found = {name: headers[name] for name in _STEERING if name in headers}
    return found | {name: _link(headers[name]) for name in _LINKS if name in headers}


def quota_names(headers: Any) -> set[str]:
    """The quota headers there are, Compute's split into its buckets."""
    names = {name.lower() for name in headers if name.lower().startswith(_QUOTA)}
    buckets = headers.get(f"{_QUOTA}resource") or ""
    return names | {part.partition(";")[0] for part in buckets.split(",") if part}


def _masked(text: str) -> str:
    masked = _TIME.sub("<time>", text)
    return _GUID.sub("<guid>", masked)


def _link(url: str) -> str:
    parts = urlsplit(url)
    path = re.sub(r"(/operationresults/)[^/?]+", r"\1<job>", parts.path)
    return ("absolute " if parts.netloc else "relative ") + _masked(path)
