"""The workflows in docs/ci.md: each is read, its scripts are shell, its commands run; and so do
those of the hooks for pre-commit.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lanyard.cli import main
from tests.support.desk import STORAGE, Desk
from tests.support.estate import POLICY
from tests.support.handlers import started
from tests.support.pages import PROJECT, page

NOTHING = "version: 1\nmode: full\n"
TESTS = """\
tests:
  - name: a machine reads blobs
    resource: {type: Microsoft.Compute/virtualMachines}
    expect:
      attached: [id-lanyard-westeurope]
      granted:
        - {role: Storage Blob Data Reader, scope: "{resourceGroup}", to: id-lanyard-westeurope}
"""
WORKFLOWS = [
    yaml.safe_load(block.text)
    for block in page(PROJECT / "docs" / "ci.md").blocks
    if block.language == "yaml"
]
HOOKS: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())


def scripts(value: Any) -> Iterator[str]:
    """Every shell script in a workflow."""
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from scripts(each)
    if isinstance(value, dict):
        yield from (value[key] for key in ("run", "script", "inlineScript") if key in value)


SCRIPTS = [script for workflow in WORKFLOWS for script in scripts(workflow)]
LINES = {line.strip() for script in SCRIPTS for line in script.splitlines()}
COMMANDS = sorted(line for line in LINES if line.startswith("lanyard "))


def test_every_workflow_is_read() -> None:
    assert len(WORKFLOWS) == 4
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_shell(script: str) -> None:
    ran = subprocess.run(
        ["/bin/sh", "-n"], input=script, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_no_script_has_what_a_stranger_may_write_put_into_it() -> None:
    """An expression of GitHub's is pasted into the script as it is."""
    assert [script for script in SCRIPTS if "${{" in script] == []


@pytest.mark.parametrize("line", COMMANDS)
async def test_a_command_runs_as_printed(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(tmp_path, monkeypatch, capsys)
    await started(desk.estate, monkeypatch)
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    in_git(tmp_path, POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANYARD_STORAGE", STORAGE)
    command, _, otherwise = line.partition(" || ")
    filled = re.sub(r"\$BASE|origin/\$TARGET", "HEAD", command)
    ran = await desk.lanyard(*shlex.split(filled)[1:])
    assert (ran.code, ran.err) == (0, "")
    if otherwise:  # what is lost is no error
        (tmp_path / "policy" / "lanyard.yaml").write_text(NOTHING)
        assert (await desk.lanyard(*shlex.split(filled)[1:])).code == 2
        assert "loses" in (tmp_path / "diff.md").read_text()


def in_git(folder: Path, policy: str) -> None:
    (folder / "policy").mkdir()
    (folder / "policy" / "lanyard.yaml").write_text(policy)
    (folder / "policy" / "lanyard.test.yaml").write_text(TESTS)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for arguments in (["init"], ["add", "policy"], ["commit", "--message", "one"]):
        command = ["git", *author, *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_on_what_it_is_for(hook: dict[str, Any], tmp_path: Path) -> None:
    assert hook["language"] == "python"
    for name, text in (("lanyard.yaml", POLICY), ("lanyard.test.yaml", TESTS)):
        (tmp_path / name).write_text(text)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "lanyard"
    files = [str(tmp_path)]
    if hook.get("pass_filenames", True):
        files = [str(each) for each in tmp_path.iterdir() if re.search(hook["files"], each.name)]
        assert len(files) == 2
    assert main([*arguments, *files]) == 0
    (tmp_path / "lanyard.yaml").write_text("version: 1\nmode: ful\n")
    assert main([*arguments, *files]) != 0
