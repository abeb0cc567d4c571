"""Microsoft's Bicep compiler, where it is at hand: on PATH, where `az bicep install` puts it, or in
../shared/tools.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanyard.desk.onboarding.template import guid
from tests.support.infra.bicep import INFRA

TENANT = "99999999-9999-9999-9999-999999999999"
LOCATION = "westeurope"
_PLACES = (Path.home() / ".azure" / "bin" / "bicep", INFRA.parents[1] / "shared/tools/bicep")
# The cloud is Azure's to know, too; here it is the public one.
_CLOUD = {
    "environment().suffixes.storage": "'core.windows.net'",
    "environment().name": "'AzureCloud'",
}
# What only Azure knows of a resource, by its id.
_ASKED = re.compile(r"reference\('(?P<id>[^']*)'(?:, '[^']*')*\)(?P<member>[.\w]*)")
_CALL = re.compile(
    r"(?P<name>guid|extensionResourceId|managementGroupResourceId|format|resourceId)"
    r"\((?P<given>'[^']*'(?:, '[^']*')*)\)"
)


def bicep() -> Path | None:
    """The compiler, None where there is none."""
    on_path = shutil.which("bicep")
    places = [Path(on_path)] if on_path else []
    return next((place for place in [*places, *_PLACES] if place.is_file()), None)


@dataclass(frozen=True)
class Compiler:
    """Works in a folder, a copy of infra/. `told` holds every word that it said."""

    program: Path
    folder: Path
    told: list[str]

    def build(self, file: str) -> dict[str, Any]:
        """The template that a file is compiled to."""
        template: dict[str, Any] = json.loads(self._run("build", file, "--stdout"))
        return template

    def snapshot(self, parameters: str, *place: str) -> "Snapshot":
        """What a deployment of a .bicepparam file would make; `place`: more options of it."""
        options = ["--mode", "overwrite", "--tenant-id", TENANT, "--location", LOCATION, *place]
        self._run("snapshot", parameters, *options)
        made = self.folder / parameters.replace(".bicepparam", ".snapshot.json")
        return Snapshot(json.loads(made.read_text("utf-8"))["predictedResources"])

    def _run(self, command: str, file: str, *options: str) -> str:
        ran = subprocess.run(
            [self.program, command, file, *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        self.told.append(ran.stderr)
        return ran.stdout


@dataclass(frozen=True)
class Snapshot:
    """The resources as Azure's own template engine works them out. What only Azure knows stays an
    expression, until `known` has it.
    """

    resources: list[dict[str, Any]]

    def made(self, known: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each one's id, api-version and body. `known`: id and member (".identity.principalId") to
        value.
        """
        for each in self.resources:
            found = _resolved(each, known)
            body = {
                key: value
                for key, value in found.items()
                if key not in ("id", "type", "name", "apiVersion")
            }
            yield found["id"], found["apiVersion"], body

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of a type."""
        return [_resolved(each, {}) for each in self.resources if each["type"] == kind]


def _resolved(node: Any, known: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _resolved(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(each, known) for each in node]
    if isinstance(node, str) and node.startswith("[") and node.endswith("]"):
        return _expression(node[1:-1], known)
    return node


def _expression(text: str, known: Mapping[str, str]) -> str:
    """From the inside out, as far as it goes; the rest stays an expression."""
    for asked, answer in _CLOUD.items():
        text = text.replace(asked, answer)
    text = _ASKED.sub(lambda match: _answered(match, known), text)
    while (worked := _CALL.sub(_called, text)) != text:
        text = worked
    whole = re.fullmatch("'([^']*)'", text)
    return whole[1] if whole else f"[{text}]"


def _answered(match: re.Match[str], known: Mapping[str, str]) -> str:
    value = known.get(match["id"] + match["member"])
    return match[0] if value is None else f"'{value}'"


def _called(match: re.Match[str]) -> str:
    given = re.findall("'([^']*)'", match["given"])
    if match["name"] == "guid":
        return f"'{guid(*given)}'"
    if match["name"] == "extensionResourceId":
        scope, kind, name = given
        return f"'{scope}/providers/{kind}/{name}'"
    if match["name"] == "managementGroupResourceId":
        group, kind, name = given
        return f"'/providers/Microsoft.Management/managementGroups/{group}/providers/{kind}/{name}'"
    if match["name"] == "resourceId":
        if len(given) != 4:
            return match[0]  # where it is deployed to, which is not said
        subscription, group, kind, name = given
        return f"'/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}'"
    text, *values = given
    return "'" + re.sub(r"\{(\d+)\}", lambda place: values[int(place[1])], text) + "'"


if __name__ == "__main__":
    found = bicep()
    sys.stdout.write(
        f"compiled by {found}\n" if found else "parsed alone: no Bicep compiler here\n"
    )
