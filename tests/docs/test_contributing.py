"""CONTRIBUTING.md lists the tasks that there are, and the folders of tests/."""

import re

from tests.support.pages import PROJECT, page

PAGE = page(PROJECT / "CONTRIBUTING.md")


def section(heading: str) -> str:
    return PAGE.prose.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_tasks_are_those_of_make_help() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    helped = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    listed = re.findall(r"^\| `make ([a-z-]+)` \|", section("The tasks"), re.MULTILINE)
    assert listed == helped


def test_every_folder_of_the_tests_is_explained() -> None:
    named = re.findall(r"`tests/(\w+)/`", section("Run one thing"))
    there = [each.name for each in (PROJECT / "tests").iterdir() if each.is_dir()]
    assert sorted(named) == sorted(name for name in there if name != "__pycache__")
