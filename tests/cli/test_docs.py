"""docs/policy.md and docs/plan.md say what is so."""

import json
import re
from pathlib import Path

import pytest

from lanyard.cli.docs.reference import with_reference
from lanyard.policy import Policy, PolicyError, Rule, load_policy
from lanyard.policy.load import parse_policy
from lanyard.policy.matching import rules_for
from lanyard.policy.rule import Match
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.resource_id import ResourceId
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


def test_the_kinds_on_the_page_are_those_that_are_known() -> None:
    rows = re.findall(r"^\| `(Microsoft\.[^`]+)` \|(.*)$", POLICY_PAGE.read_text(), re.MULTILINE)
    shown = {name: re.search(r"`kinds`: ((?:`\w+`(?:, )?)+)", notes) for name, notes in rows}
    listed = {name: tuple(re.findall(r"\w+", found[1])) for name, found in shown.items() if found}
    assert listed == {kind.name: kind.kinds for kind in COMPUTE_TYPES.values() if kind.kinds}


@pytest.mark.parametrize(
    ("type_", "name", "fits"),
    [
        ("Microsoft.Web/sites/slots", "app1/slots/staging", "staging"),
        ("Microsoft.Web/sites", "app1", "app1"),
        ("Microsoft.Batch/batchAccounts/pools", "account1/pools/pool1", "pool1"),
    ],
)
def test_names_fit_a_resources_own_name_as_the_page_says(type_: str, name: str, fits: str) -> None:
    top = "/".join(type_.split("/")[:2])
    group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
    id_ = ResourceId.parse(f"{group}/providers/{top}/{name}")
    resource = ComputeResource(id=id_, location="westeurope", tags={}, identity=Identity())
    for asked, expected in ((fits, 1), (name.partition("/")[0], int("/" not in name))):
        rule = Rule(name="a rule", match=Match(types=[type_], names=[asked]))
        found = rules_for(Policy(version=1, rules=[rule]), resource).matching
        assert len(found) == expected
