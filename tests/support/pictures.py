"""Pages as a browser shows them: their figures and colours, and pictures of them for the docs.

`make pictures` keeps those in docs/images.
"""

import os
import re
from pathlib import Path
from typing import Any

from tests.support.browser import Page

#: Of every element that carries a figure: where it is in the document, the number, what a person
#: reads, and for parts of pictures the share or length that stands for it, and how long it is.
FIGURES = """
[...document.querySelectorAll("[data-figure]")].map(each => ({
  pointer: each.dataset.figure,
  value: Number(each.dataset.value),
  text: each.tagName.toLowerCase() === "data" ? each.textContent : null,
  width: each.tagName === "rect" ? parseFloat(each.getAttribute("width")) : null,
  height: each.tagName === "rect" ? parseFloat(each.getAttribute("height")) : null,
  drawn: each.getBoundingClientRect().width,
}))
"""
COLOURS = """
[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]
"""
# What is written in a picture, or below its columns, with where it lies.
_TEXTS = """
const texts = picture => [...picture.querySelectorAll("text, .ticks span")]
  .filter(each => each.textContent && each.getClientRects().length)
  .map(each => {
    const written = document.createRange();
    written.selectNodeContents(each);
    return [each.textContent, written.getBoundingClientRect()];
  });
const pictures = [...document.querySelectorAll(".columns, .bar, svg.meter")];
"""
#: The height and text of what is written in pictures.
_WRITTEN = f"""
(() => {{ {_TEXTS}
  return pictures.flatMap(texts).map(([text, box]) => [box.height, text]);
}})()
"""
#: Texts of one picture that lie over each other.
_OVERLAPPING = f"""
(() => {{ {_TEXTS}
  return pictures.map(texts).flatMap(all => all.flatMap(([one, a], n) => all.slice(n + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right
      && a.top < b.bottom - 2 && b.top < a.bottom - 2)
    .map(([other]) => [one, other])));
}})()
"""
_LEAST_PIXELS, _CONTRAST = 11, 140
#: A name that somebody may give.
HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script>\u202e'


def brightness(colour: str) -> float:
    """0 to 255, of `rgb(r, g, b)`."""
    return sum(int(each) for each in re.findall(r"\d+", colour)[:3]) / 3


async def assert_can_be_read(page: Page, *, width: int, dark: bool) -> None:
    """What is open fits the width (pixels), in letters that are large enough and stand apart."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    behind, ink = [brightness(each) for each in await page.evaluate(COLOURS)]
    assert (ink - behind if dark else behind - ink) > _CONTRAST
    written: list[Any] = await page.evaluate(_WRITTEN)
    assert written
    assert [each for each in written if each[0] < _LEAST_PIXELS] == []
    overlapping: list[Any] = await page.evaluate(_OVERLAPPING)
    assert overlapping == [], overlapping


def keep(picture: bytes, name: str) -> None:
    """In the folder that LANYARD_PICTURES names, if any."""
    assert picture.startswith(b"\x89PNG")
    if folder := os.environ.get("LANYARD_PICTURES"):
        (Path(folder) / name).write_bytes(picture)
