"""Pages as a browser shows them: their figures and colours, and pictures of them for the docs."""

import os
import re
from pathlib import Path

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
#: A name that somebody may give.
HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script>\u202e'


def brightness(colour: str) -> float:
    """0 to 255, of `rgb(r, g, b)`."""
    return sum(int(each) for each in re.findall(r"\d+", colour)[:3]) / 3


def keep(picture: bytes, name: str) -> None:
    """In the folder that LANYARD_PICTURES names, if any."""
    assert picture.startswith(b"\x89PNG")
    if folder := os.environ.get("LANYARD_PICTURES"):
        (Path(folder) / name).write_bytes(picture)
