"""The JSON Schema of the published events, made from their models:
`python -m lanyard.cli.docs.notification_schema docs/notifications.schema.json`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from lanyard.notices.model import SCHEMA, TYPES

type Json = dict[str, Any]

_TEXT = {"type": "string", "minLength": 1}


def schema_text() -> str:
    """The schema as it is kept in docs/."""
    return json.dumps(notification_schema(), indent=2, ensure_ascii=False) + "\n"


def notification_schema() -> Json:
    """The JSON Schema (draft 2020-12) of one event. More attributes and fields may be there than it
    names: what is only added changes no version.
    """
    _, parts = models_json_schema([(model, "serialization") for model in TYPES])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Lanyard notification",
        "description": "A decision, as a CloudEvent 1.0.",
        "type": "object",
        "required": [*_ENVELOPE],
        "properties": _ENVELOPE,
        "anyOf": [*_kinds(parts["$defs"])],
        "$defs": {name: _open(part) for name, part in parts["$defs"].items()},
    }


_ENVELOPE: Json = {
    "specversion": {"const": "1.0"},
    "id": _TEXT | {"description": "The id of the decision: the same event has the same id."},
    "source": _TEXT | {"description": "urn:lanyard: and the client id of the app's identity."},
    "type": {"enum": [kind.value for kind in TYPES.values()]},
    "subject": _TEXT
    | {
        "description": "The id of the resource that it is about; of its subscription where an "
        "orphan has none."
    },
    "time": _TEXT | {"description": "When it was decided, RFC 3339."},
    "datacontenttype": {"const": "application/json"},
    "dataschema": {"const": SCHEMA},
    "data": {"type": "object"},
}


def _kinds(parts: Json) -> Iterator[Json]:
    for model, kind in TYPES.items():
        reference = {"$ref": f"#/$defs/{model.__name__}"}
        yield {
            "title": kind.value,
            "description": parts[model.__name__]["description"],
            "properties": {"type": {"const": kind.value}, "data": reference},
        }


def _open(part: Json) -> Json:
    """For fields to come; without titles that only repeat a key."""
    properties = {
        key: {name: value for name, value in field.items() if name != "title"}
        for key, field in part["properties"].items()
    }
    kept = {key: value for key, value in part.items() if key != "additionalProperties"}
    return kept | {"properties": properties}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_text(), encoding="utf-8")
