"""Results of tests as a test runner shows them: a line a case, and what is not as expected."""

from collections.abc import Iterator, Mapping, Sequence

from lanyard.cli.frame.names import counted
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.desk.policy_tests.comparison import Difference
from lanyard.desk.policy_tests.runner import CaseResult, Coverage, FileResult


def show(results: Sequence[FileResult], covered: Sequence[Coverage], terminal: Terminal) -> None:
    """Every case, every mistake, every rule that no case is about, and the sum."""
    for result in results:
        _show_file(result, terminal)
    for one in covered:
        for rule in one.untouched:
            terminal.show(("not tested", "yellow"), f"  rule {rule!r} ({one.rules[rule]})")
    terminal.show(_summary(results, covered))


def _show_file(result: FileResult, terminal: Terminal) -> None:
    for case in result.cases:
        lines = failure(case, result.places)
        place = f"{result.file}:{case.line}"
        if not lines:
            terminal.show(("✓ ", "green"), case.name, (f"  {place}", "dim"))
            continue
        terminal.report(("✗ ", "red"), (case.name, "bold"), (f"  {place}", "dim"))
        for text, style in lines:
            terminal.report("    ", (text, style))
    for problem in result.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}:"
        terminal.report((place, "bold"), f" {problem.message}")


def failure(case: CaseResult, places: Mapping[str, str]) -> list[tuple[str, str]]:
    """Why a case fails, each line with its style; empty for one that passes."""
    if case.passed:
        return []
    return [*_differences(case, places), (_matching(case, places), "dim")]


def _differences(case: CaseResult, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in case.differences:
        mark, style = ("-", "red") if each.missing else ("+", "yellow")
        yield f"{mark} {each.part:<9} {each.text}{_why(each, places)}", style


def _why(difference: Difference, places: Mapping[str, str]) -> str:
    if difference.missing:
        return "  expected, and it does not come"
    return f"  not expected, rule: {_named(difference.rules, places)}"


def _matching(case: CaseResult, places: Mapping[str, str]) -> str:
    excluded = f"; excluded by {_named(case.excluded, places)}" if case.excluded else ""
    if not case.matching:
        return f"no rule is for this resource{excluded}"
    return f"rules for it: {_named(case.matching, places)}{excluded}"


def _named(rules: Sequence[str], places: Mapping[str, str]) -> str:
    return "; ".join(f"{rule} ({places.get(rule, '?')})" for rule in rules)


def _summary(results: Sequence[FileResult], covered: Sequence[Coverage]) -> Part:
    cases = [case for result in results for case in result.cases]
    failed = sum(not case.passed for case in cases)
    problems = sum(len(result.problems) for result in results)
    rules, untouched = (
        sum(len(one.rules) for one in covered),
        sum(len(one.untouched) for one in covered),
    )
    parts = [f"{counted(len(cases) - failed, 'case')} passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [counted(problems, "problem")] if problems else []
    parts.append(f"{rules - untouched} of {counted(rules, 'rule')} tested")
    style = "red" if failed or problems else "yellow" if untouched else "green"
    return f"test: {', '.join(parts)}", style
