"""`lanyard schema`: the JSON Schema of the policy file, made from its models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.files import write
from lanyard.cli.frame.options import Command, Quiet
from lanyard.cli.frame.options import Json as JsonOption
from lanyard.cli.frame.terminal import Terminal
from lanyard.policy.document import Policy
from lanyard.policy.standards import SHIPPED
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.roles import BUILT_IN_ROLES

_ABOUT = """\
Write the JSON Schema of the policy file, with which editors complete, check and explain it.
"""
_EXAMPLES = """\
examples:
  lanyard schema --output lanyard.schema.json

  and in the first line of the policy, for editors with the YAML language server:
  # yaml-language-server: $schema=lanyard.schema.json

exit codes:
  0  written
  1  the file cannot be written
"""

type Json = dict[str, Any]

_TITLES = {
    "Grant": "A grant of a rule",
    "GrantContent": "A grant of a standard",
    "IdentitySpec": "An identity",
    "ImdsDefault": "IMDS default",
    "PrivilegedRole": "A privileged role and where it may be granted",
    "RemovalLimit": "The removal budget",
    "RemoveOrphans": "Which orphans are removed",
}
#: Offered by editors; another spelling or a GUID is as good, so nothing is refused by these.
_OFFERED = {
    ("Match", "types"): sorted(
        row.name for row in COMPUTE_TYPES.values() if row.system_assigned or row.user_assigned
    ),
    ("Match", "kinds"): sorted({kind for row in COMPUTE_TYPES.values() for kind in row.kinds}),
    ("Grant", "role"): sorted(BUILT_IN_ROLES),
    ("Grant", "standard"): sorted(SHIPPED),
    ("GrantContent", "role"): sorted(BUILT_IN_ROLES),
    ("PrivilegedRole", "role"): sorted(BUILT_IN_ROLES),
}


def run(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output."),
    ] = None,
    json: JsonOption = False,
    quiet: Quiet = False,
) -> int:
    """Write the schema, which is JSON in any case; returns the exit code."""
    terminal = Terminal(quiet=quiet or json)
    if output is None:
        terminal.json(policy_schema())
        return 0
    write(output, schema_text())
    terminal.show(f"{output} written")
    if json:
        terminal.json({"version": 1, "file": str(output)})
    return 0


def schema_text() -> str:
    """The schema as it is kept in docs/."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def policy_schema() -> Json:
    """The JSON Schema (draft 2020-12) of the policy file.

    It knows the shape; names that must resolve, scopes and contradictions are what
    `lanyard validate` knows beyond it.
    """
    schema = Policy.model_json_schema(by_alias=True)
    for name, part in _parts(schema):
        part["title"] = _TITLES.get(name, name)
        for key, field in part.get("properties", {}).items():
            part["properties"][key] = _field(field, _OFFERED.get((name, key)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "lanyard.schema.json",
        **schema,
        "title": "Lanyard policy",
    }


def _parts(schema: Json) -> Iterator[tuple[str, Json]]:
    yield "Policy", schema
    yield from schema["$defs"].items()


def _field(field: Json, offered: list[str] | None) -> Json:
    """Without titles that only repeat the key, without defaults that editors would write out in
    full, and without null: a key is given or left out.
    """
    kept = {key: value for key, value in field.items() if key != "title"}
    if not isinstance(kept.get("default"), str | int | float):
        kept.pop("default", None)
    given = [each for each in kept.get("anyOf", []) if each != {"type": "null"}]
    if len(given) == 1:
        del kept["anyOf"]
        kept |= given[0]
    if offered is None:
        return kept
    if "items" in kept:
        return kept | {"items": _with(kept["items"], offered)}
    return _with(kept, offered)


def _with(text: Json, offered: list[str]) -> Json:
    return text | {"anyOf": [{"enum": offered}, {"type": "string"}]}


_SHAPE = {"version": "`1`", "file": "where it was written, with `--output`; else the schema itself"}
COMMAND = Command(
    "schema", "the JSON Schema of the policy file, for editors", _ABOUT, _EXAMPLES, run, _SHAPE
)
