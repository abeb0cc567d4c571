"""The pages of the documentation, and what is in them: headings, links, blocks, code."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = (
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    *sorted((PROJECT / "docs").rglob("*.md")),
)

_FENCE = re.compile(r"^\s*```(\w*)\s*$")
_MARKER = re.compile(r"^\s*<!-- not run: (.+) -->\s*$")
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `section` is the heading it stands under, `line` that of its fence (from 1),
    `not_run` what the comment right above it gives as the reason why it is not run; "" without one.
    """

    page: str
    section: str
    line: int
    language: str
    text: str
    not_run: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_policy(self) -> bool:
        """Whether it is YAML that holds a policy: a file of tests or a workflow is none."""
        return self.language == "yaml" and bool(re.search("^version:", self.text, re.MULTILINE))

    @property
    def has_tests(self) -> bool:
        """Whether it is YAML that holds tests of a policy."""
        return self.language == "yaml" and bool(re.search("^tests:", self.text, re.MULTILINE))

    @property
    def first(self) -> str:
        """The line by which a list names it."""
        return self.text.splitlines()[0].strip()


@dataclass(frozen=True, slots=True)
class Page:
    """A page, taken apart. `prose` is what stands outside of blocks."""

    path: Path
    prose: str
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """Its path in the project."""
        return self.path.relative_to(PROJECT).as_posix()

    def links(self) -> list[str]:
        """The relative ones, and those to a heading of its own; pictures included."""
        return _LINK.findall(_SPAN.sub("", self.prose))

    def anchors(self) -> set[str]:
        """What may follow a # in a link to this page, as GitHub makes it of the headings."""
        seen: Counter[str] = Counter()
        found = set()
        for heading in re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE):
            slug = _slug(heading)
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return found

    def code(self) -> Iterator[str]:
        """Every line of every block, and every `span`, which may go on over the end of a line."""
        for block in self.blocks:
            yield from block.text.splitlines()
        yield from (" ".join(span.split()) for span in _SPAN.findall(self.prose))


@cache
def page(path: Path) -> Page:
    """The page in a file."""
    prose: list[str] = []
    blocks: list[Block] = []
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    name, section = path.relative_to(PROJECT).as_posix(), ""
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            section = line.lstrip("# ") if line.startswith("#") else section
            prose.append(line)
            continue
        inside = []
        for _, each in lines:
            if _FENCE.match(each):
                break
            inside.append(each)
        marker = _MARKER.match(prose[-1]) if prose else None
        why = marker[1] if marker else ""
        blocks.append(Block(name, section, number, fence[1], "\n".join(inside), why))
    return Page(path, "\n".join(prose), tuple(blocks))


def blocks(language: str) -> list[Block]:
    """Those of one language, of all pages."""
    return [block for each in PAGES for block in page(each).blocks if block.language == language]


def _slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
