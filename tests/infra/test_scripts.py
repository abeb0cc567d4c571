"""The scripts that let the app watch, with a stand-in for az that writes down what it is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.infra.bicep import resources

PROJECT = Path(__file__).parents[2]
AZ = """#!/bin/sh
printf '%s\\n' "$*" >>"$SAID"
case "$*" in
  "$REFUSED"*)
    echo >>"$SAID.refused"
    if [ "$(wc -l <"$SAID.refused")" -le "$TIMES" ]; then echo "$REFUSAL" >&2; exit 1; fi ;;
esac
for word in "$@"; do
  case "$word" in @*) cat "${word#@}" >"$GIVEN" ;; esac
  if [ "${before:-}" = --file ] && [ "$1" = storage ]; then cat "$BLOB" >"$word"; fi
  before=$word
done
"""
OUTPUTS = {
    "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_LOCATION": "westeurope",
    "LANYARD_APP_ID": "/app",
    "LANYARD_CLIENT_ID": "client",
    "LANYARD_PRINCIPAL_ID": "principal",
    "LANYARD_STORAGE_ID": "/storage",
    "LANYARD_INSTALLATION": "installation",
    "LANYARD_ACTION_GROUP_ID": "/people",
}


class Desk:
    """A folder with the stand-ins, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.said, self.given, self.blob = folder / "said", folder / "given", folder / "blob"
        self.put(folder / "az", AZ)
        self.put(folder / "lanyard", f'#!/bin/sh\nexec {sys.executable} -m lanyard.cli "$@"\n')
        self.environment = {
            **OUTPUTS,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "LANYARD": str(folder / "lanyard"),
            "SAID": str(self.said),
            "GIVEN": str(self.given),
            "BLOB": str(self.blob),
            "PYTHON": sys.executable,
            "REFUSED": "nothing",
            "LANYARD_PAUSE": "0",
        }

    def refuses(self, command: str, times: int, refusal: str) -> None:
        """From here on the first calls of az that begin so fail."""
        self.environment |= {"REFUSED": command, "TIMES": str(times), "REFUSAL": refusal}

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROJECT / "scripts" / script, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> list[str]:
        return self.said.read_text().splitlines() if self.said.exists() else []

    @staticmethod
    def put(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def registered_by(line: str) -> tuple[str, str]:
    """The subscription and the namespace that a call of az registers."""
    given = line.split()
    assert given[:2] == ["provider", "register"]
    assert "--wait" in given
    return given[given.index("--subscription") + 1], given[given.index("--namespace") + 1]


def test_each_subscription_gets_the_template_with_the_rights_of_the_policy(desk: Desk) -> None:
    desk.environment["LANYARD_WATCH"] = "one two"
    desk.environment["LANYARD_POLICY"] = "demo/lanyard.yaml"
    ran = desk.run("watch.sh", "--removable", "Reader")
    assert ran.returncode == 0, ran.stderr
    listed, *of_each = desk.asked()
    assert listed.startswith("rest --method get --url /app/functions/resource_events?")
    assert [registered_by(line) for line in of_each[:3]] == [
        ("one", "Microsoft.EventGrid"),
        ("one", "Microsoft.Insights"),
        ("one", "Microsoft.ManagedIdentity"),
    ]
    asked = of_each[3::4]
    assert [line.split("--subscription ")[1].split()[0] for line in asked] == ["one", "two"]
    assert all("deployment sub create" in line and "infra/watch.bicep" in line for line in asked)
    assert all("principalId=principal" in line for line in asked)
    rights = json.loads(desk.given.read_text())["parameters"]["rights"]["value"]
    assert "Microsoft.Compute/virtualMachines/write" in rights["actions"]
    assert "acdd72a7-3385-48ef-bd42-f606fba81ae7" in rights["condition"]


def test_the_subscription_of_the_app_is_watched_where_none_is_named(desk: Desk) -> None:
    assert desk.run("watch.sh").returncode == 0
    line = desk.asked()[-1]
    assert OUTPUTS["AZURE_SUBSCRIPTION_ID"] in line
    rights = json.loads(desk.given.read_text())["parameters"]["rights"]["value"]
    # The policy that is there at the start observes: its rights only read.
    assert {action.rpartition("/")[2] for action in rights["actions"]} == {"read"}


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        ("rest", "(NotFound) The function is not listed"),
        ("deployment sub create", "(InvalidRequest) cannot write to the dead-letter container"),
    ],
    ids=["the function is not listed yet", "a role does not count yet"],
)
def test_what_is_too_new_is_tried_again(desk: Desk, command: str, refusal: str) -> None:
    desk.refuses(command, 2, refusal)
    ran = desk.run("watch.sh")
    assert ran.returncode == 0
    assert ran.stderr.count("not yet, again in 0 s: " + refusal) == 2
    assert sum(line.startswith(command) for line in desk.asked()) == 3


@pytest.mark.parametrize(
    ("times", "refusal", "tries"),
    [(99, "(AuthorizationFailed) no", 1), (99, "(Conflict) no", 3)],
    ids=["a missing right", "again and again"],
)
def test_what_does_not_pass_ends_it(desk: Desk, times: int, refusal: str, tries: int) -> None:
    desk.environment["LANYARD_TRIES"] = "3"
    desk.refuses("deployment sub create", times, refusal)
    ran = desk.run("watch.sh")
    assert ran.returncode == 1
    assert refusal in ran.stderr
    assert sum(line.startswith("deployment sub create") for line in desk.asked()) == tries


