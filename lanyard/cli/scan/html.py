"""Markup, safe by what makes it: every text and attribute is escaped, and shown as it is."""

from html import escape

from lanyard.cli.frame.shown import shown

_VOID = {"meta"}


def escaped(text: str) -> str:
    """A text from anywhere, as content."""
    return escape(shown(text))


def tag(name: str, content: str = "", /, **attributes: object) -> str:
    """An element around markup. `class_` is class, and _ in a name is -; values are escaped."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{content}</{name}>"
