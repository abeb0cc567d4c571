"""`lanyard rights`: shown to a person, to a program and to Bicep."""

import json
from pathlib import Path

import pytest

from lanyard.cli import main
from lanyard.values.built_in_roles import BUILT_IN_ROLES

PROJECT = Path(__file__).parents[2]
READER = BUILT_IN_ROLES["Reader"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["rights", *arguments]) == 0
    return capsys.readouterr().out


DEMO = str(PROJECT / "demo" / "lanyard.yaml")


def test_the_command_shows_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, DEMO, "--removable", "Reader")
    assert "Microsoft.Compute/virtualMachines/write" in text
    assert "so it may assign\n  Storage Blob Data Reader\n" in text
    assert "at the resource group rg-identities" in text


def test_the_command_shows_a_program_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(shown(capsys, DEMO, "--json", "--removable", READER))
    parameters = json.loads(shown(capsys, DEMO, "--bicep", "--removable", "reader"))
    assert [role["name"] for role in answer["removable"]] == ["Storage Blob Data Reader", "Reader"]
    values = parameters["parameters"]["rights"]["value"]
    assert {key: answer[key] for key in values} == values


def test_an_existing_identity_is_taken_apart_for_bicep(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = str(PROJECT / "examples" / "existing-identity.yaml")
    values = json.loads(shown(capsys, file, "--bicep"))["parameters"]["rights"]["value"]
    (identity,) = values["operatorOn"]
    assert set(identity) == {"subscriptionId", "resourceGroup", "name"}


def test_an_unknown_role_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rights", DEMO, "--removable", "Readre"]) == 1
    assert "'Readre'" in capsys.readouterr().err


def test_a_broken_policy_is_shown_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "lanyard.yaml"
    broken.write_text("version: 1\nmode: ful\n")
    assert main(["rights", str(broken)]) == 1
    assert "lanyard.yaml:2:" in capsys.readouterr().err
