"""Pictures on a page, as markup and inline SVG: no font and no file from elsewhere.

Lengths are shares of the room that there is, so that a picture fits any screen; its texts keep
their size. Each part that stands for a number carries it: `data-figure` is its JSON pointer in the
document that the page is made from, `data-value` the number. Colours are classes of the style
sheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lanyard.cli.frame.html import escaped, tag

_HEIGHT = 20
# A number is written into a part that is so much of the room for each of its digits, and for its
# margins: about what it takes on a wide screen, and on one of 390 pixels.
_WIDE, _NARROW = (1.4, 1.8), (3.2, 4.0)
_COLUMN_HEIGHT, _FLOOR = 150, 172
# More columns than these have their numbers and names in the title alone, but for every fifth name.
_NAMED = 8


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
    """One column of a histogram: its name, and its parts from the floor up."""

    name: str
    parts: Sequence[Part]

    @property
    def total(self) -> int:
        """The height of the column."""
        return sum(part.value for part in self.parts)


def legend(words: dict[str, str]) -> str:
    """What the colours mean: words by the classes of the style sheet."""
    items = (tag("li", tag("i", class_=f"swatch {key}") + label) for key, label in words.items())
    return tag("ul", "".join(items), class_="legend")


def stacked_bars(title: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars, all on one scale: the longest as long as there is room."""
    longest = max((bar.total for bar in bars), default=0)
    rows = "".join(_bar(bar, longest) for bar in bars)
    return tag("div", rows, class_="bars", role="img", aria_label=title)


def columns(title: str, every: Sequence[Column]) -> str:
    """A histogram, all columns on one scale."""
    highest = max((each.total for each in every), default=0)
    step = 100 / max(len(every), 1)
    few = len(every) <= _NAMED
    parts = [
        _column(each, step * number, step, highest, few=few) for number, each in enumerate(every)
    ]
    floor = tag("line", x1=0, x2="100%", y1=_FLOOR, y2=_FLOOR, class_="axis")
    content = tag("title", escaped(title)) + "".join(parts) + floor
    picture = tag("svg", content, width="100%", height=_FLOOR + 1, role="img")
    return tag("div", picture + _names(every, few=few), class_="columns")


def _names(every: Sequence[Column], *, few: bool) -> str:
    """Below the columns; words break into lines where there is little room."""
    names = [each.name if few or not number % 5 else "" for number, each in enumerate(every)]
    spans = "".join(tag("span", escaped(name)) for name in names)
    return tag("div", spans, class_="ticks" if few else "ticks every-fifth")


def meter(value: int, limit: int, pointer: str, style: str) -> str:
    """How much of a limit is used."""
    filled = min(value / limit, 1.0) * 100 if limit else 0.0
    content = (
        tag("title", f"{value:,} of {limit:,}")
        + tag("rect", width="100%", height=10, rx=5, class_="rail")
        + tag("rect", width=_share(filled), height=10, rx=5, class_=style,
              data_figure=pointer, data_value=value)
    )  # fmt: skip
    return tag("svg", content, height=10, role="img", class_="meter")


def _bar(bar: Bar, longest: int) -> str:
    label = tag("span", escaped(bar.name), class_="label", title=bar.full_name)
    picture = tag("svg", "".join(_parts(bar, longest)), width="100%", height=_HEIGHT)
    total = tag("span", f"{bar.total:,}", class_="total")
    return tag("div", label + picture + total, class_="bar")


def _parts(bar: Bar, longest: int) -> Iterator[str]:
    left = 0.0
    for part in bar.parts:
        if not part.value:
            continue
        width = part.value * 100 / longest
        yield tag(
            "rect",
            tag("title", escaped(f"{part.words}: {part.value:,}")),
            x=_share(left), width=_share(width), height=_HEIGHT, rx=3,
            class_=part.style, data_figure=part.pointer, data_value=part.value,
        )  # fmt: skip
        if style := _written(f"{part.value:,}", width):
            middle = _share(left + width / 2)
            style = f"inside {style} on-{part.style}".replace("  ", " ")
            yield tag("text", f"{part.value:,}", x=middle, y=_HEIGHT // 2, class_=style)
        left += width


def _written(text: str, width: float) -> str:
    """On which screens a number has room in a part: `narrow` for all, `wide`, or "" for none."""
    if width > _NARROW[0] * len(text) + _NARROW[1]:
        return "narrow"
    return "wide" if width > _WIDE[0] * len(text) + _WIDE[1] else ""


def _column(column: Column, left: float, step: float, highest: int, *, few: bool) -> str:
    shapes, floor = [], float(_FLOOR)
    for part in column.parts:
        height = part.value * _COLUMN_HEIGHT / highest if highest else 0.0
        floor -= height
        shapes.append(
            tag(
                "rect",
                tag("title", escaped(f"{column.name}: {part.words} {part.value:,}")),
                x=_share(left + step * 0.1), y=_px(floor), width=_share(step * 0.8),
                height=_px(height), class_=part.style, data_figure=part.pointer,
                data_value=part.value,
            )
        )  # fmt: skip
    middle = _share(left + step / 2)
    if few:
        shapes.append(tag("text", f"{column.total:,}", x=middle, y=_px(floor - 10), class_="count"))
    return "".join(shapes)


def _share(value: float) -> str:
    return f"{_px(value)}%"


def _px(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
