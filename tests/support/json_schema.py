"""The part of JSON Schema that the policy's schema is written in. Any other keyword is an error, so
that nothing the schema says goes unchecked.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

type Json = dict[str, Any]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda value, name: _TYPES[name](value),
    "const": lambda value, wanted: bool(value == wanted),
    "enum": lambda value, allowed: value in allowed,
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "pattern": lambda value, wanted: re.search(wanted, value) is not None,
    "minItems": lambda value, least: len(value) >= least,
    "maxProperties": lambda value, most: len(value) <= most,
    "minimum": lambda value, least: value >= least,
    "maximum": lambda value, most: value <= most,
    "required": lambda value, keys: set(keys) <= set(value),
}
_SAYS_NOTHING = {"$schema", "$id", "$defs", "title", "description", "default"}


def mistakes(value: Any, schema: Json, root: Json | None = None, at: str = "$") -> list[str]:
    """Where the value is not as the schema says; nothing where it is."""
    return list(_mistakes(value, schema, root or schema, at))


def _mistakes(value: Any, schema: Json, root: Json, at: str) -> Iterator[str]:
    if "type" in schema and not _TYPES[schema["type"]](value):
        yield f"{at}: no {schema['type']}"
        return
    for keyword, wanted in schema.items():
        if keyword in _CHECKS:
            if not _CHECKS[keyword](value, wanted):
                yield f"{at}: {keyword} {wanted}"
        elif keyword not in _SAYS_NOTHING:
            yield from _BELOW[keyword](value, wanted, schema, root, at)


def _reference(value: Any, wanted: str, _schema: Json, root: Json, at: str) -> Iterator[str]:
    yield from _mistakes(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)


def _any_of(value: Any, wanted: list[Json], _schema: Json, root: Json, at: str) -> Iterator[str]:
    if all(mistakes(value, each, root, at) for each in wanted):
        yield f"{at}: none of anyOf"


def _not(value: Any, wanted: Json, _schema: Json, root: Json, at: str) -> Iterator[str]:
    if not mistakes(value, wanted, root, at):
        yield f"{at}: not allowed"


def _items(value: Any, wanted: Json, _schema: Json, root: Json, at: str) -> Iterator[str]:
    for index, each in enumerate(value):
        yield from _mistakes(each, wanted, root, f"{at}[{index}]")


def _properties(value: Any, wanted: Json, _schema: Json, root: Json, at: str) -> Iterator[str]:
    for key in wanted.keys() & value.keys():
        yield from _mistakes(value[key], wanted[key], root, f"{at}.{key}")


def _names(value: Any, wanted: Json, _schema: Json, root: Json, at: str) -> Iterator[str]:
    for key in value:
        yield from _mistakes(key, wanted, root, f"{at}.{key} (its name)")


def _others(value: Any, wanted: Any, schema: Json, root: Json, at: str) -> Iterator[str]:
    for key in value.keys() - schema.get("properties", {}).keys():
        if wanted is False:
            yield f"{at}.{key}: not allowed"
        else:
            yield from _mistakes(value[key], wanted, root, f"{at}.{key}")


_BELOW: dict[str, Callable[[Any, Any, Json, Json, str], Iterator[str]]] = {
    "$ref": _reference,
    "anyOf": _any_of,
    "not": _not,
    "items": _items,
    "properties": _properties,
    "propertyNames": _names,
    "additionalProperties": _others,
}
