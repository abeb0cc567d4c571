"""A line that is too long breaks between words on a terminal, and nowhere in a pipe."""

import pytest

from lanyard.cli.frame.terminal import Terminal

ID = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/A.B/c/d"
WORDS = f"Lanyard's, rule: machines read blobs (lanyard.yaml:12) for {ID} and for nothing else"


@pytest.mark.parametrize("width", [60, 80])
def test_on_a_terminal_no_word_is_cut(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", str(width))):
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    terminal.report("    ", WORDS)
    terminal.error(WORDS)
    written = capsys.readouterr()
    for text, begin in ((written.out, ""), (written.err, "lanyard: ")):
        lines = text.splitlines()
        assert len(lines) > 1
        assert [line for line in lines if len(line) > width and line.strip() != ID] == []
        assert " ".join(text.split()) == begin + WORDS


@pytest.mark.parametrize("width", [60, 80])
def test_on_a_terminal_a_line_goes_on_below_its_beginning(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", str(width))):
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    terminal.report("✓ rights     ", WORDS)
    terminal.report("    ", (WORDS, "dim"))
    terminal.error(WORDS)
    written = capsys.readouterr()
    begins = [len(line) - len(line.lstrip()) for line in written.out.splitlines()]
    assert begins[0] == 0
    assert set(begins[1:]) == {4, 8}
    assert begins == sorted(begins)
    assert {len(line) - len(line.lstrip()) for line in written.err.splitlines()[1:]} == {4}


def test_in_a_pipe_a_line_stays_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    Terminal().report(WORDS)
    assert capsys.readouterr().out == f"{WORDS}\n"
