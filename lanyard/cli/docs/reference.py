"""The reference in docs/policy.md, made from the models:
`python -m lanyard.cli.docs.reference FILE`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lanyard.cli.schema import policy_schema
from lanyard.policy.standards import SHIPPED
from lanyard.values.compute_types import COMPUTE_TYPES, ComputeType

BEGIN = "<!-- from here on made by python -m lanyard.cli.docs.reference docs/policy.md -->\n"
END = "<!-- to here -->\n"

type Json = dict[str, Any]


def reference() -> str:
    """Every key of the policy file, a table for each part of it; then the shipped standards."""
    schema = policy_schema()
    sections = ["\n".join(_section(path, part)) for path, part in _parts("", schema, schema)]
    return "\n".join([*sections, _standards(), _types()])


def with_reference(page: str) -> str:
    """The page with its reference made anew. Raises ValueError where its place is not marked."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page does not mark where the reference is")
    return f"{before}{BEGIN}\n{reference()}\n{END}{after}"


def _parts(path: str, part: Json, schema: Json) -> Iterator[tuple[str, Json]]:
    """Each part of the file with its keys, outermost first."""
    yield path, part
    for key, field in part["properties"].items():
        below, suffix = field, ""
        while "$ref" not in below and ("items" in below or below.get("additionalProperties")):
            step = "items" if "items" in below else "additionalProperties"
            suffix += "[]" if step == "items" else ".NAME"
            below = below[step]
        found = schema["$defs"].get(below.get("$ref", "").rpartition("/")[2], {})
        if "properties" in found:
            yield from _parts(f"{path}.{key}{suffix}".lstrip("."), found, schema)


def _section(path: str, part: Json) -> Iterator[str]:
    yield f"### `{path}`" if path else "### The file"
    yield ""
    yield f"{part['description']}"
    yield ""
    yield "| key | what it is | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in part["properties"].items():
        default = "**required**" if key in part.get("required", ()) else _default(field)
        meaning = _meaning(field)
        yield f"| `{key}` | {_kind(field)} | {default} | {meaning} |"
    yield ""


def _meaning(field: Json) -> str:
    text = field.get("description") or _definition(field)["description"]
    return " ".join(str(text).split()).replace("|", "\\|")


def _kind(field: Json) -> str:
    if "$ref" in field:
        found = _definition(field)
        return _choices(found["enum"]) if "enum" in found else "mapping"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return _choices(field["enum"])
    if "type" not in field:
        return " or ".join(_kind(each) for each in field["anyOf"])
    if field["type"] == "array":
        inner = _kind(field["items"])
        return f"list of {inner}s" if inner == "mapping" else f"list of {inner}"
    return {
        "string": "text",
        "boolean": "true or false",
        "integer": "whole number",
        "number": "number",
        "object": "mapping",
        "null": "null",
    }[field["type"]]


def _choices(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default(field: Json) -> str:
    default = field.get("default")
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _definition(field: Json) -> Json:
    found: Json = policy_schema()["$defs"][field["$ref"].rpartition("/")[2]]
    return found


def _standards() -> str:
    lines = ["### The standards that ship with Lanyard", "", "| standard | gives |", "|---|---|"]
    for name, contents in SHIPPED.items():
        grants = ", ".join(f"{grant.role} at `{grant.scope}`" for grant in contents)
        lines.append(f"| `{name}` | {grants} |")
    return "\n".join([*lines, ""])


def _types() -> str:
    head = "| type | user-assigned | system-assigned | to know |"
    lines = ["### The types of compute", "", head, "|---|---|---|---|"]
    for kind in COMPUTE_TYPES.values():
        if not (kind.user_assigned or kind.system_assigned):
            continue
        identities = (
            f"{_attached(kind, kind.user_assigned)} | {_attached(kind, kind.system_assigned)}"
        )
        lines.append(f"| `{kind.name}` | {identities} | {'; '.join(_notes(kind))} |")
    return "\n".join([*lines, ""])


def _attached(kind: ComputeType, has: bool) -> str:
    if not has:
        return "no"
    return "yes" if kind.attachable else "reported"


def _notes(kind: ComputeType) -> Iterator[str]:
    if kind.restarts:
        yield "a change of its identity restarts it (`restart`)"
    if kind.imds:
        yield "a second identity may break code that names none (`imdsDefault`)"
    if kind.replaces and kind.attachable:
        yield "a new identity replaces the one it has (`replace`)"
    if kind.instances:
        yield "instances take a change when they are brought up to date (`upgradeInstances`)"
    if kind.kinds:
        yield f"`kinds`: {', '.join(f'`{word}`' for word in kind.kinds)}"
    if kind.reason:
        yield kind.reason


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(with_reference(target.read_text(encoding="utf-8")), encoding="utf-8")
