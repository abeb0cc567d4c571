"""What pydantic says of the file's shape, in the terms of the file and at its place."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lanyard.policy.document import Policy
from lanyard.policy.problems import MOST_REPORTED, Path, Problem, shortened, unknown
from lanyard.policy.role_names import whole_id_problem
from lanyard.policy.yaml_source import Source

#: Of a choice: that the value is none of this kind.
_OF_ANOTHER_KIND = {"list_type", "literal_error", "string_type"}
#: What pydantic adds to the path of a key.
_OF_KEY = "[key]"
_EMPTY = "is empty; give it a value or leave it out"
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys and values",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a mapping of keys and values",
    "string_type": "text",
}


def explain(
    source: Source, error: ValidationError, model: type[BaseModel] = Policy
) -> list[Problem]:
    """The mistakes that pydantic found, each at its line and column. `model`: of the whole file."""
    details = sorted(error.errors(), key=lambda detail: repr(_base(detail)))[:MOST_REPORTED]
    problems: list[Problem] = []
    for base, group in groupby(details, key=_base):
        found = _explained(base, [*group], model, source)
        problems += [source.problem(path, message) for path, message in found]
    return problems


def _explained(
    base: Path, details: list[ErrorDetails], model: type[BaseModel], source: Source
) -> Iterator[tuple[Path, str]]:
    """Of a choice (a text or a list), only what went further, or else all that would be right."""
    choice = [detail for detail in details if _is_of_choice(detail)]
    further = [detail for detail in choice if len(path_of(detail)) > len(base)]
    fitting = [detail for detail in choice if detail["type"] not in _OF_ANOTHER_KIND]
    if choice and choice[0]["input"] is None:
        yield base, f"{_what(base)} {_EMPTY}"
    elif choice and not further and not fitting:
        expected = " or ".join(_expected(detail) for detail in choice)
        hint = "" if isinstance(choice[0]["input"], dict) else _hint(choice[0])
        yield base, f"{_what(base)} must be {expected}, not {_shown(choice[0], source)}{hint}"
    else:
        for detail in further or fitting or details:
            yield path_of(detail), _sentence(detail, model, source)


def _sentence(detail: ErrorDetails, model: type[BaseModel], source: Source) -> str:
    path, given = path_of(detail), _shown(detail, source)
    what, context = _what_of_key(path) if _is_key(detail) else _what(path), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return unknown("key", shortened(str(path[-1])), _keys_at(path[:-1], model))
        case "missing":
            return f"{what} is missing"
        case "string_too_short":
            return f"{what} is empty"
        case "string_too_long":
            too_long = f"{what} is longer than {context['max_length']} characters"
            return _instead_of_id(path, detail) or too_long
        case "too_short":
            return f"{what} needs at least one entry"
        case "too_long":
            return f"{what} has more than {context['max_length']} entries"
        case "greater_than_equal":
            return f"{what} must be at least {context['ge']:g}, not {given}"
        case "less_than_equal":
            return f"{what} must be at most {context['le']:g}, not {given}"
        case _ if detail["input"] is None:
            return f"{what} {_EMPTY}"
        case _:
            return f"{what} must be {_expected(detail)}, not {given}{_hint(detail)}"


def _instead_of_id(path: Path, detail: ErrorDetails) -> str | None:
    """A role's whole id is mostly too long for a name: it has an answer of its own."""
    return whole_id_problem(str(detail["input"])) if path[-1] == "role" else None


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] in ("enum", "literal_error"):
        return str(detail["ctx"]["expected"])
    return _EXPECTED.get(detail["type"], "something else")


def _hint(detail: ErrorDetails) -> str:
    given = detail["input"]
    if detail["type"] == "string_type":
        return "; put it in quotes" if not isinstance(given, list) else ""
    if detail["type"] == "list_type" and isinstance(given, str):
        return f"; write [{given}]"
    return ""


def _what(path: Path) -> str:
    """The part in words; an entry of a list has no name of its own."""
    if path and isinstance(path[-1], int):
        return f"an entry of {path[-2]!r}" if len(path) > 1 else "an entry"
    return repr(path[-1]) if path else "the policy"


def _what_of_key(path: Path) -> str:
    return f"the key {shortened(repr(path[-1]))}"


def _is_key(detail: ErrorDetails) -> bool:
    """Whether the mistake is in a key of the person's choice, not in what it has as its value."""
    return detail["loc"][-2:] == (detail["input"], _OF_KEY)


def _shown(detail: ErrorDetails, source: Source) -> str:
    """The value as it is written; of a part of the file, what it is."""
    match detail["input"]:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str() as text:
            return shortened(repr(text))
        case value:
            return shortened(str(source.written.get(path_of(detail), value)))


def path_of(detail: ErrorDetails) -> Path:
    """Where in the file it is."""
    # A choice adds the name of its member to the path, and a key its mark; the file has no such
    # part.
    parts = detail["loc"][:-1] if _is_key(detail) else detail["loc"]
    return tuple(part for part in parts if not _is_member(part))


def _base(detail: ErrorDetails) -> Path:
    """The path as far as the choice, where there is one."""
    for index, part in enumerate(detail["loc"]):
        if _is_member(part):
            return detail["loc"][:index]
    return detail["loc"]


def _is_of_choice(detail: ErrorDetails) -> bool:
    return any(_is_member(part) for part in detail["loc"])


def _is_member(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith(("literal[", "list[", "constrained-str"))


def _keys_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The keys that the file may have there."""
    for part in path:
        model = _fields(model).get(str(part)) or model
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """The keys of a part of the file, each with the part it leads to."""
    return {
        field.alias or name: next(_models(field.annotation), None)
        for name, field in model.model_fields.items()
    }


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
