"""`lanyard init`: a first policy, with comments, that changes nothing yet, and its tests."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.first_tests import tests_text
from lanyard.cli.frame.files import write
from lanyard.cli.frame.options import Command, Json, Quiet
from lanyard.cli.frame.terminal import Terminal
from lanyard.policy.load import parse_policy
from lanyard.policy.standards import SHIPPED
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded

_ABOUT = """\
Write a first policy: commented, in mode observe, in which nothing is changed; and tests of it
beside it (lanyard.test.yaml), for `lanyard test`. What is not given by an option is asked for on a
terminal; elsewhere, and with --yes, the default is taken.
"""
_AFTER = """\
examples:
  lanyard init
  lanyard init --yes --resource-group rg-try --standard lanyard/read-secrets
  lanyard init --type web-apps --type machines --output policies/start.yaml
  lanyard init --yes --identity /subscriptions/…/userAssignedIdentities/id-payments

exit codes:
  0  written, and a good policy
  1  an error: a file exists, or cannot be written; an answer that gives no good policy
"""
_WORDS = {
    "machines": "Microsoft.Compute/virtualMachines",
    "scale-sets": "Microsoft.Compute/virtualMachineScaleSets",
    "web-apps": "Microsoft.Web/sites",
    "container-apps": "Microsoft.App/containerApps",
    "jobs": "Microsoft.App/jobs",
    "batch-pools": "Microsoft.Batch/batchAccounts/pools",
    "automation": "Microsoft.Automation/automationAccounts",
}
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Answers:
    """`resource_group` is "*" for all; `identity` a name, made in `identity_group`, or an id."""

    types: tuple[str, ...]
    resource_group: str
    identity: str
    identity_group: str
    standard: str


@dataclass(frozen=True, slots=True)
class Given:
    """What options give of the answers; None: to be asked for."""

    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help=f"For what: {', '.join(_WORDS)}, or a type of Azure's; repeatable.",
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Begin with the resources of this group; * for all."),
    ] = None
    identity: Annotated[
        str | None,
        typer.Option(metavar="NAME|ID", help="The identity: a name to make it by, or an id."),
    ] = None
    identity_group: Annotated[
        str | None, typer.Option(metavar="NAME", help="The resource group that it is made in.")
    ] = None
    standard: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"What it may do: {', '.join(SHIPPED)}, or none."),
    ] = None

    def answers(self, *, asks: bool) -> Answers:
        """All of them; a person is asked for the rest, or the defaults are taken."""
        ask = _Interview(asks).answer
        kinds = self.kinds or ask(None, f"For what? ({', '.join(_WORDS)})", "machines").split(",")
        group = ask(self.resource_group, "In which resource group to begin? (* for all)", "*")
        question = "Which identity? (a name, or the id of one)"
        name = ask(self.identity, question, "id-lanyard-{location}")
        made_in = ""
        if not name.startswith("/"):
            question = "In which resource group is it made?"
            made_in = ask(self.identity_group, question, "rg-identities")
        question = f"What may it do? ({', '.join([*SHIPPED, _NONE])})"
        standard = ask(self.standard, question, "lanyard/telemetry")
        return Answers(_types(kinds), group, name, made_in, standard)


def run(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where it is written.")
    ] = Path("lanyard.yaml"),
    *,
    given: Given,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Ask, write and check; returns the exit code."""
    terminal = Terminal(quiet=quiet or json)
    tests = output.with_suffix(f".test{output.suffix or '.yaml'}")
    for file in (output, tests):
        if file.exists() and not force:
            raise LanyardError(f"{file} exists; --force overwrites it")
    answers = given.answers(asks=not yes and sys.stdin.isatty())
    text = policy_text(answers)
    policy = parse_policy(str(output), text)
    write(output, text, folders=True)
    write(tests, tests_text(policy, answers.types[0], answers.resource_group))
    if json:
        written = {"file": str(output), "tests": str(tests)}
        terminal.json({"version": 1, **written, "policy": policy.digest})
    terminal.show((f"{output} written", "green"), "; nothing is changed in its mode, observe")
    terminal.show(
        (f"{tests} written", "green"), "; run it with  ", (f"lanyard test {tests}", "bold")
    )
    terminal.show("what it would do:  ", (f"lanyard plan --policy {output} --mode full ID", "bold"))
    return 0


def policy_text(answers: Answers) -> str:
    """The policy file."""
    identity = [f"    id: {_quoted(answers.identity)}"]
    if answers.identity_group:
        identity = [
            f"    name: {_quoted(answers.identity)}      # {{location}}: one for each region",
            f"    resourceGroup: {_quoted(answers.identity_group)}      # must exist",
        ]
    types = ", ".join(answers.types)
    where = []
    if answers.resource_group != "*":
        where = [f"      resourceGroups: [{_quoted(answers.resource_group)}]      # widen it later"]
    grant = []
    if answers.standard != _NONE:
        grant = [
            "    grant:",
            f"      - standard: {_quoted(answers.standard)}      # roles that ship with Lanyard",
            "        to: workload",
            "      # - role: Key Vault Secrets User",
            '      #   scope: "{resourceGroup}"',
            "      #   to: workload",
        ]
    return "\n".join(
        [
            "# Lanyard's policy: who gets which identity and which roles.",
            "# Check it: lanyard validate FILE. Every key: docs/policy.md.",
            "version: 1",
            "mode: observe      # nothing is changed; then add-only, then full (takes away, too)",
            "",
            "identities:",
            "  workload:      # a name of your choice, used below",
            *identity,
            "",
            "rules:",
            "  - name: first rule      # appears in every plan and decision",
            "    match:",
            f"      types: [{types}]",
            *where,
            "      exclude: {tags: {lanyard: ignore}}      # what has this tag is left alone",
            "    attach: [workload]",
            *grant,
            "",
            "# So many resources are given something in an hour; without it, any number:",
            "# limits:",
            "#   additions: {perHour: 50}",
            "",
        ]
    )


@dataclass(frozen=True, slots=True)
class _Interview:
    asks: bool

    def answer(self, given: str | None, question: str, default: str) -> str:
        """What was given by an option, else what is answered, else the default."""
        if given is not None:
            return given
        if not self.asks:
            return default
        return str(typer.prompt(question, default=default)).strip()


def _types(words: Sequence[str]) -> tuple[str, ...]:
    types = [_WORDS.get(word.strip(), word.strip()) for word in words]
    for each in types:
        if folded(each) not in COMPUTE_TYPES:
            known = ", ".join(_WORDS)
            raise LanyardError(f"{each!r} is neither one of {known} nor a type of compute")
    return tuple(types)


def _quoted(text: str) -> str:
    """As YAML reads it back, whatever is in it: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)


_SHAPE = {
    "version": "`1`",
    "file": "where it was written",
    "tests": "where its tests were",
    "policy": "its digest",
}
COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
