"""What holds of every command: its help, its completion, and how it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from lanyard.cli import main
from lanyard.cli.catalogue import COMMANDS
from lanyard.cli.frame.layout import laid_out

PROJECT = Path(__file__).parents[2]
LANYARD = Path(sys.executable).parent / "lanyard"


@pytest.mark.parametrize("command", [each.name for each in COMMANDS])
def test_every_help_has_examples_and_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    output = capsys.readouterr().out
    assert f"  examples:\n    lanyard {command}" in output
    assert "  exit codes:\n    0  " in output
    assert "--quiet" in output


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("command", ["", *(each.name for each in COMMANDS)])
def test_no_line_of_a_help_is_cut_in_a_word(
    command: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its width every line fits, and every word stands whole as it does where all fits."""
    texts = {}
    for columns in (width, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main([command, "--help"] if command else ["--help"]) == 0
        texts[columns] = capsys.readouterr().out
    assert [line for line in texts[width].splitlines() if len(line) > width] == []
    assert set(texts[width].split()) - {"\\", "#"} == set(texts[300].split()) - {"\\", "#"}


def test_lanyard_alone_asks_for_help_and_so_does_help(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for asked in ([], ["help"], ["--help"], ["help", "plan"], ["plan", "--help"]):
        assert main(asked) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] == shown[2]
    assert shown[3] == shown[4]
    assert shown[0].startswith("Usage: lanyard [OPTIONS]")
    assert shown[3].startswith("Usage: lanyard plan [OPTIONS]")
    assert main(["help", "vaildate"]) == 1
    assert "Did you mean 'validate'?" in capsys.readouterr().err


def test_a_help_ends_with_the_terms_that_are_private_to_lanyard(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sweep", "--help"]) == 0
    terms = capsys.readouterr().out.partition("  terms:\n")[2].splitlines()
    assert [line.split()[0] for line in terms if line[4] != " "] == [
        *("held", "installation", "orphan", "sweep")
    ]


def test_every_command_is_in_the_help_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    output = capsys.readouterr().out.splitlines()
    titles = [f"  {each.name} {each.title}" for each in COMMANDS]
    listed = [" ".join(line.split()) for line in output]
    assert [title for title in titles if title.strip() not in listed] == []


def imported_by(*arguments: str) -> set[str]:
    """The modules that a process has which runs the command with these arguments."""
    code = (
        "import sys; from lanyard.cli import main; main(sys.argv[1:]);"
        "print('imported', *sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stderr.splitlines()[-1].split())


def test_the_help_of_all_imports_no_command_and_no_policies() -> None:
    modules = imported_by("--help")
    assert "lanyard.cli.catalogue" in modules
    commands = {f"lanyard.cli.{each.place.partition(':')[0]}" for each in COMMANDS}
    assert modules & {*commands, "lanyard.policy", "pydantic", "azure"} == set()


def test_a_command_imports_itself_and_not_all_others() -> None:
    modules = imported_by("schema")
    assert "lanyard.cli.schema" in modules
    assert modules & {"lanyard.cli.status", "lanyard.cli.sweep", "lanyard.reconcile"} == set()


def test_a_misspelt_command_is_shown_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vaildate"]) == 1
    assert "Did you mean 'validate'?" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_without_a_stack_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_path: Path, _own: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lanyard.cli.validate.load_policy", interrupted)
    assert main(["validate", "lanyard.yaml"]) == 130
    assert capsys.readouterr().err == "lanyard: interrupted\n"


def test_what_lanyard_did_not_foresee_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path, _own: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lanyard.cli.validate.load_policy", broken)
    with pytest.raises(ZeroDivisionError):
        main(["validate", "lanyard.yaml"])


# The texts of a help.


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two\nthree four five", ["one two three four", "five"]),
        ("one-two-three four-and", ["one-two-three", "four-and"]),
        ("a\n\nb", ["a", "", "b"]),
        ("  0  fine and well done", ["  0  fine and well", "     done"]),
        ("  0  fine\n     and well done", ["  0  fine and well", "     done"]),
        ("  lanyard apply --json", ["  lanyard apply \\", "      --json"]),
        ("  lanyard a   so it is here", ["  lanyard a", "      # so it is", "      # here"]),
        ("  az x | jq '.a | .b'", ["  az x | jq '.a", "      | .b'"]),
    ],
)
def test_a_text_breaks_between_words_and_a_command_can_be_pasted(
    text: str, lines: list[str]
) -> None:
    assert list(laid_out(text, 18)) == lines


# The installed command.


def installed(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LANYARD, *arguments],
        env={"PATH": os.environ["PATH"], **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_command_shows_its_version() -> None:
    ran = installed("--version")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"lanyard {version('lanyard')}\n"


@pytest.mark.parametrize("width", ["60", "80"])
def test_the_installed_command_alone_shows_what_it_is_for_at_any_width(width: str) -> None:
    ran = installed(COLUMNS=width)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert max(map(len, ran.stdout.splitlines())) <= int(width)
    assert "Decide what it does:\n  release  let something be done that is held\n" in ran.stdout


def completions(typed: str) -> list[str]:
    """What bash is offered for the last word of a command line."""
    words = typed.split(" ")
    shell = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    return installed(_LANYARD_COMPLETE="complete_bash", **shell).stdout.split()


def test_the_shell_completes_commands_options_and_their_values() -> None:
    assert completions("lanyard pl") == ["plan"]
    assert completions("lanyard plan --pol") == ["--policy"]
    assert completions("lanyard plan --mode ad") == ["add-only"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_its_script(shell: str) -> None:
    # Named, not detected: tests may run where no shell is among the parents.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    ran = installed("--show-completion", shell, **named)
    assert ran.returncode == 0
    assert "lanyard" in ran.stdout


async def test_ctrl_c_amid_a_call_ends_the_process_cleanly(tmp_path: Path) -> None:
    """The endpoint that gives tokens takes the call and never answers."""
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    policy = tmp_path / "lanyard.yaml"
    policy.write_text("version: 1\n")
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    async with server:
        process = await asyncio.create_subprocess_exec(
            LANYARD,
            *("plan", "/subscriptions/11111111-1111-1111-1111-111111111111"),
            *("--policy", str(policy)),
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "IDENTITY_ENDPOINT": f"http://{address[0]}:{address[1]}/token",
                "IDENTITY_HEADER": "x",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A shell's background jobs ignore it, and so would their children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        await asked.wait()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"lanyard: interrupted\n")
