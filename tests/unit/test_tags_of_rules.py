"""The tags that a rule asks for: by name in any case, with one value or several, and wildcards."""

import pytest

from lanyard.policy.checks import check
from lanyard.policy.patterns import has_tags
from tests.support.estate import parsed

SHOP = {"App": "Shop", "env": "prod"}


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"app": "shop"},
        {"APP": "SHOP", "env": "*"},
        {"app": "sh*"},
        {"app": "*o*"},
        {"env": ["test", "prod"]},
        {"env": ["t*", "PR*"], "app": "*"},
    ],
)
def test_these_are_there(wanted: dict[str, str | list[str]]) -> None:
    assert has_tags(SHOP, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        {"team": "*"},
        {"app": "sho"},
        {"app": "*sh"},
        {"env": ["test", "dev"]},
        {"env": ["prod", "test"], "app": "bank"},
        {"app": "sho[p]"},
        {"app": "sho?"},
        {"a*": "shop"},
    ],
)
def test_these_are_not(wanted: dict[str, str | list[str]]) -> None:
    assert not has_tags(SHOP, wanted)


def rule(match: str, exclude: str) -> str:
    type_ = "types: [Microsoft.Compute/virtualMachines]"
    return (
        "version: 1\nrules:\n  - name: all\n    system: true\n"
        f"    match: {{{type_}, tags: {match}, exclude: {{tags: {exclude}}}}}\n"
    )


@pytest.mark.parametrize(
    ("match", "exclude"),
    [
        ("{env: [prod, test]}", "{env: [test, prod, dev]}"),
        ("{env: [prod, preprod]}", "{env: '*prod'}"),
        ("{env: prod}", "{env: [test, 'p*']}"),
    ],
)
def test_a_rule_whose_every_value_is_excluded_never_matches(match: str, exclude: str) -> None:
    with pytest.raises(Exception, match="what it matches is excluded"):
        parsed(rule(match, exclude))


def test_a_rule_of_which_one_value_is_excluded_matches() -> None:
    policy = parsed(rule("{env: [prod, test]}", "{env: [test, dev]}"))
    assert list(check(policy)) == []


def test_two_spellings_of_a_tag_that_no_value_fits_both_of() -> None:
    with pytest.raises(Exception, match="tag names have no case"):
        parsed(rule("{env: [prod, test], ENV: dev}", "{}"))
    assert parsed(rule("{env: [prod, test], ENV: 'p*'}", "{}"))


@pytest.mark.parametrize("values", ["[]", "{a: b}", "[[a]]", "[1]", "[yes]"])
def test_what_is_no_value_is_refused(values: str) -> None:
    with pytest.raises(Exception, match=r"lanyard\.yaml:5"):
        parsed(rule(f"{{env: {values}}}", "{}"))
