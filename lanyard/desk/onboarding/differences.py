"""What of a resource is not as it should be. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lanyard.values.resource_id import folded


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """The paths at which `found` (as ARM answers) lacks what `wanted` (as it is sent) has.

    What ARM adds is no difference, nor are case and the order of a list; what is wanted to be
    absent (None, an empty list) is.
    """
    if isinstance(wanted, Mapping):
        yield from _of_object(wanted, found, path)
    elif isinstance(wanted, list):
        if not _same_list(wanted, found if isinstance(found, list) else []):
            yield path
    elif wanted is None:
        if found not in (None, ""):
            yield path
    elif not _same(wanted, found):
        yield path


def _of_object(wanted: Mapping[str, Any], found: Any, path: str) -> Iterator[str]:
    members = found if isinstance(found, Mapping) else {}
    by_name = {str(name).lower(): value for name, value in members.items()}
    for name, value in wanted.items():
        yield from differences(value, by_name.get(name.lower()), f"{path}.{name}".lstrip("."))


def _same_list(wanted: Sequence[Any], found: Sequence[Any]) -> bool:
    """Each of the one is one of the other."""
    if len(wanted) != len(found):
        return False
    left = list(found)
    for each in wanted:
        match = next((one for one in left if not [*differences(each, one)]), _NONE)
        if match is _NONE:
            return False
        left.remove(match)
    return True


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return folded(wanted) == folded(found)
    # True is no 1 here, as it is none in JSON; 0 and 0.0 are one number.
    return isinstance(wanted, bool) == isinstance(found, bool) and bool(wanted == found)


_NONE = object()
