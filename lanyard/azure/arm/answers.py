"""Azure's answers, taken apart: each part is of the kind that it must be, or nothing is concluded.

A member that is missing or null is one that the service left out; names count in any case. A part
of another kind comes from something on the way, or from a service that changed: an answer like that
is no proof, neither that something is there nor that it is not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from azure.core.pipeline.policies import ContentDecodePolicy, SansIOHTTPPolicy

from lanyard.values.errors import Temporary
from lanyard.values.permissions import Permission, RoleDefinition, Unknown
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

type Json = Mapping[str, Any]

_DELAY = 15.0
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Unreadable(Temporary):
    """An answer is not of the shape that Azure documents."""

    def __init__(self, why: str) -> None:
        super().__init__(f"an answer that cannot be read: {why}", _DELAY)


class Objects(SansIOHTTPPolicy[Any, Any]):
    """A part of the pipeline of ARM's clients: what answers a GET or PUT is a JSON object. To the
    SDKs' models anything else is an object without members, or an error of their own.
    """

    def on_response(self, request: Any, response: Any) -> None:
        """Raise Unreadable for another answer. ContentDecodePolicy comes after this one."""
        body = response.context.get(ContentDecodePolicy.CONTEXT_NAME)
        asked = request.http_request.method in ("GET", "PUT")
        good = isinstance(body, Mapping) or (body is None and not asked)
        if response.http_response.status_code in (200, 201) and not good:
            raise Unreadable("it is no object")


def body_of(response: Any) -> Json:
    """The JSON object that a response carries."""
    try:
        body = response.json()
    except (LookupError, RecursionError, ValueError) as error:
        raise Unreadable("it is no JSON") from error
    return as_object(body, "it")


def as_object(value: Any, what: str) -> Json:
    """A JSON object; `what` it is, for people."""
    if isinstance(value, (dict, Mapping)):  # a dict is known at once
        return value
    raise Unreadable(f"{what} is no object")


def member(body: Json, name: str) -> Any:
    """A member as it is, None where it is left out."""
    if name in body:
        return body[name]
    # Most are left out: a name of another length needs no closer look.
    lower, length = name.lower(), len(name)
    for key, value in body.items():
        if len(key) == length and key.lower() == lower:
            return value
    return None


def part(body: Json, name: str) -> Json:
    """An object in it, {} where it is left out."""
    value = member(body, name)
    return {} if value is None else as_object(value, repr(name))


def entries(body: Json, name: str) -> list[Any]:
    """A list in it; one that is left out is no empty one."""
    value = member(body, name)
    if not isinstance(value, list):
        raise Unreadable(f"{name!r} is no list")
    return value


def text(body: Json, name: str) -> str:
    """A text in it, "" where it is left out."""
    value = member(body, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name!r} is no text")
    return value


def principal(body: Json) -> str:
    """The `principalId` in it, lower case; "" where it is left out, or where zeros hold its place:
    nobody has that object id, and what is given to it is given to nobody.
    """
    found = folded(text(body, "principalId"))
    return "" if found == _NOBODY else found


def texts(value: Any) -> list[str] | None:
    """A list of texts, [] where it is left out; None for anything else."""
    if value is None:
        return []
    good = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value if good else None


def permission_of(*operations: Any) -> Permission | None:
    """An entry of a role definition's permissions, from its lists in their order; None where one of
    them is none.
    """
    lists = [texts(each) for each in operations]
    if any(each is None for each in lists):
        return None
    return Permission(*(tuple(each) for each in lists if each is not None))


def definition_of(
    role_id: str, name: str, permissions: Iterable[Permission | None]
) -> RoleDefinition | Unknown:
    """A role definition, where all entries of its permissions can be read."""
    entries = list(permissions)
    known = tuple(each for each in entries if each is not None)
    if len(known) < len(entries):
        return Unknown.UNREADABLE
    return RoleDefinition(role_id, name, known)


def needed(body: Json, name: str) -> str:
    """A text that every answer of its kind has."""
    value = text(body, name)
    if not value:
        raise Unreadable(f"{name!r} is missing")
    return value


def resource_id(value: Any, what: str) -> ResourceId:
    """A resource id."""
    try:
        return ResourceId.parse(value if isinstance(value, str) else "")
    except InvalidResourceId as error:
        raise Unreadable(f"{what}: {error}") from error
