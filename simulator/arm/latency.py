"""How long a call takes that was let in: by its verb, or by its verb and type."""

from collections.abc import Mapping


def call_seconds(times: Mapping[str, float], method: str, path: str) -> float:
    """The entry "PUT microsoft.authorization/roleassignments" if there is one, or "PUT", or 0.

    Types are in lower case; `path` may be in any.
    """
    if not times:
        return 0.0
    by_verb = times.get(method, 0.0)
    return times.get(f"{method} {_type_of(path.lower())}", by_verb)


def _type_of(path: str) -> str:
    """The type of the last resource in a path, an extension's or a provider's; "" for the rest."""
    _, found, resource = path.rpartition("/providers/")
    if not found:
        return ""
    namespace, *rest = resource.split("/")
    return "/".join([namespace, *rest[::2]])
