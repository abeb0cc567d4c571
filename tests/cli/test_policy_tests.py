"""`lanyard test`: what passes, what fails and how it is shown, what is no test at all."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from lanyard.cli import main
from lanyard.cli.schema import schema_of_tests, schema_text
from lanyard.desk.policy_tests.case_files import found_tests
from lanyard.policy import load_policy
from tests.support.desk import Ran
from tests.support.json_schema import mistakes

PASSED, ERROR, FAILED = 0, 1, 2
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
CUSTOM = "12345678-0000-4000-8000-000000000000"
POLICY = """\
version: 1
mode: observe
identities:
  web: {name: "id-web-{location}", resourceGroup: rg-ids}
rules:
  - name: apps
    match: {types: [Microsoft.Web/sites], exclude: {tags: {lanyard: ignore}}}
    attach: [web]
    grant: [{role: Reader, scope: "{resourceGroup}", to: web}]
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [web]
    system: true
"""
GRANT = '{role: reader, scope: "{resourceGroup}", to: id-web-westeurope}'


def case(expect: str, resource: str = "{type: Microsoft.Web/sites}", name: str = "a case") -> str:
    return f"  - name: {name}\n    resource: {resource}\n    expect: {expect}\n"


PASSES = case(f"{{attached: [ID-WEB-westeurope], granted: [{GRANT}]}}")


class Folder:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys
        (path / "lanyard.yaml").write_text(POLICY)

    def write(self, *cases: str, head: str = "", name: str = "lanyard.test.yaml") -> Path:
        file = self.path / name
        file.write_text(f"{head}tests:\n{''.join(cases)}")
        return file

    def run(self, *arguments: str) -> Ran:
        code = main(["test", *arguments, str(self.path)])
        written = self._capsys.readouterr()
        return Ran(code, written.out, written.err)


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_a_case_that_passes_is_a_line_and_a_rule_that_none_is_about_is_named(
    folder: Folder,
) -> None:
    file = folder.write(PASSES)
    ran = folder.run()
    assert ran.code == PASSED
    assert ran.lines == [
        f"✓ a case  {file}:2",
        f"not tested  rule 'machines' ({folder.path}/lanyard.yaml:10)",
        "test: 1 case passed, 1 of 2 rules tested",
    ]
    assert folder.run("--full-coverage").code == FAILED


def test_what_is_expected_and_does_not_come_and_what_comes_besides_are_shown_with_the_rule(
    folder: Folder,
) -> None:
    file = folder.write(case("{attached: [id-other]}"))
    ran = folder.run()
    assert ran.code == FAILED
    place = f"apps ({folder.path}/lanyard.yaml:6)"
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
    assert ran.lines[:5] == [
        f"✗ a case  {file}:2",
        "    - attached  id-other  expected, and it does not come",
        f"    + attached  id-web-westeurope  not expected, rule: {place}",
        f"    + granted   Reader at {group} to id-web-westeurope  not expected, rule: {place}",
        f"    rules for it: {place}",
    ]
    assert "1 failed" in ran.lines[-1]


@pytest.mark.parametrize(
    ("resource", "expect", "code"),
    [
        ("{type: Microsoft.Web/sites, tags: {LANYARD: ignore}}", "{nothing: true}", PASSED),
        ("{type: Microsoft.App/containerApps}", "{nothing: true}", PASSED),
        ("{type: Microsoft.Web/sites}", "{nothing: true}", FAILED),
        (
            "{type: Microsoft.Compute/virtualMachines}",
            "{attached: [id-web-westeurope, system]}",
            PASSED,
        ),
        (
            "{type: Microsoft.Compute/virtualMachines, location: northeurope}",
            "{attached: [id-web-northeurope, system]}",
            PASSED,
        ),
        (
            "{type: Microsoft.Compute/virtualMachines, identity: {userAssigned: [id-old]}}",
            "{held: [{what: id-web-westeurope, why: imdsDefault}, "
            "{what: system, why: imdsDefault}]}",
            PASSED,
        ),
        (
            "{type: Microsoft.Compute/virtualMachines, identity: {userAssigned: [id-old]}}",
            "{held: [{why: imdsDefault}, {why: restart}]}",
            FAILED,
        ),
        (
            "{type: Microsoft.Compute/virtualMachines, "
            "identity: {userAssigned: [id-web-westeurope], system: true}}",
            "{attached: [id-web-westeurope, system]}",
            PASSED,
        ),
    ],
)
def test_a_resource_is_what_the_case_says(
    folder: Folder, resource: str, expect: str, code: int
) -> None:
    folder.write(case(expect, resource))
    assert folder.run().code == code


def test_the_condition_of_a_grant_counts(folder: Folder) -> None:
    granted = GRANT[:-1] + ", condition: \"@Resource[a:b] StringEquals 'c'\"}"
    folder.write(case(f"{{attached: [id-web-westeurope], granted: [{granted}]}}"))
    ran = folder.run()
    assert ran.code == FAILED
    assert "on condition '@Resource[a:b]" in ran.out


def test_a_custom_role_is_held_unless_the_file_says_what_it_allows(folder: Folder) -> None:
    (folder.path / "lanyard.yaml").write_text(POLICY.replace("role: Reader", f"role: {CUSTOM}"))
    expected = f"{{attached: [id-web-westeurope], held: [{{what: {CUSTOM}, why: role}}]}}"
    folder.write(case(expected))
    assert folder.run().code == PASSED
    granted = GRANT.replace("reader", CUSTOM)
    head = f'customRoles: {{{CUSTOM}: {{actions: ["Microsoft.Web/sites/read"]}}}}\n'
    folder.write(case(f"{{attached: [id-web-westeurope], granted: [{granted}]}}"), head=head)
    assert folder.run().code == PASSED
    head = head.replace("Microsoft.Web/sites/read", "Microsoft.Authorization/*")
    held = f"{{attached: [id-web-westeurope], held: [{{what: {CUSTOM}, why: privileged}}]}}"
    folder.write(case(held), head=head)
    assert folder.run().code == PASSED


def test_a_file_of_tests_is_no_part_of_a_policy_and_tests_the_whole_folder(
    folder: Folder,
) -> None:
    (folder.path / "lanyard.yaml").rename(folder.path / "rules.yaml")
    folder.write(PASSES, name="some.test.yml")
    assert len(load_policy(folder.path).rules) == 2
    assert folder.run().code == PASSED


def test_another_policy_may_be_named(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    folder.write(PASSES, head="policy: ../lanyard.yaml\n", name="sub/x.test.yaml")
    assert folder.run().code == PASSED


def test_tests_are_found_below_but_not_in_hidden_folders(folder: Folder, tmp_path: Path) -> None:
    for name in ("sub", ".venv", "node_modules"):
        (tmp_path / name).mkdir()
        folder.write(PASSES, name=f"{name}/x.test.yaml")
    assert found_tests([tmp_path, tmp_path / "sub"]) == [tmp_path / "sub" / "x.test.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tests: []\n", "'tests' needs at least one entry"),
        ("- a\n", "a file of tests is a mapping that has the list 'tests'"),
        ("tests:\n" + case("{atached: []}"), "unknown key 'atached'; did you mean 'attached'?"),
        ("tests:\n" + case("{held: [{why: imds}]}"), "'why' must be 'mode', "),
        ("tests:\n" + case("{}", "{name: vm1}"), "give the resource an 'id', or a 'type'"),
        ("tests:\n" + case("{}", "{type: Microsoft.Web/site}"), "is no compute that Lanyard knows"),
        (
            "tests:\n" + case("{granted: [{role: Raeder, scope: x, to: y}]}"),
            "unknown role 'Raeder'",
        ),
        (
            "tests:\n" + case('{granted: [{role: Reader, scope: "{x}", to: y}]}'),
            "the scope '{x}'",
        ),
        ("tests:\n" + case("{nothing: true, attached: [x]}"), "'nothing: true' leaves no room"),
        *(
            (
                "tests:\n" + case("{}", f"{{type: Microsoft.Web/sites, {key}: }}"),
                f"'{key}' is empty",
            )
            for key in ("id", "location", "tags", "kind", "identity", "managedBy", "manualUpgrade")
        ),
        ("tests:\n" + case("{held: [{why: rule, what: }]}"), "'what' is empty"),
        ("policy:\ntests:\n" + PASSES, "'policy' is empty"),
        ("policy: none.yaml\ntests:\n" + PASSES, "cannot be read: No such file"),
    ],
)
def test_what_is_no_test_is_shown_at_its_place(folder: Folder, text: str, message: str) -> None:
    (folder.path / "lanyard.test.yaml").write_text(text)
    ran = folder.run()
    assert ran.code == ERROR
    assert message in ran.out + ran.err
    assert ".yaml:" in ran.out + ran.err


def test_one_broken_file_stops_no_other(folder: Folder) -> None:
    folder.write(PASSES)
    (folder.path / "broken.test.yaml").write_text("tests: 1\n")
    ran = folder.run()
    assert ran.code == ERROR
    assert any(line.startswith("✓ a case") for line in ran.lines)


def test_a_folder_without_tests_is_an_error(folder: Folder) -> None:
    ran = folder.run()
    assert ran.code == ERROR
    assert "no file of tests (*.test.yaml)" in ran.err


def test_the_json_has_every_case_and_what_is_not_tested(folder: Folder) -> None:
    file = folder.write(PASSES, case("{nothing: true}", name="fails"))
    ran = folder.run("--json")
    found = json.loads(ran.out)
    assert ran.code == FAILED
    assert found["ok"] is False
    assert found["summary"] == {
        "passed": 1,
        "failed": 1,
        "problems": 0,
        "rules": 2,
        "untouched": 1,
    }
    passed, failed = found["files"][0]["cases"]
    assert (found["files"][0]["file"], passed["passed"], failed["passed"]) == (
        str(file),
        True,
        False,
    )
    assert {each["part"] for each in failed["differences"]} == {"attached", "granted"}
    rule = {"name": "apps", "place": f"{folder.path}/lanyard.yaml:6"}
    assert failed["differences"][0]["rules"] == [rule]
    (untouched,) = found["coverage"][0]["untouched"]
    assert untouched["name"] == "machines"


def test_junit_has_a_failure_for_each_case_that_fails(folder: Folder, tmp_path: Path) -> None:
    folder.write(PASSES, case("{nothing: true}", name="fails"))
    report = tmp_path / "report.xml"
    assert folder.run("--junit", str(report), "--quiet").code == FAILED
    suite = ElementTree.parse(report).getroot()[0]  # noqa: S314
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [each.find("failure") is not None for each in suite] == [False, True]


@pytest.mark.parametrize("name", ["a\x1b.test.yaml", os.fsdecode(b"a\xe9.test.yaml")])
def test_junit_is_xml_whatever_somebody_typed(folder: Folder, tmp_path: Path, name: str) -> None:
    report = tmp_path / "report.xml"
    odd = case("{nothing: true}", name='"]]> <b>"')
    folder.write(odd, head="policy: lanyard.yaml\n", name=name)
    assert folder.run("--junit", str(report)).code == FAILED
    (found,) = ElementTree.parse(report).iter("testcase")  # noqa: S314
    assert found.get("name") == "]]> <b>"
    assert "�" in (found.get("file") or "")


def test_files_in_several_folders_test_one_policy_together(folder: Folder, tmp_path: Path) -> None:
    for name, resource in (
        ("one", "Microsoft.Web/sites"),
        ("two", "Microsoft.Compute/virtualMachines"),
    ):
        (tmp_path / name).mkdir()
        what = case("{nothing: true}", f"{{type: {resource}}}")
        folder.write(what, head="policy: ../lanyard.yaml\n", name=f"{name}/{name}.test.yaml")
    assert "2 of 2 rules tested" in folder.run().out


def test_quiet_shows_what_fails_alone(folder: Folder) -> None:
    folder.write(PASSES)
    assert folder.run("--quiet").out == ""
    folder.write(PASSES, case("{nothing: true}", name="fails"))
    assert folder.run("--quiet").lines[0].startswith("✗ fails")


def test_validate_checks_the_form_of_a_file_of_tests(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder.write(PASSES)
    assert main(["validate", str(file)]) == PASSED
    assert "ok, tests, 1 case" in capsys.readouterr().out
    file.write_text("tests: 1\n")
    assert main(["validate", str(file)]) == ERROR


def test_the_schema_is_current_and_takes_what_the_command_takes() -> None:
    docs = Path(__file__).parents[2] / "docs" / "lanyard.test.schema.json"
    assert docs.read_text() == schema_text(tests=True), (
        "run: python -m lanyard.cli schema --tests --output docs/lanyard.test.schema.json"
    )
    assert mistakes(yaml.safe_load(f"tests:\n{PASSES}"), schema_of_tests()) == []
    wrong = yaml.safe_load("tests:\n" + case("{atached: []}"))
    assert mistakes(wrong, schema_of_tests()) != []
