"""A policy file is read whole, or refused with every mistake at its line and column."""

from pathlib import Path

import pytest

from lanyard.policy import Mode, PolicyError, load_policy
from lanyard.policy.load import parse_policy

GOOD = """\
version: 1
mode: full
identities:
  regional:
    name: id-lanyard-{location}
    resourceGroup: rg-identities
rules:
  - name: machines read blobs
    match:
      types: [Microsoft.Compute/virtualMachines]
      scopes: [/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-*]
      tags: {env: prod}
    attach: [regional]
    grant:
      - role: storage blob data reader
        scope: "{resourceGroup}"
        to: regional
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy("lanyard.yaml", text)
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> list[str]:
    assert GOOD.count(old) == 1, old
    return problems(GOOD.replace(old, new))


def test_a_good_policy_is_read() -> None:
    policy = parse_policy("lanyard.yaml", GOOD)
    assert policy.mode is Mode.FULL
    assert policy.rules[0].grant[0].to == "regional"
    assert policy.types() == {"microsoft.compute/virtualmachines"}


def test_what_is_blank_around_a_condition_means_nothing() -> None:
    block = "to: regional\n        condition: |\n          a\n            and b\n"
    policy = parse_policy("x", GOOD.replace("to: regional\n", block))
    assert policy.rules[0].grant[0].condition == "a\n  and b"


def test_the_mode_is_observe_unless_the_file_says_otherwise() -> None:
    assert parse_policy("x", "version: 1\n").mode is Mode.OBSERVE


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.yaml:1:1: cannot be read: No such file"):
        load_policy(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("version: 1", "version: 2", "1:1", "'version' must be 1, not 2"),
        ("version: 1\n", "", "1:1", "'version' is missing"),
        ("mode: full", "mode: ful", "2:1", "'mode' must be 'observe', 'add-only' or 'full'"),
        ("mode: full", "moed: full", "2:1", "unknown key 'moed'"),
        ("mode: full", "version: 1", "2:1", "the key 'version' is given twice"),
        ("mode: full", "mode: [", "4:", "no valid YAML"),
        ("{location}", "{region}", "5:5", "unknown variable {region}"),
        ("-{location}", "", "5:5", "one identity per location needs {location} in its name"),
        ("{location}", "{location}-{tags.a}", "5:5", "a tag cannot choose which identity"),
        ("    resourceGroup: rg-identities\n", "", "4:3", "an identity needs 'id'"),
        ("  regional:\n", "  regional:\n    id: /x\n", "4:3", "an identity has either"),
        ("  - name: machines read blobs", "  - nam: x", "8:5", "unknown key 'nam'"),
        ("virtualMachines]", "virtualMachine]", "10:15", "did you mean 'Microsoft.Compute/virt"),
        ("virtualMachines]", "]", "10:15", "unknown type"),
        ("[Microsoft.Compute/virtualMachines]", "[]", "10:7", "'types' needs at least one entry"),
        ("/resourceGroups/rg-*", "/groups/rg", "11:16", "is no scope"),
        ("attach: [regional]", "attach: [regionl]", "13:14", "did you mean 'regional'?"),
        ("attach: [regional]", "attach: []", "17:9", "but does not attach it"),
        ("storage blob data reader", "Storage Blob Reader", "15:9", "unknown role"),
        ('"{resourceGroup}"', '"{tags.scope}"', "16:9", "a tag may only be part of"),
        ('"{resourceGroup}"', "/", "16:9", "no scope"),
        ("to: regional", "to: system", "17:9", "say 'system: true'"),
        ("to: regional", 'to: regional\n        condition: " "', "18:9", "'condition' is empty"),
    ],
)
def test_a_mistake_is_shown_where_it_is(old: str, new: str, where: str, what: str) -> None:
    found = changed(old, new)
    assert any(p.startswith(f"lanyard.yaml:{where}") and what in p for p in found), found


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("{location}", "{region}").replace("attach: [regional]", "attach: [x]")
    assert [problem.split(": ")[0] for problem in problems(text)] == [
        "lanyard.yaml:5:5",
        "lanyard.yaml:13:14",
        "lanyard.yaml:17:9",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "text", "- a\n- b", "\t", "a: &a [*a]", "!!python/x {}"]
)
def test_what_is_no_policy_is_refused_without_a_stack_trace(text: str) -> None:
    assert problems(text)[0].startswith("lanyard.yaml:1:")


def test_two_rules_of_one_name_are_refused() -> None:
    rule = GOOD[GOOD.index("  - name:") :]
    assert any("two rules are named" in problem for problem in problems(GOOD + rule))
