"""`lanyard validate`: each policy is good, or shown with every mistake at its place."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.files import write
from lanyard.cli.frame.names import counted
from lanyard.cli.frame.options import AppIdentity, Command, Json, Quiet, own_identity
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.validate_reports import Annotate, Found, Level, annotation, as_sarif
from lanyard.desk.policy_tests.case_files import is_test_file, read_tests
from lanyard.policy import Policy, PolicyError, Problem, load_policy
from lanyard.policy.look_over import policy_warnings
from lanyard.values.resource_id import ResourceId

_ABOUT = """\
Read policies and report every mistake as FILE:LINE:COLUMN: what is wrong, and what would be right.
A file is a policy of its own; the .yaml and .yml files of a folder add up to one, but for those
with tests (*.test.yaml): of these the form is checked where they are named.
Nothing is asked of Azure: no login is needed. A warning names what may not do what it says: a role
that is held as privileged, or is powerful; a condition that Azure does not read; a rule that only
repeats another, an identity that no rule attaches, a location that there is not, mode full with no
rules; names that two resources could share, and rules that may be in each other's way.
"""
_EXAMPLES = """\
examples:
  lanyard validate                              lanyard.yaml
  git show HEAD:lanyard.yaml | lanyard validate -
  lanyard validate policies/                    all files of the folder, as one policy
  lanyard validate --json lanyard.yaml          for a program
  lanyard validate --quiet examples/*.yaml      only the mistakes
  lanyard validate --strict --annotate github --sarif policy.sarif policies/      in a pipeline

exit codes:
  0  every policy is good
  1  a policy is broken or cannot be read; with --strict, or there is a warning
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """A path that was asked about: its policy, or what is wrong with it."""

    path: Path
    policy: Policy | None
    problems: Sequence[Problem] = ()
    #: Of a file with tests of a policy: how many cases it has.
    cases: int | None = None
    #: What of a good one may not do what it says.
    warnings: Sequence[Problem] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]",
            help="A file or a folder, or - for standard input; by default lanyard.yaml.",
        ),
    ] = None,
    app_identity: AppIdentity = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Take every warning for a mistake.")
    ] = False,
    annotate: Annotated[
        Annotate | None,
        typer.Option(help="Show each at its place in a pipeline, too: of GitHub or Azure DevOps."),
    ] = None,
    sarif: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them as SARIF 2.1.0, for code scanning."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check every path; returns the exit code."""
    if json and annotate:
        raise typer.BadParameter("--annotate writes lines of a log, and --json one document")
    terminal, own = Terminal(quiet=quiet), own_identity(app_identity)
    named = paths or [Path("lanyard.yaml")]
    checked = [_strictly(each) if strict else each for each in (_check(p, own) for p in named)]
    if sarif is not None:
        write(sarif, as_sarif(_found(checked), version("lanyard")))
    if json:
        terminal.json(_as_json(checked))
    else:
        _show(checked, terminal)
    if annotate is not None:
        for found in _found(checked):
            terminal.command(annotation(found, annotate))
    return 0 if _all_good(checked) else 1


def _check(path: Path, own: ResourceId | None) -> Checked:
    try:
        if is_test_file(path):
            return Checked(path, None, cases=len(read_tests(path).tests.tests))
        return Checked(path, load_policy(path, own), warnings=policy_warnings(path))
    except PolicyError as error:
        return Checked(path, None, error.problems)


def _strictly(checked: Checked) -> Checked:
    """The same, with its warnings as mistakes."""
    if not checked.warnings:
        return checked
    return Checked(checked.path, None, checked.warnings)


def _found(checked: Sequence[Checked]) -> Iterator[Found]:
    for each in checked:
        yield from (Found(Level.ERROR, problem) for problem in each.problems)
        yield from (Found(Level.WARNING, warning) for warning in each.warnings)


def _all_good(checked: Sequence[Checked]) -> bool:
    return all(each.good for each in checked)


def _show(checked: Sequence[Checked], terminal: Terminal) -> None:
    for policy in checked:
        for problem in policy.problems:
            place = f"{problem.file}:{problem.line}:{problem.column}:"
            terminal.report((place, "bold"), f" {problem.message}")
        if policy.policy is not None:
            terminal.show(f"{policy.path}: ", ("ok", "green"), f", {_size(policy.policy)}")
        if policy.cases is not None:
            size = counted(policy.cases, "case")
            terminal.show(f"{policy.path}: ", ("ok", "green"), f", tests, {size}")
        for warning in policy.warnings:
            place = f"{warning.file}:{warning.line}:{warning.column}:"
            terminal.report((place, "bold"), (" warning", "yellow"), f": {warning.message}")
    terminal.show((_summary(checked), "green" if _all_good(checked) else "red"))


def _size(policy: Policy) -> str:
    rules, identities = len(policy.rules), len(policy.identities)
    return f"mode {policy.mode}, {counted(rules, 'rule')}, {counted(identities, 'identity')}"


def _summary(checked: Sequence[Checked]) -> str:
    problems = sum(len(each.problems) for each in checked)
    if not problems:
        return f"validate: {counted(len(checked), 'policy')} ok"
    broken = sum(not each.good for each in checked)
    of = f"{broken} of {counted(len(checked), 'policy')}"
    return f"validate: {counted(problems, 'problem')} in {of}"


def _as_json(checked: Sequence[Checked]) -> dict[str, Any]:
    return {
        "version": 1,
        "ok": _all_good(checked),
        "policies": [
            {
                "path": str(each.path),
                "ok": each.good,
                "cases": each.cases,
                "problems": [asdict(problem) for problem in each.problems],
                "warnings": [asdict(warning) for warning in each.warnings],
            }
            for each in checked
        ],
    }


_SHAPE = {
    "version": "`1`",
    "ok": "whether every policy is good",
    "policies[]": "in the order given",
    "policies[].path": "as it was given",
    "policies[].ok": "whether this one is good",
    "policies[].cases": "of a file with tests, how many; null for a policy",
    "policies[].problems[]": "each mistake: `file`, `line`, `column` (from 1), `message`",
    "policies[].warnings[]": "of a good one, what may not do what it says, alike",
}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
