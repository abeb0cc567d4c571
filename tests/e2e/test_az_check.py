"""How `make az-check` runs a command: apart from everything of the caller's, watched, in time."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from az_check import cli as cli_module
from az_check.azure import running
from az_check.cli import VERSION, Cli
from az_check.command import Command, Outcome, Result
from az_check.environment import shell_lines
from az_check.outside import watched
from az_check.report import Report

#: Stands in for `az`: says what it was given, and tries the internet when told to.
STAND_IN = f"""#!{sys.executable}
import json, os, sys, time, urllib.request
if "outside" in sys.argv:
    try:
        urllib.request.urlopen("https://example.org/x")
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
if "sleep" in sys.argv:
    time.sleep(60)
json.dump({{"arguments": sys.argv[1:], "variables": dict(os.environ)}}, sys.stdout)
"""


@pytest_asyncio.fixture
async def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cli]:
    az = tmp_path / "az"
    az.write_text(STAND_IN, "utf-8")
    az.chmod(0o755)
    monkeypatch.setattr(cli_module, "AZ", az)
    monkeypatch.setenv("AZURE_CLIENT_ID", "somebody's")
    monkeypatch.setenv("AZURE_CONFIG_DIR", "somebody's")
    async with watched() as outside:
        yield Cli(tmp_path, "ca.pem", outside)


async def test_nothing_of_the_callers_reaches_the_cli(cli: Cli, tmp_path: Path) -> None:
    result = await cli.run(["group", "list"], "one", {"IDENTITY_HEADER": "h"})
    told = json.loads(result.stdout)
    assert told["arguments"] == ["group", "list", "--only-show-errors"]
    variables = told["variables"]
    assert "AZURE_CLIENT_ID" not in variables
    assert (variables["IDENTITY_HEADER"], variables["REQUESTS_CA_BUNDLE"]) == ("h", "ca.pem")
    assert variables["AZURE_CONFIG_DIR"] == str(tmp_path / "one" / "azure")
    assert variables["HOME"] == str(tmp_path / "one")


async def test_each_session_has_a_folder_that_remembers_the_newest_version(
    cli: Cli, tmp_path: Path
) -> None:
    for session in ("one", "two"):
        await cli.run([], session, {})
        note = json.loads((tmp_path / session / "azure" / "versionCheck.json").read_text("utf-8"))
        assert note["versions"]["core"] == {"local": VERSION}


async def test_a_request_that_would_leave_the_machine_is_refused_and_told(cli: Cli) -> None:
    result = await cli.run(["outside"], "one", {})
    assert result.exit_code == 1
    assert result.outside == ("CONNECT example.org:443",)
    assert (await cli.run([], "one", {})).outside == ()


async def test_a_command_that_hangs_is_stopped(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_module, "_TIMEOUT_SECONDS", 1)
    result = await cli.run(["sleep"], "one", {})
    assert result.exit_code != 0
    assert "stopped after 1 s" in result.stderr


async def test_the_local_azure_is_started_steered_and_stopped(tmp_path: Path) -> None:
    async with running(tmp_path) as azure:
        assert (
            azure.names["groups"] == f"/subscriptions/{azure.names['subscription']}/resourceGroups"
        )
        async with azure.behaving({"operation_seconds": 7.0}):
            switches = await azure.control("GET", "switches", {})
            assert switches["behaviour"]["operation_seconds"] == 7.0
        switches = await azure.control("GET", "switches", {})
        assert switches["behaviour"]["operation_seconds"] == 0.0
        before = (await azure.control("GET", "clock", {}))["now"]
        await azure.advance(3600)
        assert (await azure.control("GET", "clock", {}))["now"] >= before + 3600

        as_operator = shell_lines(azure, tmp_path / "az")
        assert "export IDENTITY_ENDPOINT=http://127.0.0.1:" in as_operator
        assert f"\narm={azure.names['arm']}" in as_operator
        on_a_machine = shell_lines(azure, tmp_path / "az", "rg/vm")
        assert "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm" in on_a_machine
        assert "unset IDENTITY_ENDPOINT IDENTITY_HEADER" in on_a_machine


GOOD = Outcome(Command("group list"), Result(0, "", "", 0.1), ())
BAD = Outcome.not_run(Command("group show -n $x"), "nothing was kept as 'x'")


@pytest.mark.parametrize(
    ("outcomes", "ok"),
    [([], False), ([GOOD], True), ([GOOD, BAD], False)],
    ids=["nothing was run", "all as expected", "one was not"],
)
def test_the_report_ends_in_a_verdict(
    outcomes: list[Outcome], ok: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(as_json=True)
    report.chapter("groups")
    for outcome in outcomes:
        report.tell(outcome)
    report.end(1.0)
    told = json.loads(capsys.readouterr().out)
    assert (report.ok, told["ok"]) == (ok, ok)
    assert [each["faults"] for each in told["commands"]] == [list(each.faults) for each in outcomes]
