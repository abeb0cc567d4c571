"""What must hold of the project itself."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
EXPORTED = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-node.txt",
    "requirements-fuzz.txt",
    "requirements-host.txt",
)
# Written apart, so that this file does not hold what it forbids.
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com")
SECRETS = ("Account" + "Key=", "SharedAccess" + "Key=", "DefaultEndpoints" + "Protocol=")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [
        path for name in listed.stdout.split("\0") if name and (path := PROJECT / name).is_file()
    ]


def test_the_requirements_are_those_of_the_lock(tmp_path: Path) -> None:
    subprocess.run([PROJECT / "scripts" / "export.sh", tmp_path], check=True)
    for name in EXPORTED:
        exported = (tmp_path / name).read_text()
        assert "--hash=sha256:" in exported
        assert exported == (PROJECT / name).read_text(), f"{name}: run `make lock`"


def test_the_lock_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    lock = tomllib.loads((PROJECT / "uv.lock").read_text())
    (own,) = (package for package in lock["package"] if package["name"] == "lanyard")
    locked = {f"{entry['name']}{entry['specifier']}" for entry in own["metadata"]["requires-dist"]}
    assert locked == set(project["project"]["dependencies"])
    for group, wanted in project["dependency-groups"].items():
        listed = own["metadata"]["requires-dev"][group]
        assert {f"{entry['name']}{entry['specifier']}" for entry in listed} == set(wanted)


@pytest.mark.parametrize("texts", [REGISTRIES, SECRETS], ids=["registry hosts", "secrets"])
def test_no_file_names(texts: tuple[str, ...]) -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {text}"
        for path in tracked()
        for text in texts
        if text.encode() in path.read_bytes()
    ]
    assert found == []


_IMPORTS = """
import sys
from importlib import import_module
from pathlib import Path
import function_app
at_start = set(sys.modules)
for module in Path("lanyard").rglob("*.py"):
    if module.parts[1] not in ("cli", "desk"):
        import_module(".".join(module.with_suffix("").parts).removesuffix(".__init__"))
from lanyard.settings import settings
from lanyard.azure.connection import connect
connect(settings())
print(*sorted(at_start), "|", *sorted(sys.modules))
"""


def imported(tmp_path: Path) -> tuple[set[str], set[str]]:
    policy = tmp_path / "lanyard.yaml"
    policy.write_text("version: 1\n")
    environment = {
        "PATH": os.environ["PATH"],
        "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
        "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
        "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
        "AzureWebJobsStorage__accountName": "x",
        "LANYARD_POLICY": str(policy),
    }
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORTS],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    at_start, _, at_work = ran.stdout.partition("|")
    return set(at_start.split()), set(at_work.split())


def test_what_only_warnings_need_is_not_imported_with_the_first_work() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import sys, lanyard.app.composition; print(*sys.modules)"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(ran.stdout.split())
    assert "lanyard.policy.load" in found
    assert not found & {"lanyard.policy.powerful", "lanyard.policy.shared_names"}


def test_the_deployed_app_imports_nothing_heavy_and_nothing_of_the_simulator(
    tmp_path: Path,
) -> None:
    at_start, at_work = imported(tmp_path)
    assert "azure.mgmt.resource.resources" in at_work
    never = (
        *("azure.mgmt.compute", "azure.mgmt.web", "azure.eventgrid", "simulator", "demo"),
        *("lanyard.cli", "lanyard.desk", "rich", "typer"),
    )
    assert not {name for name in at_work if name.startswith(never)}
    first_use = (
        *(
            "azure.mgmt",
            "azure.identity",
            "azure.monitor",
            "azure.data",
            "azure.storage",
            "aiohttp",
        ),
        *("pydantic", "yaml", "opentelemetry", "lanyard.policy", "lanyard.reconcile"),
    )
    assert not {name for name in at_start if name.startswith(first_use)}
