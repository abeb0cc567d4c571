"""`lanyard rights`: shown to a person, to a program and to Bicep."""

import json
from pathlib import Path

import pytest

from lanyard.cli import main
from lanyard.cli.catalogue import COMMANDS
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from tests.support.documented import undocumented

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


def test_a_later_mode_is_shown_beforehand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PROJECT / "demo" / "lanyard.yaml").read_text()
    file = tmp_path / "lanyard.yaml"
    assert "mode: full" in text
    file.write_text(text.replace("mode: full", "mode: observe"))
    now = json.loads(shown(capsys, str(file), "--json"))
    later = json.loads(shown(capsys, str(file), "--json", "--mode", "full"))
    assert (now["mode"], now["assignable"]) == ("observe", [])
    assert later == json.loads(shown(capsys, DEMO, "--json"))
    assert "--mode full shows what that mode needs" in " ".join(now["notes"])
    assert "so it may assign" in shown(capsys, str(file), "--mode", "full")
    assert main(["rights", str(file), "--mode", "ful"]) == 1
    assert "add-only" in capsys.readouterr().err


BY_GROUP = """
version: 1
mode: full
rules:
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines], resourceGroups: [rg-app]}
    system: true
    grant: [{role: Reader, scope: "{resourceGroup}", to: system}]
"""


@pytest.fixture
def named(tmp_path: Path) -> str:
    """A policy that names its groups."""
    file = tmp_path / "lanyard.yaml"
    file.write_text(BY_GROUP)
    return str(file)


def test_by_group_it_says_where_and_what_may_be_given_there(
    named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, named, "--by-group")
    assert "A custom role that assigns and removes roles" in text
    assert "  rg-app\n    to assign: Reader\n    to remove: Reader\n" in text
    assert "reading stays at the subscription" in " ".join(text.split())


def test_by_group_a_program_gets_each_condition_and_every_key_is_documented(
    named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = json.loads(shown(capsys, named, "--by-group", "--json"))
    assert answer["condition"] == ""
    kinds = {role["kind"]: role["groups"] for role in answer["atGroups"]}
    assert [*kinds] == ["changes", "grants"]
    (group,) = kinds["grants"]
    assert (group["name"], group["subscription"]) == ("rg-app", "*")
    assert READER in group["condition"]
    (shape,) = [each.command().shape for each in COMMANDS if each.name == "rights"]
    assert list(undocumented(answer, shape)) == []


def test_by_group_a_rule_without_its_groups_is_refused_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rights", DEMO, "--by-group"]) == 1
    refused = capsys.readouterr().err
    assert "is for resources of the groups /subscriptions/*/resourceGroups/rg-shop*" in refused
    assert "match: {resourceGroups: […]}" in refused


def test_infra_does_not_take_rights_by_group(
    named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rights", named, "--by-group", "--bicep"]) == 1
    assert "'lanyard onboard --by-group' gives them at groups" in capsys.readouterr().err


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
