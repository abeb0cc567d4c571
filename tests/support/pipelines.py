"""Scripts of a pipeline, run by bash as its agents run them. On their PATH are the installed
`lanyard` and, for what reaches others, commands that keep what they are given and answer as asked.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.serve import Addresses
from tests.support.installed_command import LANYARD, signed_in

#: How the agents start bash: docs.github.com, "defaults.run"; a step of Azure's goes on after an
#: error (learn.microsoft.com/azure/devops/pipelines/scripts/cross-platform-scripting).
GITHUB, AZURE = ("-e",), ("--noprofile", "--norc")
_STOOD_IN = ("gh", "curl", "az", "pip")
_STAND_IN = """\
#!{python}
import json, pathlib, sys
name, *arguments = pathlib.Path(sys.argv[0]).name, *sys.argv[1:]
if arguments[:1] == ["account"]:  # the agent's own identity is in the environment
    sys.exit("Please run 'az login' to setup account.")
kept = "" if sys.stdin.isatty() else sys.stdin.read() if "@-" in arguments else ""
files = [a.removeprefix("body=@") for a in arguments if a.startswith("body=@")]
files += [b for a, b in zip(arguments, arguments[1:], strict=False) if a == "--body-file"]
kept += "".join(pathlib.Path(file).read_text() for file in files)
with pathlib.Path({calls!r}).open("a") as log:
    log.write(json.dumps([name, arguments, kept]) + "\\n")
answers = json.loads(pathlib.Path({answers!r}).read_text())
sys.stdout.write(answers.get(name, "") if "@-" not in arguments else "")
"""
_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
_MACRO = re.compile(r"\$\(([A-Za-z][\w.]*)\)")
type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A command that somebody else would have answered, and what it was given beside arguments."""

    name: str
    arguments: list[str]
    given: str


@dataclass(slots=True)
class Agent:
    """A machine that runs a pipeline. `values`: of GitHub's expressions or Azure's variables."""

    folder: Path
    addresses: Addresses
    bash: tuple[str, ...]
    values: Mapping[str, str]
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def prepare(self) -> None:
        commands = self.folder / "commands"
        commands.mkdir()
        text = _STAND_IN.format(
            python=sys.executable, calls=str(self._calls), answers=str(self._answers)
        )
        for name in _STOOD_IN:
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        (commands / "lanyard").symlink_to(LANYARD)

    async def run(self, script: str, environment: Mapping[str, str]) -> tuple[int, str]:
        """The script: its exit code, and all that it wrote."""
        self._answers.write_text(json.dumps(self.answers))
        (self.folder / "script.sh").write_text(self._filled(script))
        filled = {name: self._filled(value) for name, value in environment.items()}
        process = await asyncio.create_subprocess_exec(
            "bash",
            *self.bash,
            str(self.folder / "script.sh"),
            cwd=self.checkout,
            env=self._environment() | filled,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    def calls(self) -> list[Call]:
        """Since the last look."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return [Call(*json.loads(line)) for line in lines]

    @property
    def _calls(self) -> Path:
        return self.folder / "calls.jsonl"

    @property
    def _answers(self) -> Path:
        return self.folder / "answers.json"

    def _filled(self, text: str) -> str:
        pattern = _EXPRESSION if self.bash == GITHUB else _MACRO
        return pattern.sub(lambda found: self.values[found[1]], text)

    def _environment(self) -> dict[str, str]:
        return signed_in(self.addresses) | {
            "PATH": f"{self.folder / 'commands'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "GITHUB_REPOSITORY": "shop/policy",
        }


def merged(folder: Path, base: Mapping[str, str], change: Mapping[str, str]) -> None:
    """A checkout in the folder as a pipeline has it of a pull request: the merge of a branch that
    changes files (texts by path) into one that went on meanwhile.
    """
    folder.mkdir()
    _git(folder, "init", "--initial-branch", "main")
    _commit(folder, base)
    _git(folder, "checkout", "-b", "change")
    _commit(folder, change)
    _git(folder, "checkout", "main")
    _commit(folder, {"README": "somebody else's work"})
    _git(folder, "merge", "--no-ff", "--message", "merge", "change")


def _commit(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    _git(folder, "add", ".")
    _git(folder, "commit", "--message", "work")


def _git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    command = ["git", *author, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def steps(value: Any) -> Iterator[Json]:
    """All steps below a part of a workflow, in their order."""
    if isinstance(value, list):
        for each in value:
            yield from steps(each)
    elif isinstance(value, dict):
        if script_of(value) is not None or {"uses", "task", "checkout"} & value.keys():
            yield value
        else:
            yield from steps(list(value.values()))


def script_of(step: Json) -> str | None:
    """What a step runs, or None."""
    found = step.get("run", step.get("script", step.get("inputs", {}).get("inlineScript")))
    return found if isinstance(found, str) else None
