"""A sign of life where it takes long, on a terminal and nowhere else."""

import time

import pytest

from lanyard.cli.frame.terminal import Terminal

DEADLINE_SECONDS = 10


def shown_while_working(capsys: pytest.CaptureFixture[str], terminal: Terminal) -> str:
    """What is on standard error by the time the bar has come, or would have."""
    shown, deadline = "", time.monotonic() + DEADLINE_SECONDS
    with terminal.progress("reading resources", after=0) as progress:
        progress(3, 7)
        while "3/7" not in shown and time.monotonic() < deadline:
            time.sleep(0.01)
            shown += capsys.readouterr().err
    return shown


def test_a_terminal_shows_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "reading resources" in shown_while_working(capsys, Terminal())


@pytest.mark.parametrize("terminal", [True, False], ids=["quiet", "no terminal"])
def test_it_is_silent_where_nobody_looks(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    with Terminal(quiet=terminal).progress("reading resources", after=0) as progress:
        progress(3, 7)
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "")


def test_quick_work_shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Terminal().progress("reading resources", after=60) as progress:
        progress(7, 7)
    assert "reading" not in capsys.readouterr().err


def test_what_nobody_knows_the_number_of_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown, deadline = "", time.monotonic() + DEADLINE_SECONDS
    with Terminal().counting(after=0) as counted:
        counted("role assignments", 1234)
        while "1234" not in shown and time.monotonic() < deadline:
            time.sleep(0.01)
            shown += capsys.readouterr().err
    assert "role assignments" in shown
    assert "1234" in shown
