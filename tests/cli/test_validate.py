"""`lanyard validate`: what it says and its exit code. What it finds is in test_corpus.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanyard.cli import main

PROJECT = Path(__file__).parents[2]
GOOD = """\
version: 1
mode: full
identities:
  app: {name: id-app, resourceGroup: rg-identities, per: [subscription]}
rules:
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [app]
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.yaml", GOOD)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write(tmp_path / "bad.yaml", GOOD.replace("full", "ful").replace("[app]", "app"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def validate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str]]:
    code = main(["validate", *map(str, arguments)])
    output = capsys.readouterr()
    assert output.err == ""
    return code, output.out.splitlines()


def test_a_good_policy_exits_0_and_says_what_it_has(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(capsys, good) == (
        0,
        [f"{good}: ok, mode full, 1 rule, 1 identity", "validate: 1 policy ok"],
    )


OVERLAP = """\
version: 1
mode: full
rules:
  - name: all
    match: {types: [Microsoft.ContainerService/managedClusters]}
    system: true
  - name: some
    match: {types: [Microsoft.ContainerService/managedClusters], tags: {env: prod}}
    attach: [app]
identities: {app: {name: "id-{location}", resourceGroup: rg}}
"""


SHARED = """\
version: 1
identities: {own: {name: "id-{resource.name}", per: resource}}
rules:
  - name: all
    match: {types: [Microsoft.Compute/virtualMachines, Microsoft.Web/sites]}
    attach: [own]
"""


def test_case_B02_a_name_that_two_resources_would_have_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "shared.yaml", SHARED)
    code, lines = validate(capsys, file)
    assert code == 0
    assert lines[1] == (
        f"{file}:2:20: warning: Microsoft.Compute/virtualMachines 'a' in 'a' and "
        "Microsoft.Web/sites 'a' in 'a' would share one identity, and the second gets none; use "
        "{resource.hash} in its name"
    )


def test_rules_that_may_be_in_each_others_way_are_a_warning_and_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "overlap.yaml", OVERLAP)
    code, lines = validate(capsys, file)
    assert code == 0
    assert lines[0].startswith(f"{file}: ok")
    assert lines[1].startswith(f"{file}:8:5: warning: Microsoft.ContainerService/managedClusters")
    assert "rule 'all'" in lines[1]
    _, lines = validate(capsys, "--json", file)
    (policy,) = json.loads("\n".join(lines))["policies"]
    assert (policy["ok"], policy["problems"]) == (True, [])
    assert [warning["line"] for warning in policy["warnings"]] == [8]


def test_a_broken_policy_exits_1_after_the_others_were_checked(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(capsys, bad, good) == (
        1,
        [
            f"{bad}:2:1: 'mode' must be 'observe', 'add-only' or 'full', not 'ful'",
            f"{bad}:8:5: 'attach' must be a list, not 'app'; write [app]",
            f"{good}: ok, mode full, 1 rule, 1 identity",
            "validate: 2 problems in 1 of 2 policies",
        ],
    )


def test_the_files_of_a_folder_are_one_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, rules = GOOD.partition("rules:")
    write(tmp_path / "policies" / "identities.yaml", head)
    write(tmp_path / "policies" / "machines.yml", "version: 1\nrules:" + rules)
    write(tmp_path / "policies" / "notes.txt", "not read")
    folder = tmp_path / "policies"
    code, lines = validate(capsys, folder)
    assert (code, lines[0]) == (0, f"{folder}: ok, mode full, 1 rule, 1 identity")


def installed(folder: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lanyard", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_alone_it_is_of_lanyard_yaml(tmp_path: Path) -> None:
    write(tmp_path / "lanyard.yaml", GOOD)
    ran = installed(tmp_path, "validate")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("lanyard.yaml: ok, mode full, 1 rule, 1 identity\n")


@pytest.mark.parametrize("command", ["validate", "rights"])
def test_a_policy_comes_from_standard_input(tmp_path: Path, command: str) -> None:
    ran = installed(tmp_path, command, "-", "--json", given=GOOD)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["version"] == 1
    broken = installed(tmp_path, command, "-", given=GOOD.replace("full", "ful"))
    assert broken.returncode == 1
    assert "-:2:1: 'mode' must be" in broken.stdout + broken.stderr


def test_quiet_says_nothing_of_what_is_good(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(capsys, "--quiet", good) == (0, [])
    code, lines = validate(capsys, "--quiet", good, bad)
    assert (code, len(lines)) == (1, 2)


def test_json_has_every_problem_by_policy(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = validate(capsys, "--json", good, bad)
    assert code == 1
    assert json.loads("\n".join(lines)) == {
        "version": 1,
        "ok": False,
        "policies": [
            {"path": str(good), "ok": True, "cases": None, "problems": [], "warnings": []},
            {
                "path": str(bad),
                "ok": False,
                "cases": None,
                "problems": [
                    {
                        "file": str(bad),
                        "line": 2,
                        "column": 1,
                        "message": "'mode' must be 'observe', 'add-only' or 'full', not 'ful'",
                    },
                    {
                        "file": str(bad),
                        "line": 8,
                        "column": 5,
                        "message": "'attach' must be a list, not 'app'; write [app]",
                    },
                ],
                "warnings": [],
            },
        ],
    }


def test_what_cannot_be_read_is_a_problem_of_its_first_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, empty = tmp_path / "missing.yaml", tmp_path / "empty"
    empty.mkdir()
    assert validate(capsys, "--quiet", missing, empty) == (
        1,
        [
            f"{missing}:1:1: cannot be read: No such file or directory",
            f"{empty}:1:1: the folder has no .yaml file",
        ],
    )


@pytest.mark.parametrize(
    "arguments", [["rights", "--jsn"], ["validat", "x"], ["validate", "--jsn", "x"]]
)
def test_wrong_arguments_exit_1_for_2_means_changes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    output = capsys.readouterr().err.splitlines()
    assert output[0].startswith("lanyard: ")
    assert output[1].startswith("`lanyard ")


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "lanyard.cli", *map(str, arguments)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
    )


def test_a_terminal_without_utf_8_ends_nothing(tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.yaml", "version: 1\nschlüssel: 1\n")
    ran = run("validate", broken, PYTHONIOENCODING="ascii")
    assert ran.returncode == 1
    assert b"unknown key 'schl?ssel'" in ran.stdout
    assert ran.stderr == b""


def test_a_reader_that_leaves_early_sees_no_stack_trace(bad: Path) -> None:
    many = [str(bad)] * 2000
    with subprocess.Popen(
        [sys.executable, "-m", "lanyard.cli", "validate", *many],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_validating_needs_none_of_the_azure_sdks() -> None:
    code = "import sys, lanyard.cli; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    heavy = ("azure.", "aiohttp", "msal")
    assert [name for name in ran.stdout.split() if name.startswith(heavy)] == []
