"""What `make az-check` takes for right, and the CLI that it pins."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from az_check.cli import VERSION
from az_check.command import GUID, NOTHING, Command, Result, Text, judge
from az_check.commands import CHAPTERS, MACHINES

PROJECT = Path(__file__).parents[2]
REQUIREMENTS = PROJECT / "az_check" / "requirements.txt"
PAGE = PROJECT / "docs" / "dev" / "az-on-the-local-azure.md"
KNOWN = {"groups": "/subscriptions/s/resourceGroups", "shop": "1"}
COMMANDS = [command for chapter in CHAPTERS for command in chapter.commands]


def printed(stdout: str, stderr: str = "", exit_code: int = 0) -> Result:
    return Result(exit_code, stdout, stderr, 0.1)


def faults(command: Command, result: Result) -> tuple[str, ...]:
    return judge(command, result, KNOWN).faults


@pytest.mark.parametrize(
    ("gives", "stdout"),
    [
        (NOTHING, "\n"),
        ("$groups/rg", '"/subscriptions/s/resourceGroups/rg"'),
        ({"a": ["$shop", None, 2, True]}, '{"a": ["1", null, 2, true]}'),
        (GUID, '"0c2f1a3e-0000-4000-8000-000000000001"'),
        ([Text("$groups/.+")], '["/subscriptions/s/resourceGroups/rg"]'),
    ],
    ids=["nothing", "a kept name", "nested", "a GUID", "a pattern"],
)
def test_what_was_expected_is_right(gives: Any, stdout: str) -> None:
    assert faults(Command("group list", gives), printed(stdout)) == ()


@pytest.mark.parametrize(
    ("gives", "stdout"),
    [
        (NOTHING, "{}"),
        ({}, ""),
        ({"a": 1}, '{"a": 1, "b": 2}'),
        ([1], "[1, 2]"),
        (["b", "a"], '["a", "b"]'),
        (True, "1"),
        (None, '"None"'),
        (GUID, '"x0c2f1a3e-0000-4000-8000-000000000001"'),
        (GUID, "7"),
        ([Text("$groups/.+")], '["/subscriptions/s/resourceGroupsX"]'),
    ],
    ids=[
        "output where none is due",
        "none where it is due",
        "a member too many",
        "an element too many",
        "another order",
        "a number for a truth value",
        "a word for null",
        "no GUID",
        "no text",
        "another pattern",
    ],
)
def test_anything_else_is_a_fault(gives: Any, stdout: str) -> None:
    assert len(faults(Command("group list", gives), printed(stdout))) == 1


def test_a_refusal_needs_its_code_and_its_exit_code() -> None:
    command = Command("group show -n x", error="(ResourceGroupNotFound)", exit_code=3)
    right = printed("", "ERROR: (ResourceGroupNotFound) no such group", 3)
    assert faults(command, right) == ()
    assert faults(command, replace(right, exit_code=1)) == ("exit code 1, not 3",)
    assert faults(command, replace(right, stderr="ERROR: (NotFound)")) == (
        "no '(ResourceGroupNotFound)' on stderr",
    )
    crash = replace(right, stderr=f"{right.stderr}\nTraceback (most recent call last):")
    assert faults(command, crash) == ("the CLI crashed",)


def test_a_request_that_leaves_the_machine_is_a_fault() -> None:
    result = replace(printed(""), outside=("CONNECT example.org:443",))
    assert faults(Command("group list"), result) == ("left this machine: CONNECT example.org:443",)


def test_quotes_are_a_shells_and_names_are_filled_in_inside_them() -> None:
    line = """rest --url '$groups/rg?x=y z' --body '{"a": "$shop"}'"""
    assert Command(line).arguments(KNOWN) == [
        "rest",
        "--url",
        "/subscriptions/s/resourceGroups/rg?x=y z",
        "--body",
        '{"a": "1"}',
    ]


def test_there_are_commands_enough_and_each_name_is_kept_before_it_is_used() -> None:
    assert len(COMMANDS) >= 40
    known = {"arm", "metadata", "subscription", "tenant", "operator", "groups"}
    for command in COMMANDS:
        used = set(re.findall(r"\$(\w+)", f"{command.line} {command.gives}"))
        assert used <= known, command.line
        known |= {command.keep} - {""}


def test_every_session_is_the_operators_or_on_a_machine() -> None:
    assert {command.by for command in COMMANDS} == {"operator", *MACHINES}


def test_the_locked_requirements_hold_the_pinned_cli_with_hashes_and_no_addresses() -> None:
    text = REQUIREMENTS.read_text("utf-8")
    assert f"\nazure-cli=={VERSION} \\\n    --hash=sha256:" in text
    assert "://" not in text
    pins = re.findall(r"^[\w.-]+==.*$", text, re.MULTILINE)
    assert pins
    assert all(pin.endswith("\\") for pin in pins)


def test_every_command_of_the_page_is_tried() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = re.findall(r"^(?:\w+=\$\()?az (.+?)\)?$", "\n".join(blocks), re.MULTILINE)
    assert len(lines) > 10
    tried = [command.line for command in COMMANDS]
    for line in lines:
        shown = re.split(r" --query | --output ", line)[0]
        assert any(each.startswith(shown) for each in tried), line
