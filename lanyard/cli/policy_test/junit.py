"""Results of tests as JUnit's XML, which pipelines show: a suite a file, a case a case."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lanyard.cli.policy_test.text import failure
from lanyard.desk.policy_tests.runner import CaseResult, FileResult
from lanyard.values.shown import shown


def as_junit(results: Sequence[FileResult]) -> str:
    """The text of the file."""
    suites = Element("testsuites", name="lanyard test")
    for result in results:
        _add_suite(suites, result)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(suites: Element, result: FileResult) -> None:
    failed, file = sum(not case.passed for case in result.cases), shown(str(result.file))
    suite = SubElement(
        suites,
        "testsuite",
        name=file,
        tests=str(len(result.cases) + len(result.problems)),
        failures=str(failed),
        errors=str(len(result.problems)),
    )
    for case in result.cases:
        _add_case(suite, case, result)
    for problem in result.problems:
        broken = SubElement(suite, "testcase", classname=file, name=f"line {problem.line}")
        SubElement(broken, "error", message=shown(problem.message)).text = shown(str(problem))


def _add_case(suite: Element, case: CaseResult, result: FileResult) -> None:
    file = shown(str(result.file))
    found = SubElement(
        suite,
        "testcase",
        classname=file,
        name=shown(case.name),
        file=file,
        line=str(case.line),
    )
    if lines := failure(case, result.places):
        text = "\n".join(shown(line) for line, _ in lines)
        SubElement(found, "failure", message=shown(lines[0][0])).text = text
