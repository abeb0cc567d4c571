"""What of a file with mistakes in its shape can be checked all the same: the file without what is
broken, so that a person gets one list of mistakes, not one after the other.
"""

from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from lanyard.policy.checks import check_parts, check_values
from lanyard.policy.document import Policy
from lanyard.policy.problems import Found, Path
from lanyard.policy.section import read_part
from lanyard.policy.validation_errors import path_of

# A cut may leave a key missing, and that a part broken: what is nested is not deeper.
_MOST_CUTS = 10
_PLACEHOLDERS = {"identities", "standards", "vars", "rules"}
#: Without these, whatever names a part of them would name nothing.
_NAMED: set[Path] = {("identities",), ("standards",), ("vars",)}


def check_readable(data: Any, error: ValidationError) -> Found:
    """The problems that remain of what is wrong in shape: of values wherever they stand, and of
    parts that are whole.
    """
    left, broken = deepcopy(data), set[Path]()
    for _ in range(_MOST_CUTS):
        paths = [_cut(path_of(one), missing=one["type"] == "missing") for one in error.errors()]
        broken |= {path[:2] for path in paths}
        for path in paths:
            _without(left, path)
        if broken & _NAMED:
            return
        try:
            policy = read_part(Policy, left)
        except ValidationError as next_error:
            error = next_error
        else:
            yield from _unbroken(policy, broken)
            return


def _unbroken(policy: Policy, broken: set[Path]) -> Found:
    yield from check_values(policy)
    kept = [index for index in range(len(policy.rules)) if ("rules", index) not in broken]
    whole = policy.model_copy(update={"rules": [policy.rules[index] for index in kept]})
    for path, message in check_parts(whole):
        match path:
            case ("rules", int() as index, *below):
                yield ("rules", kept[index], *below), message
            case _ if path[:2] not in broken:
                yield path, message


def _cut(path: Path, *, missing: bool) -> Path:
    """What is left out for a mistake at `path`: a key, or the key of the list that it is in; a rule
    stays in its place.
    """
    path = path[:-1] if missing and len(path) > 1 else path
    while path and isinstance(path[-1], int) and (len(path), path[0]) != (2, "rules"):
        path = path[:-1]
    return path


def _without(data: Any, path: Path) -> None:
    """Leave the part out; what others name, or count by its place, is put in its place."""
    *above, last = path
    for part in above:
        if not _has(data, part):
            return
        data = data[part]
    if path == ("version",):
        data["version"] = 1
    elif _has(data, last) and above and above[0] in _PLACEHOLDERS and len(path) == 2:
        data[last] = _placeholder(path)
    elif _has(data, last):
        del data[last]


def _has(data: Any, part: str | int) -> bool:
    return (isinstance(data, dict) and part in data) or (
        isinstance(data, list) and isinstance(part, int) and part < len(data)
    )


def _placeholder(path: Path) -> Any:
    match path[0]:
        case "rules":
            types = ["Microsoft.Compute/virtualMachines"]
            return {"name": f"rule {path[1]}", "match": {"types": types}, "system": True}
        case "standards":
            return []
        case "vars":
            return {}
    return {"name": f"{path[1]}"[:100] + "-{resource.hash}", "per": "resource"}
