"""Results of tests for programs. What is there keeps its meaning."""

from collections.abc import Mapping, Sequence
from typing import Any

from lanyard.desk.policy_tests.comparison import Difference
from lanyard.desk.policy_tests.runner import CaseResult, Coverage, FileResult

type Json = dict[str, Any]

SHAPE = {
    "version": "`1`",
    "ok": "whether every case passes and no file is broken",
    "summary": "counts: cases that `passed` and `failed`, `problems` of files, `rules` that are "
    "tested, and those that are `untouched`",
    "files[]": "files of tests, in the order in which they were run",
    "files[].file": "its path",
    "files[].policy": "the policy that it tests; null where the file, or that one, is broken",
    "files[].problems[]": "each mistake: `file`, `line`, `column` (from 1), `message`",
    "files[].cases[]": "its cases, in their order",
    "files[].cases[].name": "as the file has it",
    "files[].cases[].line": "where it begins",
    "files[].cases[].passed": "whether all is as expected",
    "files[].cases[].rules[]": "the rules that are for its resource: `name`, `place`",
    "files[].cases[].excludedBy[]": "those that leave it out, alike",
    "files[].cases[].differences[]": "what is not as expected",
    "files[].cases[].differences[].part": "`attached`, `granted` or `held`",
    "files[].cases[].differences[].missing": "true: expected, and does not come; false: comes, and "
    "is not expected",
    "files[].cases[].differences[].text": "what it is, for people",
    "files[].cases[].differences[].rules[]": "the rules that ask for what comes: `name`, `place`",
    "coverage[]": "each policy that is tested: `policy`, `rules` (how many), and the `untouched` "
    "ones, which no case is about: `name`, `place`",
}


def tests_as_json(results: Sequence[FileResult], covered: Sequence[Coverage]) -> Json:
    """All results."""
    cases = [case for result in results for case in result.cases]
    passed = sum(case.passed for case in cases)
    problems = sum(len(result.problems) for result in results)
    return {
        "version": 1,
        "ok": passed == len(cases) and not problems,
        "summary": {
            "passed": passed,
            "failed": len(cases) - passed,
            "problems": problems,
            "rules": sum(len(one.rules) for one in covered),
            "untouched": sum(len(one.untouched) for one in covered),
        },
        "files": [_file(result) for result in results],
        "coverage": [
            {
                "policy": str(one.policy),
                "rules": len(one.rules),
                "untouched": _rules(one.untouched, one.rules),
            }
            for one in covered
        ],
    }


def _file(result: FileResult) -> Json:
    return {
        "file": str(result.file),
        "policy": None if result.policy is None else str(result.policy),
        "problems": [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
            for p in result.problems
        ],
        "cases": [_case(case, result.places) for case in result.cases],
    }


def _case(case: CaseResult, places: Mapping[str, str]) -> Json:
    return {
        "name": case.name,
        "line": case.line,
        "passed": case.passed,
        "rules": _rules(case.matching, places),
        "excludedBy": _rules(case.excluded, places),
        "differences": [_difference(each, places) for each in case.differences],
    }


def _difference(difference: Difference, places: Mapping[str, str]) -> Json:
    return {
        "part": str(difference.part),
        "missing": difference.missing,
        "text": difference.text,
        "rules": _rules(difference.rules, places),
    }


def _rules(names: Sequence[str], places: Mapping[str, str]) -> list[Json]:
    return [{"name": name, "place": places.get(name, "")} for name in names]
