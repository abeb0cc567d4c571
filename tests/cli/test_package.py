"""The command as it is installed by pip, pipx or uvx: built, and run from an environment that has
it and nothing of this project.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


def uv(*arguments: str | Path) -> None:
    subprocess.run([UV, "--quiet", *arguments], check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv has the build backend in itself, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--offline", "--wheel", "--out-dir", folder, PROJECT)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only the wheel is installed; what it depends on is lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    uv("venv", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    uv("pip", "install", "--offline", "--no-deps", "--python", python, wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "lanyard", *arguments],
        cwd=environment,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_has_the_product_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        files = {name for name in archive.namelist() if name.endswith(".py")}
    assert {top.partition("-")[0] for top in tops} == {"lanyard"}
    here = {str(path.relative_to(PROJECT)) for path in (PROJECT / "lanyard").rglob("*.py")}
    assert files == here


def test_an_installed_wheel_gives_a_working_command(environment: Path) -> None:
    ran = run(environment, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "validate  check policy files" in ran.stdout
    found = subprocess.run(
        [environment / "bin" / "python", "-c", "import lanyard; print(lanyard.__file__)"],
        cwd=environment,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(environment))


def test_an_installed_wheel_checks_a_policy(environment: Path) -> None:
    ran = run(environment, "validate", str(PROJECT / "examples" / "observe-first.yaml"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "validate: 1 policy ok" in ran.stdout


def test_what_is_deployed_has_no_command_line() -> None:
    deployed = (PROJECT / "requirements.txt").read_text()
    assert "azure-identity==" in deployed
    assert [name for name in ("typer", "rich", "shellingham") if f"\n{name}==" in deployed] == []
