"""The JSON Schema that editors use: current, strict, and of one mind with what reads the policy."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lanyard.cli import main
from lanyard.cli.schema import policy_schema
from lanyard.policy.document import Policy
from lanyard.policy.keys_together import grant_keys_problem, identity_keys_problem
from lanyard.policy.section import read_part
from tests.support.json_schema import mistakes

PROJECT = Path(__file__).parents[2]
PUBLISHED = PROJECT / "docs" / "lanyard.schema.json"
SCHEMA = policy_schema()
PARTS = {"Policy": SCHEMA} | SCHEMA["$defs"]


def readable(folder: Path) -> dict[str, Any]:
    """The policies of a folder that are YAML at all, with texts for keys as JSON has them, by file.
    Read by libyaml: every process of the tests does it, and Python's own reader takes long to give
    up what is nested too deeply.
    """
    found = {}
    for file in sorted(folder.rglob("*.y*ml")):
        try:
            document = yaml.load(file.read_bytes(), yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if is_as_json_has_it(document):
            found[str(file.relative_to(folder))] = document
    return found


def is_as_json_has_it(document: Any) -> bool:
    """With texts for keys, and no bytes. Each part is looked at once: with aliases it may stand in
    many places.
    """
    parts, seen = [document], set[int]()
    for part in parts:
        if isinstance(part, bytes):
            return False
        if id(part) not in seen and isinstance(part, dict | list):
            parts += part.values() if isinstance(part, dict) else part
            if isinstance(part, dict) and not all(isinstance(key, str) for key in part):
                return False
        seen.add(id(part))
    return True


BROKEN = readable(PROJECT / "tests" / "corpus" / "policies")


def has_the_shape(document: Any) -> bool:
    try:
        policy = read_part(Policy, document)
    except (ValidationError, RecursionError):
        return False
    grants = (grant for rule in policy.rules for grant in rule.grant)
    together = (
        *map(grant_keys_problem, grants),
        *map(identity_keys_problem, policy.identities.values()),
    )
    return not any(together)


def test_the_published_schema_is_current() -> None:
    hint = "run: python -m lanyard.cli schema --output docs/lanyard.schema.json"
    assert json.loads(PUBLISHED.read_text()) == SCHEMA, hint


def test_the_command_writes_what_is_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "schema.json"
    assert main(["schema", "--output", str(target)]) == 0
    assert target.read_bytes() == PUBLISHED.read_bytes()
    capsys.readouterr()
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_a_schema_that_cannot_be_written_is_shown_without_a_stack_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "--output", str(tmp_path)]) == 1
    output = capsys.readouterr().err
    assert "cannot be written: Is a directory" in output
    assert "Traceback" not in output


def test_its_id_names_no_host() -> None:
    assert SCHEMA["$id"] == "lanyard.schema.json"
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if "properties" in part])
def test_every_part_refuses_unknown_keys_and_explains_the_known(name: str) -> None:
    part = PARTS[name]
    assert part["additionalProperties"] is False
    assert part["title"]
    for key, field in part["properties"].items():
        below = PARTS.get(field.get("$ref", "").removeprefix("#/$defs/"), {})
        assert field.get("description") or below.get("description"), f"{name}.{key}"


def test_editors_are_offered_types_and_roles_but_any_text_is_taken() -> None:
    types = PARTS["Match"]["properties"]["types"]["items"]["anyOf"]
    assert "Microsoft.Compute/virtualMachines" in types[0]["enum"]
    assert "Microsoft.Network/loadBalancers" not in types[0]["enum"]
    assert types[1] == {"type": "string"}
    roles = PARTS["Grant"]["properties"]["role"]["anyOf"]
    assert roles == [{"$ref": "#/$defs/BuiltInRole"}, {"type": "string"}]
    assert "Storage Blob Data Reader" in PARTS["BuiltInRole"]["enum"]


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
def test_schema_and_reader_agree_on_the_shape_of_broken_policies(document: Any) -> None:
    assert (not mistakes(document, SCHEMA)) == has_the_shape(document)


@pytest.mark.parametrize(
    ("part", "good"),
    [
        ("limits: {additions: {perHour: null}}", True),
        ("limits: {removals: {perHour: null}}", False),
        ("limits: {removals: {percent: 10}}", True),
        ("limits: {removals: {percent: 10.5}}", True),
        ('limits: {removals: {percent: "10"}}', False),
        ("limits: {removals: {percent: true}}", False),
        ('limits: {removals: {graceMinutes: "10"}}', False),
        ('orphans: {graceMinutes: "10"}', False),
        ('identities: {a: {name: x, per: resource, deleteAfterHours: "10"}}', False),
        ("identities: {a: {id: /x}}", True),
        ("identities: {a: {id: null, name: x, per: resource}}", False),
        ("identities: {a: {id: /x, name: x}}", False),
        ("identities: {a: {id: /x, per: resource}}", True),
        ("identities: {a: {name: x}}", False),
        ("identities: {a: {name: x, per: resource}}", True),
        ("identities: {a: {name: x, resourceGroup: y, per: [location]}}", True),
        ("identities: {a: {}}", False),
        ("grant: {to: a, role: x, scope: y}", True),
        ("grant: {to: a, role: x, scope: y, condition: z}", True),
        ('grant: {to: a, role: x, scope: y, condition: " "}', False),
        ("grant: {to: a, role: x}", False),
        ("grant: {to: a, standard: x}", True),
        ("grant: {to: a, standard: x, role: y}", False),
        ("grant: {to: a, standard: x, condition: y}", False),
        ("grant: {to: a, standard: x, role: null}", False),
        ("grant: {to: a}", False),
    ],
)
def test_schema_and_reader_agree(part: str, good: bool) -> None:
    if part.startswith("grant"):
        rule = f"{{name: a, match: {{types: [x]}}, grant: [{part.removeprefix('grant: ')}]}}"
        part = f"rules: [{rule}]"
    document = yaml.safe_load(f"version: 1\n{part}")
    assert has_the_shape(document) is good
    assert (not mistakes(document, SCHEMA)) is good


def test_the_corpus_holds_broken_shapes_of_many_kinds() -> None:
    shapes = [document for document in BROKEN.values() if not has_the_shape(document)]
    assert len(shapes) >= 30