def test_the_providers_of_all_that_is_made_are_registered_first(desk: Desk) -> None:
    """Those of the types in the templates, and Microsoft.App, which no template names."""
    assert desk.run("providers.sh").returncode == 0
    registered = {registered_by(line) for line in desk.asked()}
    assert {where for where, _ in registered} == {OUTPUTS["AZURE_SUBSCRIPTION_ID"]}
    named = {resource["type"].split("/")[0] for _, resource in resources()}
    # Those are every subscription's own; a network is made by who asks for one.
    named -= {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.Network"}
    assert {namespace for _, namespace in registered} == named | {"Microsoft.App"}


def test_rights_stay_while_a_policy_that_gives_less_takes_its_access_back(desk: Desk) -> None:
    desk.environment["LANYARD_RIGHTS"] = "keep"
    ran = desk.run("watch.sh")
    assert ran.returncode == 0
    assert "kept" in ran.stderr
    assert desk.asked() == []


def test_rights_by_group_are_given_by_the_command(desk: Desk, tmp_path: Path) -> None:
    said = tmp_path / "lanyard-said"
    desk.put(tmp_path / "lanyard", f'#!/bin/sh\necho "$*" >>{said}\n')
    desk.environment |= {"LANYARD_RIGHTS": "by-group", "LANYARD_WATCH": "one two"}
    ran = desk.run("watch.sh", "--removable", "Reader")
    assert ran.returncode == 0, ran.stderr
    assert said.read_text().splitlines() == [
        "rights --by-group --removable Reader lanyard.yaml",
        "onboard one two --by-group --policy lanyard.yaml --yes --removable Reader",
    ]
    assert [line.split()[0] for line in desk.asked()] == ["rest"]


@pytest.mark.parametrize("by_group", ["option", "environment"])
def test_nothing_joins_with_rights_by_group(desk: Desk, by_group: str) -> None:
    desk.environment["LANYARD_EVENTS_STORAGE_ID"] = "/events"
    if by_group == "environment":
        desk.environment["LANYARD_RIGHTS"] = "by-group"
    ran = desk.run("join.sh", "mg-root", *(["--by-group"] if by_group == "option" else []))
    assert (ran.returncode, "not by group" in ran.stderr) == (1, True)
    assert desk.asked() == []


def test_a_broken_policy_stops_it_before_anything_is_deployed(desk: Desk, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 2\n")
    desk.environment["LANYARD_POLICY"] = str(broken)
    ran = desk.run("watch.sh")
    assert ran.returncode == 1
    assert "broken.yaml:1:" in ran.stderr
    assert desk.asked() == []


ADDRESS = "https://stpolicies.blob.core.windows.net/policies/lanyard.yaml"


@pytest.mark.parametrize("script", ["validate.sh", "watch.sh"])
def test_a_policy_in_a_blob_is_fetched_with_ones_own_identity(desk: Desk, script: str) -> None:
    desk.environment["LANYARD_POLICY"] = ADDRESS
    desk.blob.write_text((PROJECT / "demo" / "lanyard.yaml").read_text())
    ran = desk.run(script)
    assert ran.returncode == 0, ran.stderr
    fetch = desk.asked()[0]
    assert fetch.startswith("storage blob download --auth-mode login ")
    assert f"--blob-url {ADDRESS} " in fetch
    assert not Path(fetch.partition("--file ")[2].split()[0]).exists()


def test_the_policy_that_is_there_at_the_start_may_be_deployed(desk: Desk) -> None:
    ran = desk.run("validate.sh")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("blob", [False, True], ids=["a file", "a blob"])
def test_a_broken_policy_is_not_deployed(desk: Desk, tmp_path: Path, blob: bool) -> None:
    broken = desk.blob if blob else tmp_path / "broken.yaml"
    broken.write_text("version: 2\n")
    desk.environment["LANYARD_POLICY"] = ADDRESS if blob else str(broken)
    ran = desk.run("validate.sh")
    assert ran.returncode == 1
    assert ".yaml:1:" in ran.stdout + ran.stderr


@pytest.mark.parametrize("policy", ["demo/lanyard.yaml", "examples/folder"])
def test_a_policy_that_would_stay_behind_is_told_before(desk: Desk, policy: str) -> None:
    desk.environment["LANYARD_POLICY"] = policy
    ran = desk.run("validate.sh")
    assert ran.returncode == 1
    assert f"{policy} is not deployed" in ran.stderr


def test_outside_azd_it_says_where_its_values_come_from(desk: Desk) -> None:
    del desk.environment["LANYARD_APP_ID"]
    ran = desk.run("watch.sh")
    assert ran.returncode != 0
    assert "azd env get-values" in ran.stderr
    assert desk.asked() == []


def test_a_management_group_gets_the_policy_with_the_compiled_template(desk: Desk) -> None:
    desk.environment["LANYARD_EVENTS_STORAGE_ID"] = "/events"
    ran = desk.run("join.sh", "mg-root")
    assert ran.returncode == 0, ran.stderr
    built, deployed = desk.asked()
    assert built == "bicep build --file infra/joined.bicep --outfile infra/joined.json"
    assert "--management-group-id mg-root" in deployed
    assert "infra/join.bicep" in deployed
    assert "eventsStorageId=/events" in deployed


@pytest.mark.parametrize("account", ["", OUTPUTS["LANYARD_STORAGE_ID"]])
def test_nobody_joins_by_the_apps_own_storage(desk: Desk, account: str) -> None:
    """Who joins may write the account of the queue: that must not be the one of the tables."""
    desk.environment["LANYARD_EVENTS_STORAGE_ID"] = account
    ran = desk.run("join.sh", "mg-root")
    assert ran.returncode == 1
    assert "LANYARD_SEPARATE_EVENTS_STORAGE" in ran.stderr
    assert desk.asked() == []
