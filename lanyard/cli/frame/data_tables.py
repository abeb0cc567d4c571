"""Tables of a page that hold many rows: with `page.js` they can be searched and sorted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanyard.cli.frame.html import escaped, tag


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: markup, and what it is sorted by where that is not its text."""

    markup: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row. `more`: what else it is found by, and does not show."""

    cells: Sequence[Cell]
    more: str = ""


def text(
    content: str, small: str = "", more: str = "", *, title: str = "", style: str = ""
) -> Cell:
    """A cell of a text, with smaller ones below it; `title` shows when it is pointed at, `style` is
    a class of the first smaller one.
    """
    below = tag("small", escaped(small), **({"class_": style} if style else {})) if small else ""
    shown = escaped(content) + below + (tag("small", escaped(more)) if more else "")
    return Cell(tag("span", shown, title=title) if title else shown)


def data_table(
    title: str, heads: Sequence[str], lines: Iterable[Line], *, style: str = "data"
) -> str:
    """A table with a caption for those who do not see it. A head that begins with # stands over
    numbers. One of another `style` than "data" is neither searched nor sorted.
    """
    numeric = [head.startswith("#") for head in heads]
    row = "".join(
        tag("th", escaped(head.lstrip("#")), class_="number" if right else "", scope="col")
        for head, right in zip(heads, numeric, strict=True)
    )
    body = "".join(_row(line, numeric) for line in lines)
    content = tag("caption", escaped(title)) + tag("thead", tag("tr", row)) + tag("tbody", body)
    return tag("div", tag("table", content, class_=style), class_="scroll")


def _row(line: Line, numeric: Sequence[bool]) -> str:
    cells = "".join(
        _cell(cell, right=right) for cell, right in zip(line.cells, numeric, strict=True)
    )
    return tag("tr", cells, **({"data_more": line.more} if line.more else {}))


def _cell(cell: Cell, *, right: bool) -> str:
    attributes: dict[str, object] = {"class_": "number"} if right else {}
    if cell.key:
        attributes["data_key"] = cell.key
    return tag("td", cell.markup, **attributes)
