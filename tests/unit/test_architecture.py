"""What must hold of the tree itself: floors, names, the length of functions, where helpers live."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PRODUCT = PROJECT / "lanyard"
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

#: In lines, of functions outside the command line.
MOST_LINES, MOST_LINES_OF_NINE_IN_TEN = 45, 20

_OF_TESTS = re.compile(r"\s*(from|import) tests\b")
_OF_SUPPORT = re.compile(r"\s*(from|import) tests\.support\b")

_COMMAND = "a command and what it drives"
_ADAPTER = "a port and its adapter"
_OF_A_COMMAND = {
    *(
        "cli/access",
        "cli/adopt",
        "cli/diff",
        "cli/explain",
        "cli/plan",
        "cli/policy_test",
        "cli/report",
        "cli/scan",
    )
}
_OUTPUT = "the same part of two commands"
#: Module names that stand in more than one room: in which, and why they mean the same thing there.
#: A room is the folder that directly holds the module.
SHARED_NAMES = {
    "apply": ({"cli", "reconcile"}, _COMMAND),
    "as_json": (_OF_A_COMMAND, _OUTPUT),
    "command": (
        {"cli"} | _OF_A_COMMAND,
        "the command line, and a command of several modules",
    ),
    "compute": ({"values", "azure/arm"}, "a value, and what reads and writes it"),
    "connection": ({"azure", "desk/azure"}, "how the app, and how a person, is connected to Azure"),
    "dead_letters": ({"ports", "azure/storage"}, _ADAPTER),
    "groups": ({"cli/diff", "cli/plan"}, _OUTPUT),
    "held": ({"record", "cli"}, _COMMAND),
    "identities": (
        {"record", "azure/arm"},
        "identities: on record, and in Azure",
    ),
    "leases": ({"ports", "azure/storage"}, _ADAPTER),
    "make_before_break": (
        {"planning", "reconcile"},
        "what waits for an addition: one that is held, and one that failed",
    ),
    "page": ({"cli/diff", "cli/plan", "cli/report", "cli/scan"}, _OUTPUT),
    "queue": ({"ports", "azure/storage"}, _ADAPTER),
    "replay": ({"queue", "cli"}, _COMMAND),
    "report": ({"sweep", "desk/report", "desk/scan"}, "what was found, as values"),
    "rights": ({"desk", "cli"}, _COMMAND),
    "steps": ({"desk/onboarding", "cli/onboarding"}, _COMMAND),
    "sweep": ({"sweep", "cli"}, _COMMAND),
    "tables": ({"ports", "azure/storage"}, _ADAPTER),
    "text": (_OF_A_COMMAND, _OUTPUT),
    "undo": ({"desk", "cli"}, _COMMAND),
    "uninstall": ({"desk", "cli/onboarding"}, _COMMAND),
}


def modules(of: Path) -> Iterator[Path]:
    """The files of the modules in a folder and below it, by their path from it."""
    return (path.relative_to(of) for path in sorted(of.rglob("*.py")))


def floors() -> set[str]:
    """What the exhaustive contract of pyproject.toml names."""
    configured = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (each for each in configured["contracts"] if each.get("exhaustive"))
    return {name.strip() for floor in contract["layers"] for name in floor.split("|")}


def test_every_module_of_the_product_is_on_a_floor() -> None:
    there = {path.parts[0].removesuffix(".py") for path in modules(PRODUCT)} - {"__init__"}
    assert there == floors()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code of all root packages, and what is configured of their imports."""
    configuration = PROJECT / "pyproject.toml"
    shutil.copy(configuration, tmp_path)
    roots = tomllib.loads(configuration.read_text())["tool"]["importlinter"]["root_packages"]
    for root in roots:
        for module in modules(PROJECT / root):
            if "node_modules" not in module.parts:
                target = tmp_path / root / module
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / root / module, target)
    return tmp_path


