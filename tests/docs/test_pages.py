"""Whatever a page names is there: files, headings, commands and their options; and every policy on
a page is a good one.
"""

import re
from functools import cache
from pathlib import Path

import pytest
import typer

from lanyard.cli import command, main
from lanyard.policy.standards import SHIPPED
from tests.support.pages import PAGES, PROJECT, Block, blocks, page

# Up to the next one: a line may name several.
_COMMAND = re.compile(r"(?:^|[\s$(;|])lanyard +([a-z][\w-]*|--?[\w-]+)((?:(?!\blanyard ).)*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_FILE = re.compile(r"^(?:bench|demo|docs|examples|handlers|infra|lanyard|scripts|simulator|tests)/")
_TEST = re.compile(r"^(tests/[\w/]+\.py)::(\w+)$")
#: What commands write: it is not there before.
_MADE = {"bench/results/latest.json"}
_TARGET = re.compile(r"^make ([a-z-]+)")

every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


@cache
def options() -> dict[str, set[str]]:
    """Every option by its command; "" for those of `lanyard` itself."""
    group = typer.main.get_command(command._app())
    context = typer.Context(group)
    found = {"": {"--help", "--version", "--install-completion", "--show-completion"}}
    for name in group.list_commands(context):  # type: ignore[attr-defined]
        _, one, _ = group.resolve_command(context, [name])  # type: ignore[attr-defined]
        given = {opt for each in one.params for opt in (*each.opts, *each.secondary_opts)}
        found[name] = {opt for opt in given if opt.startswith("--")} | {"--help"}
    return found


def unknown(code: str) -> list[str]:
    """The commands and options in a line of code that `lanyard` does not have."""
    wrong = []
    for name, rest in _COMMAND.findall(code):
        if name.startswith("--"):
            name, rest = "", f"{name}{rest}"
        if name not in options():
            wrong.append(f"lanyard {name}")
            continue
        asked = _OPTION.findall(rest.partition(" | ")[0])
        wrong += [f"lanyard {name} {each}" for each in asked if each not in options()[name]]
    return wrong


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("lanyard scan --html FILE", []),
        ("lanyard scan --hmtl FILE", ["lanyard scan --hmtl"]),
        (".venv/bin/lanyard release --json 0a1b2c3d", []),
        ("az resource list --tag a=b | lanyard plan --list -", []),
        ("lanyard scan --json | jq --raw-output .summary", []),
        ("lanyard disclose", ["lanyard disclose"]),
        ("lanyard undo ID (lanyard history --removals)", []),
        ("lanyard history --dry-run; lanyard undo --dry-run", ["lanyard history --dry-run"]),
        ("lanyard --version", []),
        ("lanyard.yaml --strange", []),
    ],
)
def test_what_lanyard_does_not_have_is_found(code: str, expected: list[str]) -> None:
    assert unknown(code.replace(".venv/bin/lanyard", "lanyard")) == expected


@every_page
def test_every_command_and_option_is_one(path: Path) -> None:
    code = [line.replace(".venv/bin/lanyard", "lanyard") for line in page(path).code()]
    assert [wrong for line in code for wrong in unknown(line)] == []


@every_page
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [link for link in page(path).links() if not leads_somewhere(path, link)] == []


def leads_somewhere(path: Path, link: str) -> bool:
    """Whether a link on the page has a file, and a heading where it names one."""
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    return target.exists() and (not anchor or anchor in page(target).anchors())


def functions(file: Path) -> set[str]:
    """The names of the functions of a module, asynchronous ones included."""
    return set(re.findall(r"^(?:async )?def (\w+)", file.read_text(), re.MULTILINE))


def targets() -> set[str]:
    """What `make` can be asked for."""
    return set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


@every_page
def test_every_file_test_and_target_is_there(path: Path) -> None:
    missing = []
    for code in page(path).code():
        if test := _TEST.match(code):
            there = (PROJECT / test[1]).exists() and test[2] in functions(PROJECT / test[1])
        elif target := _TARGET.match(code):
            there = target[1] in targets()
        elif _FILE.match(code) and not re.search(r"[\s*{…<]", code):
            there = code in {*SHIPPED, *_MADE} or (PROJECT / code).exists()
        else:
            continue
        if not there:
            missing.append(code)
    assert missing == []


@pytest.mark.parametrize("block", [each for each in blocks("yaml") if each.is_policy], ids=str)
def test_every_policy_is_a_good_one(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lanyard.yaml"
    file.write_text(block.text)
    assert main(["validate", str(file)]) == 0, capsys.readouterr().out


RECIPES = [each for each in blocks("yaml") if each.page == "docs/recipes.md"]


@pytest.mark.parametrize("block", [each for each in RECIPES if each.is_policy], ids=str)
def test_every_recipe_passes_its_tests_and_they_are_about_all_its_rules(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tests,) = [e for e in RECIPES if e.has_tests and e.section == block.section]
    (tmp_path / "lanyard.yaml").write_text(block.text)
    (tmp_path / "lanyard.test.yaml").write_text(tests.text)
    assert main(["test", str(tmp_path), "--full-coverage"]) == 0, capsys.readouterr().out


def test_the_index_leads_to_every_page() -> None:
    index = PROJECT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in page(index).links()}
    decisions = PROJECT / "docs" / "dev" / "adr"
    others = {each for each in PAGES if decisions not in each.parents} - {index}
    assert others - linked == set()
    assert decisions in linked
