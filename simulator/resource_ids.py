"""Resource ids and scopes. They compare without regard to case; this module lower-cases nothing
that is shown to a client."""

from dataclasses import dataclass
from functools import lru_cache

_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"


@dataclass(frozen=True)
class ResourceId:
    """A resource of a resource group. `type` is "Namespace/a/b", `name` is "x/y" for children."""

    subscription: str
    group: str
    type: str
    name: str


@lru_cache(maxsize=65536)
def _folded(scope: str) -> str:
    return normalise(scope).lower()


def normalise(scope: str) -> str:
    """One leading slash, no doubled or trailing one; the root scope is "/". Casing stays."""
    return "/" + "/".join(segment for segment in scope.split("/") if segment)


def parse(resource_id: str) -> ResourceId | None:
    """The parts, or None when it is not the id of a resource in a resource group."""
    parts = [segment for segment in resource_id.split("/") if segment]
    if len(parts) < 8 or len(parts) % 2:
        return None
    words = [parts[0].lower(), parts[2].lower(), parts[4].lower()]
    if words != ["subscriptions", "resourcegroups", "providers"]:
        return None
    kinds, names = parts[6::2], parts[7::2]
    return ResourceId(parts[1], parts[3], "/".join([parts[5], *kinds]), "/".join(names))


def group_id(subscription: str, group: str) -> str:
    """The id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def subscription_of(scope: str) -> str | None:
    """The subscription's id in lower case, or None above the subscriptions."""
    parts = _folded(scope).split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None


def management_group_of(scope: str) -> str | None:
    """The management group's name in lower case, when the scope is one."""
    lowered = _folded(scope)
    return lowered.removeprefix(_MANAGEMENT_GROUP) if _is_management_group(lowered) else None


def is_within(scope: str, outer: str) -> bool:
    """Whether `scope` is `outer` or below it, by their paths alone."""
    inner, base = _folded(scope), _folded(outer)
    return base == "/" or inner == base or inner.startswith(base + "/")


def _is_management_group(lowered: str) -> bool:
    return lowered.startswith(_MANAGEMENT_GROUP) and lowered.count("/") == 4
