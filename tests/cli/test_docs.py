"""docs/policy.md and docs/plan.md say what is so."""

import json
import re
from pathlib import Path

import pytest

from lanyard.cli.docs.reference import with_reference
from lanyard.policy import PolicyError, load_policy
from lanyard.policy.load import parse_policy
from tests.support.desk import Desk

PROJECT = Path(__file__).parents[2]
POLICY_PAGE = PROJECT / "docs" / "policy.md"
PLAN_PAGE = PROJECT / "docs" / "plan.md"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def block(page: Path, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    assert found
    return found[1]


def messages_of_the_corpus() -> set[str]:
    messages = set()
    for case in (PROJECT / "tests" / "corpus" / "policies").iterdir():
        with pytest.raises(PolicyError) as caught:
            load_policy(case)
        messages |= {problem.message for problem in caught.value.problems}
    return messages


def test_the_reference_is_current() -> None:
    page = POLICY_PAGE.read_text()
    assert with_reference(page) == page, "run: python -m lanyard.cli.docs.reference docs/policy.md"


def test_a_page_without_a_place_for_the_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="does not mark"):
        with_reference("# Something else\n")


def test_the_policy_on_the_page_is_a_good_one() -> None:
    assert parse_policy("policy.md", block(POLICY_PAGE, "yaml")).rules


def test_the_mistakes_on_the_page_are_shown_in_these_words() -> None:
    known = messages_of_the_corpus()
    lines = block(POLICY_PAGE, "text").splitlines()
    assert lines
    for line in lines:
        assert line.split(": ", 1)[1] in known


@pytest.mark.parametrize("page", [POLICY_PAGE, PLAN_PAGE], ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text())
    assert links or page == PLAN_PAGE
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_example_is_on_the_page() -> None:
    page = POLICY_PAGE.read_text()
    examples = PROJECT / "examples"
    files = (each.name for each in examples.glob("*.yaml"))
    names = [*(name for name in files if not name.endswith(".test.yaml")), "folder/"]
    assert [name for name in names if f"[{name}](../examples/{name.rstrip('/')})" not in page] == []


def keys(value: object) -> set[str]:
    """Every key of a JSON document, at any depth."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if isinstance(value, dict):
        return set(value) | set().union(*map(keys, value.values()))
    return set()


async def test_every_key_of_the_json_is_on_the_page(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    page = PLAN_PAGE.read_text()
    given = keys(json.loads((await desk.plan("--json", vm.text)).out))
    assert len(given) > 20
    assert {key for key in given if not re.search(rf"`(\S*\.)?{key}(\[\])?`", page)} == set()