def broken_imports(of: Path) -> str:
    """What import-linter finds against a tree; empty where nothing is."""
    ran = subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=of,
        env={"PYTHONPATH": str(of)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout if ran.returncode else ""


def test_no_import_runs_up_and_what_would_is_found(copy: Path) -> None:
    assert broken_imports(copy) == ""
    with (copy / "lanyard" / "values" / "errors.py").open("a") as low:
        low.write("import lanyard.record.rows\n")
    assert "lanyard.values is not allowed to import lanyard.record" in broken_imports(copy)


def test_what_is_pure_neither_measures_nor_reads_settings(copy: Path) -> None:
    with (copy / "lanyard" / "planning" / "plan.py").open("a") as pure:
        pure.write("import lanyard.telemetry\nimport lanyard.settings\n")
    found = broken_imports(copy)
    assert "lanyard.planning is not allowed to import lanyard.telemetry" in found
    assert "lanyard.planning is not allowed to import lanyard.settings" in found


def test_a_new_folder_on_no_floor_is_found(copy: Path) -> None:
    (copy / "lanyard" / "attic").mkdir()
    (copy / "lanyard" / "attic" / "__init__.py").touch()
    assert "attic" in broken_imports(copy)


def rooms() -> dict[str, set[str]]:
    """The rooms that each module name stands in."""
    found = defaultdict(set)
    for path in modules(PRODUCT):
        if path.stem not in ("__init__", "__main__"):
            found[path.stem].add(path.parent.as_posix())
    return found


def test_a_name_in_two_rooms_means_the_same_in_both() -> None:
    shared = {name: where for name, where in rooms().items() if len(where) > 1}
    explained = {name: where for name, (where, _why) in SHARED_NAMES.items()}
    assert shared == explained, "another name, or why it is the same, in SHARED_NAMES"


def test_no_module_is_named_like_a_folder_beside_it() -> None:
    found = set(modules(PRODUCT))
    shadowed = [path for path in found if path.with_suffix("") / "__init__.py" in found]
    assert shadowed == [], "Python imports the folder, and never the module"


def lengths() -> dict[str, int]:
    """The lines of each function of the product outside the command line."""
    found = {}
    for top in ("handlers", "lanyard"):
        for path in modules(PROJECT / top):
            if path.parts[0] != "cli":
                for node in ast.walk(ast.parse((PROJECT / top / path).read_text())):
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                        name = f"{top}/{path}:{node.lineno} {node.name}"
                        found[name] = (node.end_lineno or node.lineno) - node.lineno + 1
    return found


def test_functions_fit_on_a_screen_and_most_are_far_shorter() -> None:
    found = lengths()
    assert {name: lines for name, lines in found.items() if lines > MOST_LINES} == {}
    ordered = sorted(found.values())
    assert ordered[len(ordered) * 9 // 10] <= MOST_LINES_OF_NINE_IN_TEN


def wide_values() -> Iterator[str]:
    """The dataclasses of the product with more than six members that take them by position."""
    for path in modules(PRODUCT):
        for node in ast.walk(ast.parse((PRODUCT / path).read_text())):
            if isinstance(node, ast.ClassDef) and _is_wide_and_positional(node):
                yield f"lanyard/{path}: {node.name}"


def _is_wide_and_positional(node: ast.ClassDef) -> bool:
    made = [ast.unparse(each) for each in node.decorator_list]
    lines = [ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign)]
    members = [line for line in lines if "init=False" not in line]
    positional = not any("kw_only=True" in each for each in made) and "_: KW_ONLY" not in members
    return any(each.startswith("dataclass") for each in made) and len(members) > 6 and positional


def test_the_members_of_wide_values_are_named() -> None:
    assert list(wide_values()) == [], "kw_only=True, and beside each member what it means"


def test_the_package_holds_neither_the_command_nor_what_only_a_person_runs(tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    subprocess.run([sys.executable, PROJECT / "scripts" / "package.py", target], check=True)
    with zipfile.ZipFile(target) as package:
        held = {path.split("/")[1] for path in package.namelist() if path.startswith("lanyard/")}
    deployed = {name for name in floors() if (PRODUCT / name).is_dir()} - {"cli", "desk"}
    assert {name for name in held if not name.endswith(".py")} == deployed


def test_what_tests_share_is_in_their_support_alone() -> None:
    """A test can be changed, moved or deleted without a look at the others."""
    wrong = [
        f"{top}/{path}: {line}"
        for top in ("tests", "fuzz", "chaos", "bench", "demo", "az_check")
        for path in modules(PROJECT / top)
        for line in (PROJECT / top / path).read_text().splitlines()
        if _OF_TESTS.match(line) and not _OF_SUPPORT.match(line)
    ]
    assert wrong == []
