"""docs/commands.md is what the commands say, and every key of their JSON is on it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.catalogue import COMMANDS
from lanyard.cli.docs.commands_page import page
from lanyard.cli.output_schema import schema_of_all
from tests.support.dead_letters import Blob, dead_letter
from tests.support.desk import Desk
from tests.support.documented import undocumented
from tests.support.estate import limited
from tests.support.json_schema import mistakes

DOCS = Path(__file__).parents[2] / "docs"
SHAPES = {command.name: command.command().shape for command in COMMANDS}
PUBLISHED = json.loads((DOCS / "lanyard.commands.schema.json").read_text())
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def test_the_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    hint = "run: python -m lanyard.cli.docs.commands_page docs/commands.md"
    assert (DOCS / "commands.md").read_text() == page(), hint


@pytest.mark.parametrize("name", ["commands.md", "operate.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    links = LINK.findall((DOCS / name).read_text())
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_every_command_that_operate_names_is_one() -> None:
    named = set(re.findall(r"\blanyard ([a-z]+)\b", (DOCS / "operate.md").read_text()))
    assert len(named) > 8
    assert named - SHAPES.keys() == set()


def test_what_is_not_documented_is_found() -> None:
    shape = {"a[]": "has `b`", "a[].c": "x"}
    assert list(undocumented({"a": [{"b": 1, "c": 2, "d": 3}], "e": 1}, shape)) == ["a[].d", "e"]


@pytest.fixture
async def eventful(desk: Desk) -> Desk:
    """An app with a machine that came, one that went unnoticed, and something held."""
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    second = await desk.estate.create_vm("vm2")
    await desk.started()
    desk.estate.change_policy(limited("perHour: 0"))
    await desk.estate.delete_vm("vm2")
    await desk.gone(second)
    await desk.estate.delete_vm("vm1")
    await desk.estate.create_vm("vm3")
    desk.dead_letters.blobs.append(Blob(dead_letter("vm3")))
    return desk


@pytest.mark.parametrize(
    "command",
    [
        ["validate", "POLICY"],
        ["rights", "POLICY"],
        ["status"],
        ["doctor"],
        ["history"],
        ["explain", "VM3"],
        ["held"],
        ["pause", "why"],
        ["resume"],
        ["apply", "VM3"],
        ["sweep", "--dry-run"],
        ["undo", "--since", "1h", "--dry-run"],
        ["replay", "--dry-run"],
        ["access", "VM3"],
        ["scan"],
    ],
    ids=lambda command: str(command[0]),
)
async def test_every_key_of_the_json_is_on_the_page(eventful: Desk, command: list[str]) -> None:
    known = {"POLICY": str(eventful.policy), "VM3": eventful.estate.vm_id("vm3").text}
    given = [known.get(each, each) for each in command]
    if command[0] in ("access", "doctor", "explain", "sweep"):
        given += ["--policy", str(eventful.policy)]
    without_app = ("validate", "rights", "scan")
    run = eventful.lanyard if command[0] in without_app else eventful.app
    ran = await run(*given, "--json")
    assert ran.err == ""
    document = json.loads(ran.out)
    assert document
    assert list(undocumented(document, SHAPES[command[0]])) == []
    assert mistakes(document, PUBLISHED["$defs"][command[0]], PUBLISHED) == []


def test_the_published_schema_of_the_documents_is_current() -> None:
    hint = "run: lanyard schema --commands --output docs/lanyard.commands.schema.json"
    assert json.dumps(PUBLISHED) == json.dumps(schema_of_all()), hint
    assert PUBLISHED["$defs"].keys() == {name for name, shape in SHAPES.items() if shape}


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({}, "a document without its version"),
        ({"version": 2}, "another version"),
        ({"version": 1, "access": {}}, "an object for a list"),
        ({"version": 1, "access": [{"rules": "x"}]}, "a text for a list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_is_none_is_refused_by_the_schema(
    document: dict[str, Any], wrong: str
) -> None:
    schema = PUBLISHED["$defs"]["access"]
    assert mistakes(document, schema, PUBLISHED) != [], wrong


def test_every_command_with_json_has_its_shape_on_the_page() -> None:
    text = (DOCS / "commands.md").read_text()
    for command in COMMANDS:
        section = text.partition(f"## lanyard {command.name}\n")[2].partition("\n## ")[0]
        assert ("--json " in section) == ("| `--json` | is |" in section), command.name
