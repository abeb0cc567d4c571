"""The examples are good policies, by the schema too, and pass the tests beside them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lanyard.cli import main
from lanyard.cli.schema import policy_schema, schema_of_tests
from lanyard.desk.policy_tests.case_files import is_test_file
from lanyard.desk.policy_tests.resources import resource_of
from lanyard.desk.policy_tests.shape import GivenResource
from lanyard.planning.desired import desired
from lanyard.policy import load_policy
from lanyard.policy.privileged import is_allowed
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from tests.support.json_schema import mistakes

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
POLICIES = sorted(
    [*(file for file in EXAMPLES.glob("*.yaml") if not is_test_file(file)), EXAMPLES / "folder"]
)
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"


def test_every_example_passes_its_tests_and_they_are_about_all_its_rules(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = EXAMPLES.parent / "lanyard.test.yaml"
    code = main(["test", str(EXAMPLES), str(shipped), "--full-coverage", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    tested = {Path(each["policy"]).resolve() for each in found["files"]}
    assert tested == {*POLICIES, EXAMPLES.parent / "lanyard.yaml"}
    assert found["summary"]["untouched"] == 0


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_an_example_is_a_good_policy(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(path)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_good_by_the_schema_and_names_it(file: Path) -> None:
    text = file.read_text()
    document: Any = yaml.safe_load(text)
    tests = is_test_file(file)
    assert mistakes(document, schema_of_tests() if tests else policy_schema()) == []
    first, second = text.splitlines()[:2]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    name = "lanyard.test.schema.json" if tests else "lanyard.schema.json"
    assert (file.parent / schema).resolve() == EXAMPLES.parent / "docs" / name
    assert tests or second.startswith("# ") or file.parent.name == "folder"


def test_a_manual_scale_set_is_brought_up_to_date() -> None:
    policy = load_policy(EXAMPLES / "scale-sets-manual-upgrade.yaml")
    type_ = "Microsoft.Compute/virtualMachineScaleSets"
    given = GivenResource(type=type_, name="render-1")
    assert desired(policy, resource_of(given, {}, ())).upgrade_instances


def test_the_privileged_role_is_allowed_where_the_example_says_and_nowhere_else() -> None:
    privileged = load_policy(EXAMPLES / "privileged-role.yaml").privileged
    role = BUILT_IN_ROLES["User Access Administrator"]
    assert is_allowed(role, f"{SUBSCRIPTION}/resourceGroups/rg-sandbox-1", privileged)
    assert not is_allowed(role, f"{SUBSCRIPTION}/resourceGroups/rg-prod", privileged)
    assert not is_allowed(role, SUBSCRIPTION, privileged)
