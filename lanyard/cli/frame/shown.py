"""Text from Azure, made fit to be shown: names there are whatever somebody typed."""

import unicodedata

#: Control and formatting characters: they move a terminal's cursor or reverse text.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def shown(text: str) -> str:
    """The text with a visible � in place of each character that acts instead of being seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if _acts(each) else each for each in text)


def _acts(character: str) -> bool:
    # The last two of each plane are no characters: no XML may hold those of the first.
    return unicodedata.category(character) in _HIDDEN or ord(character) & 0xFFFE == 0xFFFE
