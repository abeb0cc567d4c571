"""docs/troubleshooting.md has what is really shown: each message is in the product's source,
each of Azure's error codes in the local Azure's or in a test of the product.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.pages import PROJECT, page

PAGE = page(PROJECT / "docs" / "troubleshooting.md")
AZURE = "What Azure answers"
_ROW = re.compile(r"^\| `([^`]+)` \| ", re.MULTILINE)
_SECTIONS = dict(part.partition("\n")[::2] for part in PAGE.prose.split("\n## ")[1:])
MESSAGES = [m for title, text in _SECTIONS.items() if title != AZURE for m in _ROW.findall(text)]
CODES = _ROW.findall(_SECTIONS[AZURE])
#: Whose place, and whose words, are those of a policy's mistakes: tests/corpus has them all.
MISTAKE = "lanyard.yaml:…:…: …"


def text_of(node: ast.expr) -> str:
    """A text as it stands in the source, … for what is put in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)


def texts(file: Path) -> Iterator[str]:
    """Every text of a module, templates of log lines included; docstrings are shown to nobody."""
    tree = ast.parse(file.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in docstrings:
            yield re.sub(r"%(?:\.\d)?[sdf]", "…", text_of(node))


@cache
def shown() -> str:
    """All that the product may show."""
    files = [*(PROJECT / "lanyard").rglob("*.py"), *(PROJECT / "handlers").rglob("*.py")]
    return "\n".join(text for file in files for text in texts(file))


@cache
def known_codes() -> str:
    """The sources in which Azure's error codes stand."""
    tests = [
        *(PROJECT / "tests" / "product").glob("*.py"),
        *(PROJECT / "tests" / "cases").glob("*.py"),
    ]
    files = [*(PROJECT / "simulator").rglob("*.py"), *tests]
    return "\n".join(file.read_text() for file in files)


def is_shown(message: str) -> bool:
    """Whether the product shows it: its parts, in this order, in one text."""
    parts = [re.escape(part) for part in message.split("…")]
    return re.search(r"[^\n]*?".join(parts), shown()) is not None


@pytest.mark.parametrize("message", [each for each in MESSAGES if each != MISTAKE])
def test_a_message_is_one_of_the_products(message: str) -> None:
    assert is_shown(message)


@pytest.mark.parametrize(
    "message", ["mode is obscure", "the budget of … additions an hour is spent", "paused … by"]
)
def test_what_the_product_does_not_show_is_found(message: str) -> None:
    assert not is_shown(message)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_one_that_azure_is_known_to_answer(code: str) -> None:
    assert f'"{code}"' in known_codes()


def reasons_to_hold() -> list[str]:
    """The third argument of every `Held(…)` of a check, where it is a text of its own."""
    checks = (PROJECT / "lanyard" / "planning").glob("*.py")
    nodes = [node for file in checks for node in ast.walk(ast.parse(file.read_text()))]
    made = [each for each in nodes if isinstance(each, ast.Call) and len(each.args) > 2]
    held = [each.args[2] for each in made if ast.unparse(each.func) == "Held"]
    return [text_of(each) for each in held if isinstance(each, ast.JoinedStr | ast.Constant)]


def test_every_reason_of_the_guard_is_on_the_page() -> None:
    reasons = reasons_to_hold()
    assert len(reasons) >= 9
    assert [each for each in reasons if each not in MESSAGES] == []


def test_there_is_something_on_the_page() -> None:
    assert len(MESSAGES) > 40
    assert len(CODES) >= 5
