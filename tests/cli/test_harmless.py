"""Nothing from outside acts on a terminal; no input or output ends a command without a message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from lanyard.cli import main
from lanyard.cli.frame.terminal import Terminal, cell
from lanyard.policy import Problem

PROJECT = Path(__file__).parents[2]
EVIL = "a\x1b[2Jb\nlanyard: all is well\u202e\u200b\x9b\r"
SEEN = "a�[2Jb�lanyard: all is well����"


def test_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().show(f"{EVIL}: ", (EVIL, "bold"))
    assert capsys.readouterr().out == f"{SEEN}: {SEEN}\n"


def test_a_further_line_of_an_error_is_no_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Terminal().error(EVIL, hint="see")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["lanyard: a�[2Jb", "  lanyard: all is well����", "see"]


def test_a_cell_has_the_lines_that_it_is_given() -> None:
    assert cell(EVIL, ("b", "dim")).plain == f"{SEEN}\nb"


def test_json_is_the_same_value_in_harmless_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = [EVIL, "\U000e0001", "Grüße 日本", "\x7f"]
    Terminal.json(values)
    text = capsys.readouterr().out
    assert json.loads(text) == values
    assert "Grüße 日本" in text
    assert not any(each in text for each in "\x1b\u202e\u200b\x9b\x7f\U000e0001\r")


COMMANDS = ["::error::x", "  ::set-env name=a::b", "a ##[error]x", "##vso[task.x]y", "###[x]"]


def commanded(text: str) -> list[str]:
    """The lines that a pipeline takes for commands (GitHub's runner, the agent of Azure)."""
    return [
        line
        for line in text.splitlines()
        if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line.lower()
    ]


@pytest.mark.parametrize("text", COMMANDS)
def test_no_text_commands_the_pipeline_in_whose_log_it_stands(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commanded(text) == [text]
    terminal = Terminal()
    terminal.show(text)
    terminal.report((text[:2], "bold"), text[2:])
    terminal.error(f"{text}\n{text}", hint=text)
    terminal.problems([Problem(text, 1, 1, text)])
    table = Table(box=None, width=9)
    table.add_column("")
    table.add_row(cell(text, f"word {text}"))
    terminal.table(table)
    Terminal.json({text: [text]})
    written = capsys.readouterr()
    assert commanded(written.out) + commanded(written.err) == []
    assert json.loads(written.out[written.out.index("{") :]) == {text: [text]}


def test_what_only_looks_like_a_command_stays_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = "a::b: #[x] # ## c ::"
    Terminal().show(plain)
    assert capsys.readouterr().out == f"{plain}\n"


def test_a_path_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--quiet", "x\nlanyard.yaml: ok\x1b[2J"]) == 1
    assert capsys.readouterr().out == (
        "x�lanyard.yaml: ok�[2J:1:1: cannot be read: No such file or directory\n"
    )


def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    devices = [pipe, tmp_path, Path("/dev/zero")]
    assert main(["validate", "--quiet", *map(str, devices)]) == 1
    reason = "1:1: cannot be read: it is no file but a pipe or a device"
    assert capsys.readouterr().out.splitlines() == [
        f"{pipe}:{reason}",
        f"{pipe}:{reason}",  # of the folder
        f"/dev/zero:{reason}",
    ]


def test_a_path_that_is_too_long_is_a_problem_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in ("a" * 5000, "a/" * 3000):
        assert main(["validate", "--quiet", path]) == 1
        assert capsys.readouterr().out.endswith(":1:1: cannot be read: File name too long\n")


def test_a_long_file_is_read_no_further_than_a_policy_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "long.yaml"
    with file.open("wb") as written:
        written.truncate(2**40)  # takes no room
    assert main(["validate", "--quiet", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}:1:1: more than 1,000,000 characters\n"


@pytest.mark.parametrize("name", ["B.YAML", "b.Yml"])
def test_letter_case_of_an_ending_means_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("version: 1\nmode: ful\n")
    (tmp_path / ".hidden.yaml").write_text("not: read\n")
    (tmp_path / "c.TEST.YAML").write_text("not: read\n")
    assert main(["validate", "--quiet", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / name}:2:1: 'mode' must be")


def run(tmp_path: Path, shell: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "lanyard.yaml").write_text("version: 1\n")
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m lanyard.cli validate lanyard.yaml {shell}', sys.executable],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("shell", "error"),
    [
        (">/dev/full", "lanyard: what the command wrote: No space left on device\n"),
        ("--json >/dev/full", "lanyard: what the command wrote: No space left on device\n"),
        (">&-", "lanyard: standard output is closed: nothing can be shown\n"),
        (">/dev/full 2>/dev/full", ""),
        (">&- 2>&-", ""),
    ],
)
def test_an_output_that_takes_nothing_ends_with_a_message(
    shell: str, error: str, tmp_path: Path
) -> None:
    ran = run(tmp_path, shell)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", error)


def test_without_standard_error_all_else_works(tmp_path: Path) -> None:
    ran = run(tmp_path, "2>&-")
    assert ran.returncode == 0
    assert "1 policy ok" in ran.stdout
