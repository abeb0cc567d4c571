"""Markup, safe by what makes it: every text and attribute is escaped, and shown as it is. A page
has nothing from elsewhere, and no script but its own: it can be mailed.
"""

import base64
import hashlib
from html import escape
from importlib.resources import files

from lanyard.values.shown import shown

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


def section(title: str, lead: str, content: str) -> str:
    """A part of a page: its title, a sentence about it or "", and markup."""
    intro = tag("p", escaped(lead), class_="lead") if lead else ""
    return tag("section", tag("h2", escaped(title)) + intro + content)


def none_found(words: str) -> str:
    """In place of what there is none of."""
    return tag("p", escaped(words), class_="none-found")


def whole_page(title: str, main: str, *, script: bool = False) -> str:
    """A page around markup; with a `script`, its tables can be searched and sorted (page.js). Its
    Content-Security-Policy allows its own style sheet and script alone, so that a name which
    somebody gave a resource stays a name, whatever it is.
    """
    style, code = _own("page.css"), _own("page.js") if script else ""
    sources = [f"style-src {_digest(style)}", *([f"script-src {_digest(code)}"] if code else [])]
    policy = "; ".join(["default-src 'none'", *sources, "base-uri 'none'", "form-action 'none'"])
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", escaped(title)),
        f"<style>{style}</style>",
    ]
    body = tag("body", tag("main", main) + (f"<script>{code}</script>" if code else ""))
    root = tag("html", tag("head", "\n".join(head)) + "\n" + body, lang="en")
    return f"<!doctype html>\n{root}\n"


def _own(name: str) -> str:
    return files("lanyard.cli.frame").joinpath(name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
