"""The JSON Schema of what the commands write with --json, made from the shapes that their pages
show. It has what is in a document and what that means; a text and a number look the same there.
"""

from collections.abc import Mapping
from typing import Any

from lanyard.cli.catalogue import COMMANDS
from lanyard.cli.frame.options import Command

type Json = dict[str, Any]

_ID = "lanyard.commands.schema.json"


def schema_of_all() -> Json:
    """One document with all of them: `$defs` has each by the command's name."""
    documents = _documents()
    named = [{"$ref": f"#/$defs/{name}"} for name in documents]
    head = _head(_ID) | {"title": "What the commands of lanyard write with --json"}
    return {**head, "anyOf": named, "$defs": documents}


def _head(id_: str) -> Json:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id_}


def _documents() -> dict[str, Json]:
    found = {each.name: each.command() for each in COMMANDS}
    return {name: _document(name, command) for name, command in found.items() if command.shape}


def _document(name: str, command: Command) -> Json:
    document = _of_shape(command.shape)
    return {"title": f"lanyard {name} --json", **document, "required": ["version"]}


def _of_shape(shape: Mapping[str, str]) -> Json:
    whole = _object()
    for path, meaning in shape.items():
        *above, last = path.split(".")
        _at(whole, above)["properties"] |= _member(last, meaning)
    return whole


def _member(key: str, meaning: str) -> Json:
    if key == "version":
        return {key: {"const": int(meaning.split("`")[1]), "description": meaning}}
    if key.endswith("[]"):
        return {key.removesuffix("[]"): {"anyOf": _or_null(_list()), "description": meaning}}
    return {key: {"description": meaning}}


def _or_null(part: Json) -> list[Json]:
    return [part, {"type": "null"}]


def _list() -> Json:
    return {"type": "array", "items": {}}


def _object() -> Json:
    return {"type": "object", "properties": {}}


def _at(whole: Json, above: list[str]) -> Json:
    """The part of the schema that a path leads to, as an object."""
    part = whole
    for key in above:
        part = _object_in(part["properties"], key)
    return part


def _object_in(properties: Json, key: str) -> Json:
    """A list is one of objects, and what is there may be null."""
    name, is_list = key.removesuffix("[]"), key.endswith("[]")
    field = properties.setdefault(name, {})
    found: Json = field.setdefault("anyOf", _or_null(_list() if is_list else _object()))[0]
    if not is_list:
        return found
    items: Json = found["items"] or _object()
    found["items"] = items
    return items
