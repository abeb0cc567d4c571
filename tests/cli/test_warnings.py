"""What `lanyard validate` warns of, and how pipelines take it."""

import json
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli import main

HEAD = "version: 1\nmode: full\n"
RULE = """\
rules:
  - name: one
    match: {types: [Microsoft.Compute/virtualMachines]}
    system: true
"""
OWN = 'identities: {own: {name: "id-{resource.hash}", per: resource}}\n'


def warnings(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> list[tuple[int, int, str]]:
    file = folder / "lanyard.yaml"
    file.write_text(text)
    main(["validate", "--json", *more, str(file)])
    (policy,) = json.loads(capsys.readouterr().out)["policies"]
    assert policy["ok"], policy
    return [(each["line"], each["column"], each["message"]) for each in policy["warnings"]]


def grant(grant: str) -> str:
    return f"{HEAD}{RULE}    grant:\n      - {grant}\n"


READER = 'role: Reader, scope: "{resource}", to: system'
BLOCK = "role: Reader\n        scope: '{resource}'\n        to: system\n        condition: "
WARNED = [
    (HEAD, 2, 1, "mode full with no rules: all that Lanyard gave is taken away"),
    (HEAD + OWN + RULE, 3, 14, "no rule attaches the identity 'own'"),
    (
        HEAD + RULE.replace("]}", "], locations: [westeurop]}"),
        *(5, 69),
        "is named 'westeurop'; did you mean 'westeurope'?",
    ),
    (
        HEAD + RULE.replace("]}", "], exclude: {locations: [atlantis]}}"),
        *(5, 79),
        "is named 'atlantis'",
    ),
    (
        HEAD + RULE.replace("]}", "], exclude: {tags: {lan*: ignore}}}"),
        *(5, 74),
        "names of tags have no wildcards",
    ),
    (
        grant('{role: Owner, scope: "{resourceGroup}", to: system}'),
        *(8, 9),
        "it is held unless 'privileged.allow' names it",
    ),
    (
        grant('{role: Key Vault Data Access Administrator, scope: "{resource}", to: system}'),
        *(8, 9),
        "it is held unless 'privileged.allow' names it",
    ),
    (
        grant(f"{{{READER}, condition: \"@Resource[a] StringEqals 'x'\"}}"),
        *(8, 82),
        "did you mean 'StringEquals'?",
    ),
    (
        grant(f"{{{READER}, condition: '@Resource[a] StringEquals ''x'' OR ''y'' '}}"),
        *(8, 108),
        "the condition ends where an operator",
    ),
    (
        grant(f'{{{READER}, condition: "@Resource[a]\n           StringEquals x"}}'),
        *(9, 25),
        "texts stand in single quotes: 'x'",
    ),
    (
        grant(f"{BLOCK}|\n          (\n            ActionMatches{{x}}\n          )"),
        *(13, 27),
        "a pattern in single quotes",
    ),
    (
        grant(f"{BLOCK}>- # why\n          ActionMatches{{'x'}}\n          XOR"),
        *(13, 11),
        "'XOR' stands where AND, OR",
    ),
    (
        HEAD + RULE + "    grant: [{standard: s, to: system}]\nstandards:\n  s:\n"
        "    - {role: Reader, scope: '{resource}', condition: 'ActionMatches'}\n",
        *(10, 68),
        "a pattern in braces",
    ),
    (
        HEAD + RULE + RULE.replace("rules:\n", "").replace("one", "two"),
        *(7, 5),
        "it only repeats rule 'one': leave it out",
    ),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WARNED)
def test_a_warning_has_its_place(
    text: str,
    line: int,
    column: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (found,) = warnings(text, tmp_path, capsys)
    assert message in found[2]
    assert found[:2] == (line, column)


NARROWER = [
    "{types: [Microsoft.Compute/virtualMachines], tags: {env: prod}}",
    "{types: [microsoft.compute/virtualmachines], names: [web1], locations: [westeurope]}",
    "{types: [Microsoft.Compute/virtualMachines], exclude: {names: [a]}}",
]
OTHERS = [
    "{types: [Microsoft.Web/sites]}",
    "{types: [Microsoft.Compute/virtualMachines, Microsoft.Web/sites]}",
    "{types: [Microsoft.Compute/virtualMachines], managed: true}",
    "{types: [Microsoft.Compute/virtualMachines]}\n    upgradeInstances: true",
    "{types: [Microsoft.Compute/virtualMachines]}\n    attach: [own]",
]


@pytest.mark.parametrize("match", NARROWER)
@pytest.mark.parametrize("order", [1, -1], ids=["after", "before"])
def test_a_rule_for_some_of_another_ones_resources_repeats_it(
    match: str, order: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = [RULE.removeprefix("rules:\n")]
    rules.append(f"  - name: two\n    match: {match}\n    system: true\n")
    (found,) = warnings(HEAD + "rules:\n" + "".join(rules[::order]), tmp_path, capsys)
    assert found[2] == "it only repeats rule 'one': leave it out"


@pytest.mark.parametrize("match", OTHERS)
def test_a_rule_that_does_more_repeats_none(
    match: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = f"  - name: two\n    match: {match}\n    system: true\n"
    third = "  - name: three\n    match: {types: [Microsoft.App/jobs]}\n    attach: [own]\n"
    found = warnings(HEAD + OWN + RULE + second + third, tmp_path, capsys)
    assert [message for line, _, message in found if line > 7 and "repeats" in message] == []


def test_a_grant_on_a_condition_repeats_none_without_or_on_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = "@Resource[a] StringEquals 'x'"
    first = grant(f'{{{READER}, condition: "{on}"}}')
    more = first.partition("rules:\n")[2].replace("one", "two").replace("'x'", "'y'")
    more = more.replace("virtualMachines]", "virtualMachines], tags: {a: b}")
    found = warnings(first + more, tmp_path, capsys)
    assert not any("repeats" in message for *_, message in found)


@pytest.fixture
def warned(tmp_path: Path) -> Path:
    file = tmp_path / "a,b:c;d.yaml"
    file.write_text(HEAD)
    return file


def test_strict_makes_mistakes_of_warnings(
    warned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(warned)]) == 0
    capsys.readouterr()
    assert main(["validate", "--strict", str(warned)]) == 1
    place, summary = capsys.readouterr().out.splitlines()
    assert place.startswith(f"{warned}:2:1: mode full with no rules")
    assert summary == "validate: 1 problem in 1 of 1 policy"


@pytest.mark.parametrize(
    ("service", "line"),
    [
        ("github", "::{level} file={folder}/a%2Cb%3Ac;d.yaml,line=2,col=1::mode full"),
        (
            "azure",
            "##vso[task.logissue type={level};sourcepath={folder}/a,b:c%3Bd.yaml;linenumber=2;"
            "columnnumber=1]mode full",
        ),
    ],
)
def test_a_pipeline_shows_each_at_its_place(
    service: str, line: str, warned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more: list[str]
    for level, more in (("warning", []), ("error", ["--strict"])):
        main(["validate", "--annotate", service, *more, str(warned)])
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith(line.format(level=level, folder=warned.parent))


def test_annotations_and_json_are_refused_together(
    warned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--json", "--annotate", "github", str(warned)]) == 1
    assert "--annotate writes lines of a log" in capsys.readouterr().err


def test_sarif_has_mistakes_and_warnings(
    warned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, log = tmp_path / "bad file.yaml", tmp_path / "log.sarif"
    bad.write_text('version: 1\nmode: "[x](y)"\n')
    assert main(["validate", "--sarif", str(log), str(warned), str(bad)]) == 1
    capsys.readouterr()
    sarif: dict[str, Any] = json.loads(log.read_text())
    assert sarif["version"] == "2.1.0"
    warning, error = sarif["runs"][0]["results"]
    assert (warning["level"], error["level"]) == ("warning", "error")
    ids = [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]]
    assert {warning["ruleId"], error["ruleId"]} == set(ids)
    place = error["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("/bad%20file.yaml")
    assert place["region"] == {"startLine": 2, "startColumn": 1}
    assert error["message"]["text"].endswith("not '[x] (y)'")
