"""The figures of a page: each says where it is in the document that the page is made from."""

from typing import Any

from lanyard.cli.frame.html import tag

type Json = dict[str, Any]


def resolved(document: Json, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901, without escapes) names in the document."""
    value: Any = document
    for step in pointer.strip("/").split("/"):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def figure(document: Json, pointer: str) -> str:
    """A number of the document, and where it is there."""
    value = resolved(document, pointer)
    return tag("data", f"{value:,}", value=value, data_figure=pointer, data_value=value)
