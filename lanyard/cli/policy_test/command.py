"""`lanyard test`: what a policy gives to which resource, held against what is expected."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.frame.files import write
from lanyard.cli.frame.options import Command, Json, Quiet
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.policy_test.as_json import SHAPE, tests_as_json
from lanyard.cli.policy_test.junit import as_junit
from lanyard.cli.policy_test.text import show
from lanyard.desk.policy_tests.case_files import found_tests
from lanyard.desk.policy_tests.runner import Coverage, FileResult, coverage, run_tests

_ABOUT = """\
Test a policy, offline: a file *.test.yaml says of resources which identities and roles rules give
them, what is held and why; what is not named is expected not to be. lanyard.test.yaml tests
lanyard.yaml beside it; where there is no such file, the policy is the whole folder. Nothing is
asked of Azure, and the mode counts as full: what is tested is what the rules say.

A case that fails shows each difference, with the rule and its line. Rules that no case is about are
listed, too.
"""
_AFTER = """\
examples:
  lanyard test                                  all *.test.yaml here and below
  lanyard test policies/ --full-coverage        and a rule that no case is about fails, too
  lanyard test lanyard.test.yaml --junit report.xml
  lanyard test --json | jq '.files[].cases[] | select(.passed | not)'

exit codes:
  0  every case passes
  1  an error: no tests, a broken file or policy, a case that cannot be
  2  a case fails; with --full-coverage also where a rule is not tested
"""
_FAILED = 2


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR|FILE]", help="Where the tests are; by default here and below."
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write the results as JUnit's XML, too."),
    ] = None,
    full_coverage: Annotated[
        bool, typer.Option("--full-coverage", help="Fail where no case is about a rule.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find, run and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    results = run_tests(found_tests(paths or [Path()]))
    covered = coverage(results)
    if junit is not None:
        write(junit, as_junit(results))
    if json:
        terminal.json(tests_as_json(results, covered))
    else:
        show(results, covered, terminal)
    return _exit_code(results, covered, full=full_coverage)


def _exit_code(results: Sequence[FileResult], covered: Sequence[Coverage], *, full: bool) -> int:
    if any(result.problems for result in results):
        return 1
    failed = any(not case.passed for result in results for case in result.cases)
    untested = full and any(one.untouched for one in covered)
    return _FAILED if failed or untested else 0


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
