"""`lanyard schema`: the JSON Schema of the policy file, or of a file with tests, made from its
models.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.files import write
from lanyard.cli.frame.options import Command, Quiet
from lanyard.cli.frame.options import Json as JsonOption
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.output_schema import schema_of_all
from lanyard.desk.policy_tests.shape import PolicyTests
from lanyard.policy.document import Policy
from lanyard.policy.section import Section
from lanyard.policy.standards import SHIPPED
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.compute_types import COMPUTE_TYPES

_ABOUT = """\
Write the JSON Schema of the policy file, or with --tests that of a file with tests of a policy,
with which editors complete, check and explain it. With --commands that of what the commands write
with --json, each in `$defs` by its name.
"""
_EXAMPLES = """\
examples:
  lanyard schema --output lanyard.schema.json
  lanyard schema --tests --output lanyard.test.schema.json
  lanyard schema --commands --output lanyard.commands.schema.json

  and in the first line of the policy, for editors with the YAML language server:
  # yaml-language-server: $schema=lanyard.schema.json

exit codes:
  0  written
  1  the file cannot be written
"""

type Json = dict[str, Any]

_TITLES = {
    "AdditionLimit": "The budget of additions",
    "Case": "A case",
    "CustomRole": "A custom role",
    "Expected": "What comes of the resource",
    "ExpectedGrant": "A role that is given",
    "ExpectedHeld": "What is held",
    "GivenResource": "The resource",
    "Grant": "A grant of a rule",
    "GrantContent": "A grant of a standard",
    "HasIdentity": "The identity that it has",
    "IdentitySpec": "An identity",
    "ImdsDefault": "IMDS default",
    "PrivilegedRole": "A privileged role and where it may be granted",
    "RemovalLimit": "The removal budget",
    "RemoveOrphans": "Which orphans are removed",
}
#: Offered by editors; another spelling or a GUID is as good, so nothing is refused by these.
_TYPES = sorted(
    row.name for row in COMPUTE_TYPES.values() if row.system_assigned or row.user_assigned
)
#: A part of its own: there are many, and several keys take one.
_ROLES: Json = {"$ref": "#/$defs/BuiltInRole"}
_OFFERED: dict[tuple[str, str], list[str] | Json] = {
    ("Match", "types"): _TYPES,
    ("GivenResource", "type"): _TYPES,
    ("ExpectedGrant", "role"): _ROLES,
    ("Match", "kinds"): sorted({kind for row in COMPUTE_TYPES.values() for kind in row.kinds}),
    ("Grant", "role"): _ROLES,
    ("Grant", "standard"): sorted(SHIPPED),
    ("GrantContent", "role"): _ROLES,
    ("PrivilegedRole", "role"): _ROLES,
}
#: Keys of which null means something; any other is given with a value, or left out.
_NULL_MEANS = {("AdditionLimit", "perHour"), ("RuleLimit", "perHour")}


def _these(*keys: str, without: tuple[str, ...], **values: Json) -> Json:
    """A part that has these keys, with the values, and none of the others."""
    return {"required": [*keys, *values], "properties": values | dict.fromkeys(without, _NEVER)}


_NEVER: Json = {"not": {}}
#: Which keys go together, as policy/keys_together.py has it.
_TOGETHER: Json = {
    "Grant": [
        _these("role", "scope", without=("standard",)),
        _these("standard", without=("role", "scope", "condition")),
    ],
    "IdentitySpec": [
        _these("id", without=("name", "resourceGroup")),
        _these("name", "resourceGroup", without=("id",)),
        _these("name", without=("id",), per={"const": "resource"}),
    ],
}


def run(
    tests: Annotated[
        bool, typer.Option("--tests", help="That of a file with tests of a policy.")
    ] = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="That of what the commands write with --json.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output."),
    ] = None,
    json: JsonOption = False,
    quiet: Quiet = False,
) -> int:
    """Write the schema, which is JSON in any case; returns the exit code."""
    terminal = Terminal(quiet=quiet or json)
    if tests and commands:
        raise typer.BadParameter("give --tests or --commands, one of the two")
    if output is None:
        terminal.json(_schema(tests=tests, commands=commands))
        return 0
    write(output, schema_text(tests=tests, commands=commands))
    terminal.show(f"{output} written")
    if json:
        terminal.json({"version": 1, "file": str(output)})
    return 0


def schema_text(*, tests: bool = False, commands: bool = False) -> str:
    """The schema as it is kept in docs/."""
    schema = _schema(tests=tests, commands=commands)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(*, tests: bool, commands: bool) -> Json:
    if commands:
        return schema_of_all()
    return schema_of_tests() if tests else policy_schema()


def schema_of_tests() -> Json:
    """The JSON Schema (draft 2020-12) of a file with tests of a policy."""
    return _schema_of(PolicyTests, "lanyard.test.schema.json", "Tests of a Lanyard policy")


def policy_schema() -> Json:
    """The JSON Schema (draft 2020-12) of the policy file.

    It knows the shape; names that must resolve, scopes and contradictions are what
    `lanyard validate` knows beyond it.
    """
    return _schema_of(Policy, "lanyard.schema.json", "Lanyard policy")


def _schema_of(model: type[Section], id_: str, title: str) -> Json:
    schema = model.model_json_schema(by_alias=True)
    for name, part in _parts(schema, model.__name__):
        part["title"] = _TITLES.get(name, name)
        for key, field in part.get("properties", {}).items():
            part["properties"][key] = _field(field, (name, key))
        if name in _TOGETHER:
            part["anyOf"] = _TOGETHER[name]
    schema["$defs"]["BuiltInRole"] = {"enum": sorted(BUILT_IN_ROLES, key=str.casefold)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id_,
        **schema,
        "title": title,
    }


def _parts(schema: Json, whole: str) -> Iterator[tuple[str, Json]]:
    yield whole, schema
    yield from schema["$defs"].items()


def _field(field: Json, at: tuple[str, str]) -> Json:
    """Without titles that only repeat the key, without defaults that editors would write out in
    full, and mostly without null. `at`: the name of the part, and the key.
    """
    kept = {key: value for key, value in field.items() if key != "title"}
    if not isinstance(kept.get("default"), str | int | float):
        kept.pop("default", None)
    given = [each for each in kept.get("anyOf", []) if each != {"type": "null"}]
    if len(given) == 1 and at not in _NULL_MEANS:
        del kept["anyOf"]
        kept |= given[0]
    if at not in _OFFERED:
        return kept
    offered = _OFFERED[at]
    if "items" in kept:
        return kept | {"items": _with(kept["items"], offered)}
    return _with(kept, offered)


def _with(text: Json, offered: list[str] | Json) -> Json:
    listed = {"enum": offered} if isinstance(offered, list) else offered
    return text | {"anyOf": [listed, {"type": "string"}]}


_SHAPE = {"version": "`1`", "file": "where it was written, with `--output`; else the schema itself"}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
