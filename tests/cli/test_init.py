"""`lanyard init` writes a policy that validates, whatever is answered."""

import io
from pathlib import Path

import pytest

from lanyard.cli import main
from lanyard.cli.init import _WORDS
from lanyard.policy import Mode, load_policy
from lanyard.policy.standards import SHIPPED


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policies" / "lanyard.yaml"


def init(file: Path, *arguments: str) -> int:
    return main(["init", "--output", str(file), *arguments])


def test_the_defaults_give_a_policy_that_changes_nothing_yet(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(file, "--yes") == 0
    policy = load_policy(file)
    assert policy.mode is Mode.OBSERVE
    assert policy.types() == {"microsoft.compute/virtualmachines"}
    assert f"lanyard plan --policy {file} --mode full ID" in capsys.readouterr().out


def test_it_comes_with_tests_that_pass_and_are_not_overwritten(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(file, "--yes", "--resource-group", "rg-*") == 0
    tests = file.with_name("lanyard.test.yaml")
    assert main(["test", str(file.parent), "--full-coverage"]) == 0
    file.unlink()
    tests.write_text("mine")
    assert init(file, "--yes") == 1
    assert f"{tests} exists; --force overwrites it" in capsys.readouterr().err
    assert (tests.read_text(), file.exists()) == ("mine", False)


@pytest.mark.parametrize("standard", [*SHIPPED, "none"])
@pytest.mark.parametrize("kind", [*_WORDS, "Microsoft.Web/sites/slots"])
def test_every_choice_gives_a_good_policy(file: Path, kind: str, standard: str) -> None:
    assert init(file, "--yes", "--type", kind, "--standard", standard, "--quiet") == 0
    (rule,) = load_policy(file).rules
    assert [each.lower() for each in rule.match.types] == [_WORDS.get(kind, kind).lower()]
    assert bool(rule.grant) is (standard != "none")
    assert main(["test", str(file.parent), "--full-coverage", "--quiet"]) == 0


def test_an_existing_identity_and_several_types(file: Path) -> None:
    identity = (
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ids/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/id-payments"
    )
    given = ["--identity", identity, "--type", "machines", "--type", "web-apps"]
    assert init(file, "--yes", "--resource-group", "rg-try", *given) == 0
    policy = load_policy(file)
    assert policy.identities["workload"].id == identity
    assert len(policy.types()) == 2
    assert policy.rules[0].match.resource_groups == ["rg-try"]


def test_questions_are_asked_on_a_terminal(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = io.StringIO("web-apps,jobs\nrg-try\n\nrg-ids\nnone\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    assert init(file) == 0
    asked = capsys.readouterr().out
    assert "For what?" in asked
    assert "Which identity?" in asked
    policy = load_policy(file)
    assert policy.types() == {"microsoft.web/sites", "microsoft.app/jobs"}
    assert policy.identities["workload"].resource_group == "rg-ids"
    assert policy.rules[0].grant == []


def test_what_is_given_is_not_asked_for(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = io.StringIO("\n\n\n\n\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    assert init(file, "--type", "machines", "--standard", "none") == 0
    asked = capsys.readouterr().out
    assert "For what?" not in asked
    assert "What may it do?" not in asked
    assert "In which resource group to begin?" in asked


def test_an_end_of_input_amid_the_questions_writes_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = io.StringIO("")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    assert init(file) == 130
    assert not file.exists()


def test_a_file_that_is_there_stays_unless_force_is_given(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(file, "--yes") == 0
    file.write_text("mine")
    assert init(file, "--yes") == 1
    assert f"{file} exists; --force overwrites it" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert init(file, "--yes", "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--type", "toaster"], "'toaster' is neither one of machines"),
        (["--standard", "lanyard/everything"], "lanyard/everything"),
        (["--identity", "{nonsense}"], "nonsense"),
        (["--type", "Microsoft.Network/loadBalancers"], "load balancers have no managed identity"),
    ],
)
def test_an_answer_that_gives_no_good_policy_writes_nothing(
    file: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(file, "--yes", *arguments) == 1
    output = capsys.readouterr().err
    assert message in output
    assert "Traceback" not in output
    assert not file.exists()


def test_a_text_of_any_kind_stays_a_text(file: Path) -> None:
    assert init(file, "--yes", "--resource-group", 'a"b: [c]', "--quiet") in (0, 1)
    assert init(file, "--yes", "--identity-group", "on", "--force", "--quiet") == 0
    assert load_policy(file).identities["workload"].resource_group == "on"


def test_a_place_that_cannot_be_written_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert init(tmp_path / "file" / "lanyard.yaml", "--yes") == 1
    assert "cannot be written" in capsys.readouterr().err
