"""The package as a deployment takes it, unpacked elsewhere: it holds the app and nothing else,
needs no package but the locked requirements, and does the main job on the local host.

The clean environment is made without a network: each requirement is taken over, file by file, from
the environment of the tests, which pip installed from the same lock by hash. What only the local
host needs (Microsoft's worker library, a web server) lies apart and is searched last.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hosts import PROJECT
from demo.stack import BLOB_READER, LOCATION, POLLED_OFTEN, Stack, running
from simulator.functions_host.process import HostProcess
from tests.support.unseen import unseen

GROUP = "rg-shop"
_PINNED = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
_REQUIRED = re.compile(r"^([\w.-]+)")
#: What the local host imports beside the standard library (simulator/functions_host).
HOST_NEEDS = ("azure-functions-runtime", "starlette", "uvicorn", "httpx", "trustme", "pyjwt")
SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "account",
}


@dataclass(frozen=True)
class Deployed:
    """The unpacked app, the interpreter of its environment, and where the local host lies."""

    app: Path
    python: Path
    home: Path

    def run(self, code: str, *, host: bool = False) -> str:
        """Run Python in the app's folder; `host`: with what only the local host needs."""
        environment = {"PATH": os.environ["PATH"], **SETTINGS, "HOST": "1" if host else ""}
        ran = subprocess.run(
            [self.python, "-c", code],
            cwd=self.app,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "app.zip"
    subprocess.run([sys.executable, PROJECT / "scripts" / "package.py", target], check=True)
    return target


@pytest.fixture(scope="module")
def deployed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    folder = tmp_path_factory.mktemp("deployed")
    app, environment, home = folder / "app", folder / "environment", folder / "home"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(app)
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [uv, "venv", "--quiet", "--offline", "--python", sys.executable, environment], check=True
    )
    (site,) = environment.glob("lib/python*/site-packages")
    pins = pinned(app / "requirements.txt")
    install(pins, site)
    install(closure(HOST_NEEDS) - pins.keys(), home)
    ignored = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(PROJECT / "simulator", home / "simulator", ignore=ignored)
    (site / "host.pth").write_text(
        f"import os, sys; os.environ.get('HOST') and sys.path.append({str(home)!r})\n"
    )
    return Deployed(app, environment / "bin" / "python", home)


def pinned(requirements: Path) -> dict[str, str]:
    """Name and version of every requirement that holds for this platform."""
    found = dict(_PINNED.findall(requirements.read_text()))
    return {name: version for name, version in found.items() if is_installed(name)}


def is_installed(name: str) -> bool:
    """A requirement with a marker may be for another platform."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def closure(names: Iterable[str]) -> set[str]:
    """The distributions and all that they need, extras aside."""
    found: set[str] = set()
    for name in names:
        pending = {name}
        while pending:
            each = pending.pop().lower().replace("_", "-")
            if each not in found and is_installed(each):
                found.add(each)
                pending |= set(needs(each))
    return found


def needs(name: str) -> Iterator[str]:
    for requirement in distribution(name).requires or ():
        if "extra ==" not in requirement and (match := _REQUIRED.match(requirement)):
            yield match[1]


def install(names: Mapping[str, str] | Iterable[str], target: Path) -> None:
    """Copy distributions from this environment; a version that is given must be the one here."""
    for name in names:
        found = distribution(name)
        if isinstance(names, Mapping):
            assert found.version == names[name], f"{name}: run make setup"
        for file in found.files or ():
            source = Path(str(found.locate_file(file)))
            if ".." not in file.parts and source.is_file():
                goal = target / file
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, goal)


def test_it_holds_the_app_its_policy_and_its_requirements_alone(deployed: Deployed) -> None:
    tops = {path.name for path in deployed.app.iterdir()}
    assert tops == {
        *("function_app.py", "handlers", "lanyard", "host.json", "requirements.txt"),
        *("lanyard.yaml", "LICENSE"),
    }
    folders = {path.name for path in (deployed.app / "lanyard").iterdir()}
    assert folders & {"cli", "desk", "app"} == {"app"}


def test_the_same_files_give_the_same_package(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    subprocess.run([sys.executable, PROJECT / "scripts" / "package.py", again], check=True)
    assert again.read_bytes() == package.read_bytes()


def test_it_starts_on_the_locked_requirements_and_nothing_else(deployed: Deployed) -> None:
    code = "import function_app, lanyard; print(lanyard.__file__)"
    assert deployed.run(code).startswith(str(deployed.app))
    connect = "from lanyard.azure.connection import connect; from lanyard.settings import *; "
    deployed.run(connect + "connect(read_settings())")
    missing = (
        "import importlib.util as u; print(u.find_spec('starlette'), u.find_spec('simulator'))"
    )
    assert deployed.run(missing).split() == ["None", "None"]


def test_every_requirement_can_be_imported_by_who_wrote_it(deployed: Deployed) -> None:
    """The environment is whole: what each distribution requires is there, too."""
    code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
    there = {name.lower().replace("_", "-") for name in deployed.run(code).split()}
    wanted = closure(pinned(deployed.app / "requirements.txt"))
    assert wanted <= there


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    deployed: Deployed, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    def host(settings: Mapping[str, str], directory: Path) -> HostProcess:
        clean = {**settings, "PYTHONPATH": "", "HOST": "1"}
        return HostProcess(
            deployed.app, clean, directory, python=deployed.python, home=deployed.home
        )

    directory = tmp_path_factory.mktemp("stack")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=host, more=POLLED_OFTEN
    ) as started:
        yield started


@pytest.mark.asyncio(loop_scope="module")
async def test_it_does_the_main_job(stack: Stack, deployed: Deployed) -> None:
    await stack.operator.create_vm(GROUP, "vm-packaged", LOCATION)
    await stack.quiet()
    machine = await stack.operator.vm(GROUP, "vm-packaged")
    assert machine is not None
    assert machine.identity is not None
    ((_, attached),) = (machine.identity.user_assigned_identities or {}).items()
    granted = await stack.operator.assignments(str(attached.principal_id))
    assert [str(each.role_definition_id).rpartition("/")[2] for each in granted] == [BLOB_READER]
    await stack.operator.delete_vm(GROUP, "vm-packaged")
    await stack.quiet()
    assert await stack.operator.assignments(str(attached.principal_id)) == []


def test_the_host_finds_the_app_in_the_unpacked_package_alone(deployed: Deployed) -> None:
    find = "import sys, importlib.util as u; sys.path.remove(''); print(u.find_spec('lanyard'))"
    assert deployed.run(find, host=True).split() == ["None"]
