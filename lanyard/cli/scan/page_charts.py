"""Pictures of a scan as inline SVG: no script, no font, no file from elsewhere.

Each part that stands for a number carries it: `data-figure` is its JSON pointer in the document
of `lanyard scan --json`, `data-value` the number. Colours are classes; the style sheet has them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lanyard.cli.frame.html import escaped, tag

_WIDTH = 1000
_LABELS = 272
_TOTALS = 70
_ROW, _BAR = 34, 20
_GAP = 2
# About the width of a digit of the pictures' type: a number is written only where it fits.
_DIGIT = 9
_COLUMN_HEIGHT, _COLUMN = 180, 96


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: how much, of what (a class of the style sheet and words), from where."""

    value: int
    style: str
    words: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a name, the whole name where it had to be cut, and its parts."""

    name: str
    full_name: str
    parts: Sequence[Part]

    @property
    def total(self) -> int:
        """The length of the bar."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram."""

    name: str
    value: int
    pointer: str


def stacked_bars(title: str, bars: Sequence[Bar], *, shares: bool = False) -> str:
    """Horizontal bars on one scale, the longest as long as there is room; or, for `shares`, each as
    long as there is room.
    """
    longest = max((bar.total for bar in bars), default=0)
    rows = [
        _bar(bar, number * _ROW, _scale(bar.total if shares else longest))
        for number, bar in enumerate(bars)
    ]
    return _picture(title, max(len(bars), 1) * _ROW, rows)


def columns(title: str, all_of_them: Sequence[Column], style: str) -> str:
    """A histogram."""
    highest = max((each.value for each in all_of_them), default=0)
    scale = (_COLUMN_HEIGHT - 30) / highest if highest else 0.0
    step = _WIDTH / max(len(all_of_them), 1)
    parts = [
        _column(each, step * (number + 0.5), scale, style)
        for number, each in enumerate(all_of_them)
    ]
    floor = tag("line", x1=0, x2=_WIDTH, y1=_COLUMN_HEIGHT, y2=_COLUMN_HEIGHT, class_="axis")
    return _picture(title, _COLUMN_HEIGHT + 30, [*parts, floor])


def meter(value: int, limit: int, pointer: str, style: str) -> str:
    """How much of a limit is used."""
    filled = min(value / limit, 1.0) * 120 if limit else 0.0
    return _svg(
        f"{value:,} of {limit:,}",
        120,
        10,
        [
            tag("rect", x=0, y=0, width=120, height=10, rx=5, class_="rail"),
            tag("rect", x=0, y=0, width=_px(filled), height=10, rx=5, class_=style,
                data_figure=pointer, data_value=value),
        ],
        "meter",
    )  # fmt: skip


def _scale(total: int) -> float:
    return (_WIDTH - _LABELS - _TOTALS) / total if total else 0.0


def _bar(bar: Bar, top: float, scale: float) -> str:
    middle = top + _ROW / 2
    label = tag(
        "text",
        tag("title", escaped(bar.full_name)) + escaped(bar.name),
        x=_LABELS - 14, y=_px(middle), class_="label",
    )  # fmt: skip
    total = tag(
        "text", f"{bar.total:,}",
        x=_px(_LABELS + bar.total * scale + 10), y=_px(middle), class_="total",
    )  # fmt: skip
    return label + "".join(_parts(bar.parts, middle - _BAR / 2, scale)) + total


def _parts(parts: Iterable[Part], top: float, scale: float) -> Iterator[str]:
    left = float(_LABELS)
    for part in parts:
        if not part.value:
            continue
        width = part.value * scale
        yield tag(
            "rect",
            tag("title", escaped(f"{part.words}: {part.value:,}")),
            x=_px(left), y=_px(top), width=_px(max(width - _GAP, 1)), height=_BAR, rx=3,
            class_=part.style, data_figure=part.pointer, data_value=part.value,
        )  # fmt: skip
        if width > _DIGIT * len(f"{part.value:,}") + 12:
            middle = _px(left + width / 2)
            inside = f"inside on-{part.style}"
            yield tag("text", f"{part.value:,}", x=middle, y=_px(top + _BAR / 2), class_=inside)
        left += width


def _column(column: Column, middle: float, scale: float, style: str) -> str:
    height = max(column.value * scale, 1) if column.value else 0
    top = _COLUMN_HEIGHT - height
    return (
        tag(
            "rect",
            tag("title", escaped(f"{column.name}: {column.value:,}")),
            x=_px(middle - _COLUMN / 2), y=_px(top), width=_COLUMN, height=_px(height), rx=3,
            class_=style, data_figure=column.pointer, data_value=column.value,
        )
        + tag("text", f"{column.value:,}", x=_px(middle), y=_px(top - 14), class_="count")
        + tag("text", escaped(column.name), x=_px(middle), y=_COLUMN_HEIGHT + 18, class_="tick")
    )  # fmt: skip


def _picture(title: str, height: int, parts: Iterable[str]) -> str:
    return tag("div", _svg(title, _WIDTH, height, parts, "chart"), class_="scroll")


def _svg(title: str, width: int, height: int, parts: Iterable[str], style: str) -> str:
    content = tag("title", escaped(title)) + "".join(parts)
    return tag("svg", content, viewBox=f"0 0 {width} {height}", role="img", class_=style)


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
