"""Text from outside, made fit to be shown: it is whatever somebody typed."""

import re
import unicodedata

#: Control and formatting characters: they move a terminal's cursor, reverse text, or take no room.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Fillers and joiners that Unicode counts as letters or marks, and shows as nothing
# (Default_Ignorable_Code_Point); emoji need the variation selectors.
_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")

# What the log of a pipeline takes for a command: GitHub's runner `::error::` where a line begins so
# (blanks before it count for nothing), and `##[error]` within one (actions/runner, ActionCommand);
# the agent of Azure Pipelines `##vso[…]` within one, too (azure-pipelines-agent, Command).
_LINE_BEGINS = re.compile(r"^(\s*):(?=:)")
_IN_A_LINE = re.compile(r"#(?=#(?:vso)?\[)", re.IGNORECASE)


def shown(text: str) -> str:
    """The text with a visible � in place of each character that acts instead of being seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if acts(each) else each for each in text)


def commands_nothing(line: str, *, begins_anywhere: bool = False) -> str:
    """The line with a visible � in place of what makes it, or a part of it, a command of the
    pipeline in whose log it stands. As long as before. `begins_anywhere`: it may be broken.
    """
    line = line.replace("::", "�:") if begins_anywhere else _LINE_BEGINS.sub(r"\1�", line)
    return _IN_A_LINE.sub("�", line)


def acts(character: str) -> bool:
    """Whether a character does something instead of being seen: line breaks and tabs do, too."""
    # The last two of each plane are no characters: no XML may hold those of the first.
    return (
        unicodedata.category(character) in _HIDDEN
        or character in _NOTHING
        or ord(character) & 0xFFFE == 0xFFFE
    )


def hidden(text: str, allowed: str = "") -> str:
    """The first character that acts, as U+202E; "" where none does but those allowed."""
    if text.isascii() and text.isprintable():
        return ""
    acting = (each for each in text if each not in allowed and acts(each))
    return next((f"U+{ord(each):04X}" for each in acting), "")
