"""The command blocks on the pages are run, each against an Azure and an app of its own.

The policy in force is the section's own, or else the one of the tests. Ids on a page stand for what
is really there: see `filled`.
"""

import io
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lanyard.values.change import Change
from tests.support.dead_letters import Blob, dead_letter
from tests.support.desk import STORAGE, Desk
from tests.support.estate import POLICY
from tests.support.handlers import started
from tests.support.pages import Block, blocks

NEEDS_AZURE = "needs a subscription"
ONBOARDED = "tests/e2e/test_onboard.py does just that"
CLI = "make az-check runs it, with the Azure CLI"
#: What is not run, by page and first line, with the reason that the page gives, too.
NOT_RUN = {
    ("docs/deploy.md", "azd auth login && az login"): NEEDS_AZURE,
    ("docs/deploy.md", "azd env set LANYARD_POLICY https"): NEEDS_AZURE,
    ("docs/deploy.md", "lanyard validate new.yaml"): NEEDS_AZURE,
    ("docs/deploy.md", "graph=$(az ad sp show --id"): NEEDS_AZURE,
    ("docs/deploy.md", "set -a; eval"): ONBOARDED,
    ("docs/deploy.md", "lanyard uninstall --grants"): ONBOARDED,
    ("docs/notifications.md", "az eventgrid topic create"): NEEDS_AZURE,
    ("docs/operate.md", "export SSL_CERT_FILE=…"): "tests/e2e/test_commands.py does just that",
    ("docs/dev/az-on-the-local-azure.md", "mkdir -p .cache"): CLI,
    ("docs/dev/az-on-the-local-azure.md", ".venv/bin/python -m demo.local"): CLI,
    ("docs/dev/az-on-the-local-azure.md", "az group create"): CLI,
    ("docs/dev/az-on-the-local-azure.md", 'eval "$(.venv/bin/python'): CLI,
    ("docs/dev/az-on-the-local-azure.md", "kill %1"): CLI,
    ("docs/dev/prove.md", "make prove"): "tests/e2e/test_prove.py runs it against the local Azure",
    ("CONTRIBUTING.md", "make setup"): "every task of make begins with it",
    ("CONTRIBUTING.md", "PYTHONPATH=. "): "it is the tests that it runs",
    ("README.md", "az login"): "it looks at the subscriptions of whoever is signed in with az",
    ("README.md", "make demo"): "tests/e2e/test_demo.py runs the one; the other runs this",
}
#: A person who is at the desk is signed in.
SIGNING_IN = {"az login"}

#: On the PATH, or where `make setup` puts it.
LANYARD = {"lanyard", ".venv/bin/lanyard"}

SHELL = blocks("sh")
_SHELLS_OWN = {"|", "||", "&", "&&", ";", ">", ">>", "<", "(", ")"}
#: What a comment on a page promises.
_EXIT_CODE = re.compile(r"# ends with (\d)")
_DECISION = "2026-11-21T101500.000000-000001-0a1b2c3d"
_HELD = "0a1b2c3d"
_MESSAGE = "2f0c11c8-5f0e-4e7e-9f6b-3c1d2e4a5b6c"
_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


def listed(block: Block) -> str:
    """The reason for which a block is not run, "" for one that is."""
    found = [
        why
        for (page, first), why in NOT_RUN.items()
        if block.page == page and block.first.startswith(first)
    ]
    return found[0] if found else ""


def policy_of(block: Block) -> str:
    """The policy of the section, else the one of the tests' estate."""
    policies = {(e.page, e.section): e.text for e in blocks("yaml") if e.is_policy}
    return policies.get((block.page, block.section), POLICY)


def its_tests(block: Block) -> str:
    """The tests of the policy of the section; "" for none."""
    tests = {(e.page, e.section): e.text for e in blocks("yaml") if e.has_tests}
    return tests.get((block.page, block.section), "")


@dataclass(frozen=True)
class Command:
    """One line of a block. `piped`: its output goes to another program, which wants JSON."""

    arguments: list[str]
    piped: bool
    codes: tuple[int, ...]


def commands(text: str) -> Iterator[Command]:
    """The commands of a block. Raises ValueError for what cannot be run here."""
    for line in text.splitlines():
        words = _words(line)
        if not words or " ".join(words) in SIGNING_IN:
            continue
        ours, other = (words[: words.index("|")], ["jq"]) if "|" in words else (words, [])
        rest = words[len(ours) + 1 :]
        if ours[0] not in LANYARD or rest[:1] != other or _SHELLS_OWN & {*ours, *rest}:
            raise ValueError(f"{line!r} cannot be run here: it is listed, or it is lanyard's alone")
        promised = _EXIT_CODE.search(line)
        yield Command(ours[1:], bool(rest), (int(promised[1]),) if promised else (0, 2))


