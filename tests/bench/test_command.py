"""`python -m bench`: the table, the file, and the exit code."""

import json
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.figures import Budget, Figure, Tell
from bench.options import Options


def measuring(*figures: Figure) -> command.Bench:
    def measure(_options: Options, tell: Tell) -> list[Figure]:
        tell("at work")
        return list(figures)

    return measure


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results" / "out.json"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, **benches: command.Bench) -> int:
    if benches:
        monkeypatch.setattr(command, "BENCHES", benches)
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    return command.main()


def test_a_missed_budget_is_an_exit_code_and_named(
    monkeypatch: pytest.MonkeyPatch, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Figure("quick enough", 1.1, "", 9.0, Budget(1.2))
    missed = Figure("too slow", 1.3, "", 9.0, Budget(1.2))
    assert run(monkeypatch, "--json", str(out), one=measuring(kept)) == 0
    assert run(monkeypatch, "--json", str(out), one=measuring(kept), two=measuring(missed)) == 1
    said = capsys.readouterr()
    assert "1 of 2 budgets missed" in said.out
    assert "two: at work" in said.err
    written = json.loads(out.read_text())["figures"]
    assert [figure["missed"] for figure in written["one"] + written["two"]] == [False, True]
    assert written["two"][0]["budget"] == {"limit": 1.2, "atLeast": False}


def test_only_what_was_asked_for_is_measured(monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
    figure = Figure("calls", 3, "calls")
    arguments = ("--only", "two", "--json", str(out))
    assert run(monkeypatch, *arguments, one=measuring(figure), two=measuring(figure)) == 0
    assert list(json.loads(out.read_text())["figures"]) == ["two"]


@pytest.mark.parametrize(
    ("budget", "value", "met"),
    [
        (Budget(1.2), 1.2, True),
        (Budget(1.2), 1.21, False),
        (Budget(0.7, at_least=True), 0.7, True),
        (Budget(0.7, at_least=True), 0.69, False),
    ],
)
def test_a_budget_holds_up_to_its_limit(budget: Budget, value: float, met: bool) -> None:
    assert budget.met_by(value) is met


@pytest.mark.parametrize(
    "arguments",
    [("--only", "nothing"), ("--machines", "200"), ("--instances", "0"), ("--runs", "many")],
)
def test_a_wrong_command_line_is_told_and_measures_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, *arguments)
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_names_every_bench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "--help")
    said = "".join(capsys.readouterr().out.split())  # a line may end at a hyphen
    assert all(name in said for name in command.BENCHES)
    assert "examples:" in said
