"""The `$filter` of the resource listings: type, group, name, location and one tag."""

import re
from collections.abc import Callable

from simulator.errors import gateway_error
from simulator.resource_ids import parse
from simulator.state import Resource

_TERM = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*")
_FIELDS: dict[str, Callable[[Resource], str]] = {
    "resourcetype": lambda resource: resource.type,
    "resourcegroup": lambda resource: _group_of(resource),
    "name": lambda resource: resource.name,
    "location": lambda resource: resource.location,
}


def resource_filter(text: str | None) -> Callable[[Resource], bool]:
    """A predicate for `a eq 'x' and b eq 'y'`. Raises AzureError 400 `InvalidFilterInQueryString`.

    `tagName` and `tagValue` go together and combine with nothing else, as in Azure.
    """
    if not text:
        return lambda _resource: True
    terms = dict(_term(part) for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE))
    if "tagname" in terms:
        return _tag_filter(terms)
    if not set(terms) <= set(_FIELDS):
        raise _invalid(text)
    return lambda resource: all(
        _FIELDS[field](resource).lower() == value.lower() for field, value in terms.items()
    )


def _tag_filter(terms: dict[str, str]) -> Callable[[Resource], bool]:
    name, value = terms["tagname"].lower(), terms.get("tagvalue")

    def fits(resource: Resource) -> bool:
        tags = {key.lower(): tag for key, tag in resource.tags.items()}
        return name in tags and value in (None, tags[name])

    return fits


def _term(part: str) -> tuple[str, str]:
    match = _TERM.fullmatch(part)
    if match is None:
        raise _invalid(part)
    return match[1].lower(), match[2].replace("''", "'")


def _group_of(resource: Resource) -> str:
    parsed = parse(resource.id)
    return parsed.group if parsed else ""


def _invalid(text: str) -> Exception:
    return gateway_error(
        400,
        "InvalidFilterInQueryString",
        f"Invalid $filter '{text}' specified in the query string.",
    )
