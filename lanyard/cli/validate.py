"""`lanyard validate`: each policy is good, or shown with every mistake at its place."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.names import counted
from lanyard.cli.frame.options import AppIdentity, Command, Json, Quiet, own_identity
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.policy_tests.case_files import is_test_file, read_tests
from lanyard.policy import Policy, PolicyError, Problem, load_policy
from lanyard.policy.look_over import policy_warnings
from lanyard.values.resource_id import ResourceId

_ABOUT = """\
Read policies and report every mistake as FILE:LINE:COLUMN: what is wrong, and what would be right.
A file is a policy of its own; the .yaml and .yml files of a folder add up to one, but for those
with tests (*.test.yaml): of these the form is checked where they are named.
Nothing is asked of Azure: no login is needed. A warning names two rules that want one identity each
of a type that has one, where a resource may fit both; or two resources that would share an identity
of one resource, because its name comes to the same for both.
"""
_EXAMPLES = """\
examples:
  lanyard validate lanyard.yaml
  lanyard validate policies/                    all files of the folder, as one policy
  lanyard validate --json lanyard.yaml          for a program
  lanyard validate --quiet examples/*.yaml      only the mistakes

exit codes:
  0  every policy is good
  1  a policy is broken or cannot be read
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
    paths: Annotated[list[Path], typer.Argument(metavar="FILE", help="A file or a folder.")],
    app_identity: AppIdentity = "",
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check every path; returns the exit code."""
    terminal, own = Terminal(quiet=quiet), own_identity(app_identity)
    checked = [_check(path, own) for path in paths]
    if json:
        terminal.json(_as_json(checked))
    else:
        _show(checked, terminal)
    return 0 if _all_good(checked) else 1


def _check(path: Path, own: ResourceId | None) -> Checked:
    try:
        if is_test_file(path):
            return Checked(path, None, cases=len(read_tests(path).tests.tests))
        return Checked(path, load_policy(path, own), warnings=policy_warnings(path))
    except PolicyError as error:
        return Checked(path, None, error.problems)


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
    "ok": "whether every policy is good",
    "policies[]": "in the order given",
    "policies[].path": "as it was given",
    "policies[].ok": "whether this one is good",
    "policies[].cases": "of a file with tests, how many; null for a policy",
    "policies[].problems[]": "each mistake: `file`, `line`, `column` (from 1), `message`",
    "policies[].warnings[]": "of a good one, what may not do what it says, alike",
}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
