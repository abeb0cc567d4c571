"""The Bicep of infra/ as pycep-parser reads it. It parses; it does not compile: types, the
parameters of registry modules and Azure's own checks are beyond it.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

INFRA = Path(__file__).parents[3] / "infra"
# The parser knows no lists in a type: of the types only the compiler speaks.
FILES = sorted(path for path in INFRA.rglob("*.bicep") if path.name != "types.bicep")

type Node = Any

_FIRST_LINE = re.compile(r"^resource (\w+) '([^'@]+)@[^']+' = ", re.MULTILINE)


@cache
def parser() -> BicepParser:
    """One for all files: to read its grammar takes as long as to parse a file."""
    return BicepParser()


@cache
def parsed(path: Path) -> dict[str, Any]:
    """The file's parameters, variables, resources, modules and outputs."""
    tree: dict[str, Any] = {**parser().parse(text=path.read_text(encoding="utf-8"))}
    return tree


def of(name: str) -> dict[str, Any]:
    """The file by its path below infra/."""
    return parsed(INFRA / name)


def declared(path: Path, kind: str) -> int:
    """How many the text itself declares, to hold what was parsed against."""
    return len(re.findall(rf"^{kind} ", path.read_text(encoding="utf-8"), re.MULTILINE))


def resources(kind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Those made, in all files, of one type or of any: a name to tell, and the resource."""
    for path in FILES:
        for name, resource in parsed(path).get("resources", {}).items():
            if not resource["existing"] and kind in ("", resource["type"]):
                yield f"{path.name}: {name}", resource


def made(kind: str = "") -> Iterator[tuple[Path, str]]:
    """File and name of those that `resources` finds, by their first lines: for the names of tests,
    which every process collects; none has to parse all files for that.
    """
    for path in FILES:
        for name, its_type in _FIRST_LINE.findall(path.read_text(encoding="utf-8")):
            if kind in ("", its_type):
                yield path, name


def body(resource: dict[str, Any]) -> dict[str, Any]:
    """What is sent, without the loop or condition around it."""
    found: dict[str, Any] = resource["config"]
    while set(found) <= {"loop_type", "condition", "config"}:
        found = found["config"]
    return found


def variable(name: str, file: str) -> Any:
    """The value of a variable."""
    return of(file)["variables"][name]["value"]


def texts(node: Node) -> Iterator[str]:
    """Every text in a part of the tree, keys included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node