def _words(line: str) -> list[str]:
    """As a shell splits it, comments left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


async def live(desk: Desk) -> None:
    """Machines in two regions and a site come, and a machine goes; the app is at work meanwhile.

    What it had is another identity's than what the other machine has, so its access is removed. A
    message was given up.
    """
    estate = desk.estate
    estate.azure.assign(desk.person.object_id, "Owner", estate.scope)
    estate.platform.directory.grant_permission(desk.person.object_id)
    await estate.create_vm("vm1", tags={"app": "shop"})
    await estate.create_vm("vm2", tags={"app": "shop"}, location="northeurope")
    await desk.put("Microsoft.Web/sites/app1", {"location": "westeurope", "properties": {}})
    await desk.started()
    await estate.delete_vm("vm2")
    await estate.settle()
    given_up = Change(estate.vm_id("vm1"), "event", attempt=12)
    desk.poison.blobs.append(Blob(dead_letter(_MESSAGE, reason="MaxDequeueCount", change=given_up)))


async def first(desk: Desk, key: str, *arguments: str) -> str:
    """The id of the first entry that a command lists."""
    found: list[dict[str, Any]] = json.loads((await desk.lanyard(*arguments, "--json")).out)[key]
    assert found, f"lanyard {' '.join(arguments)} lists nothing that could be named"
    return str(found[0]["id"])


async def filled(desk: Desk, arguments: list[str]) -> list[str]:
    """The arguments, with what is really there in place of what stands for it."""
    stands_for = {_SUBSCRIPTION: desk.estate.subscription}
    if _DECISION in arguments:
        stands_for[_DECISION] = await first(desk, "decisions", "history", "--removals")
    if _HELD in arguments:
        stands_for[_HELD] = await first(desk, "held", "held")
    for what, there in stands_for.items():
        arguments = [each.replace(what, there) for each in arguments]
    return arguments


@pytest.fixture
def at_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, the shell's variables that name the app, and a yes to each question."""
    answers = io.StringIO("y\n" * 10)
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANYARD_STORAGE", STORAGE)
    monkeypatch.setenv("LANYARD_POLICY", "lanyard.yaml")


@pytest.mark.usefixtures("at_the_desk")
@pytest.mark.parametrize("block", [each for each in SHELL if not listed(each)], ids=str)
async def test_a_block_runs_as_printed(
    block: Block,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(tmp_path, monkeypatch, capsys)
    policy = policy_of(block).replace(_SUBSCRIPTION, desk.estate.subscription)
    desk.write_policy(policy)
    if tests := its_tests(block):
        (tmp_path / "lanyard.test.yaml").write_text(tests)
    desk.estate.change_policy(policy)
    monkeypatch.setenv("LANYARD_PRINCIPAL_ID", desk.estate.app.object_id)
    await started(desk.estate, monkeypatch)
    await live(desk)
    for command in commands(block.text):
        ran = await desk.lanyard(*await filled(desk, command.arguments))
        assert ran.code in command.codes, (command, ran)
        assert "lanyard: " not in ran.err  # an error; a question is none
        if command.piped:
            json.loads(ran.out)


def test_what_is_not_run_is_listed_and_explained_on_the_page() -> None:
    """Only the first block of the README goes without a comment."""
    not_run = [each for each in SHELL if each.not_run or listed(each)]
    assert len(not_run) == len(NOT_RUN)
    explained = [(str(each), each.not_run or listed(each)) for each in not_run]
    assert explained == [(str(each), listed(each)) for each in not_run]
    assert {each.page for each in not_run if not each.not_run} == {"README.md"}


@pytest.mark.parametrize(
    "line", ["az vm list", "lanyard scan && az logout", "lanyard scan > file", "lanyard scan | tee"]
)
def test_a_line_that_cannot_be_run_here_is_no_success(line: str) -> None:
    with pytest.raises(ValueError, match="cannot be run here"):
        list(commands(line))


def test_a_line_is_read_as_a_shell_reads_it() -> None:
    lines = [
        "az login",
        ".venv/bin/lanyard scan --json | jq '.a | .b'  # ends with 2: why",
        "lanyard pause 'a b'",
    ]
    assert list(commands("\n".join(lines))) == [
        Command(["scan", "--json"], True, (2,)),
        Command(["pause", "a b"], False, (0, 2)),
    ]
