"""Text from Azure, made fit to be shown: names there are whatever somebody typed."""

import unicodedata

#: Control and formatting characters: they move a terminal's cursor or reverse text.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def shown(text: str) -> str:
    """The text with a visible � in place of each character that acts instead of being seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if unicodedata.category(each) in _HIDDEN else each for each in text)
