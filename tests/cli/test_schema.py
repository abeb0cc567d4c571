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
from tests.support.json_schema import mistakes

PROJECT = Path(__file__).parents[2]
PUBLISHED = PROJECT / "docs" / "lanyard.schema.json"
SCHEMA = policy_schema()
PARTS = {"Policy": SCHEMA} | SCHEMA["$defs"]


def readable(folder: Path) -> dict[str, Any]:
    """The policies of a folder that are YAML at all, by file. Read by libyaml: every process of
    the tests does it, and Python's own reader takes long to give up what is nested too deeply.
    """
    found = {}
    for file in sorted(folder.rglob("*.y*ml")):
        try:
            found[str(file.relative_to(folder))] = yaml.load(file.read_bytes(), yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
    return found


BROKEN = readable(PROJECT / "tests" / "corpus" / "policies")


def has_the_shape(document: Any) -> bool:
    try:
        Policy.model_validate(document, by_alias=True, by_name=False)
    except (ValidationError, RecursionError):
        return False
    return True


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
    assert "Storage Blob Data Reader" in roles[0]["enum"]


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
def test_schema_and_reader_agree_on_the_shape_of_broken_policies(document: Any) -> None:
    assert (not mistakes(document, SCHEMA)) == has_the_shape(document)


def test_the_corpus_holds_broken_shapes_of_many_kinds() -> None:
    shapes = [document for document in BROKEN.values() if not has_the_shape(document)]
    assert len(shapes) >= 30
