"""Every command over TLS: for people, through the installed entry point, as JSON, and as an error.
What each tells is tested elsewhere (tests/cli/, tests/e2e/test_commands.py; test_onboard.py has the
three that change rights).
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.data.tables.aio import TableClient

from demo.stack import LOCATION, POLICY, SHOP, Stack
from lanyard.azure.storage.tables import AzureTable
from lanyard.cli.catalogue import COMMANDS
from lanyard.cli.output_schema import schema_of_all
from lanyard.planning.orders import Refusal
from lanyard.record.held import HeldActions
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from tests.support.installed_command import ForkedCommand, forked_command, lanyard
from tests.support.json_schema import mistakes

pytestmark = pytest.mark.asyncio(loop_scope="module")

ELSEWHERE = {"onboard", "offboard", "uninstall"}
NOWHERE = "/subscriptions/not-a-subscription"
TESTS = "tests: [{name: a case, resource: {type: Microsoft.App/jobs}, expect: {nothing: true}}]\n"
SCHEMA = schema_of_all()
#: Variables without which a command cannot reach the app.
AWAY = {"LANYARD_TABLE_ENDPOINT": "https://127.0.0.1:9/nobody"}


@dataclass(frozen=True)
class Call:
    """`works` twice, because some change what they find; `fails` with AWAY where it is None."""

    works: tuple[list[str], list[str]]
    fails: list[str] | None = None


def same(*arguments: str, fails: list[str] | None = None) -> Call:
    return Call((list(arguments), list(arguments)), fails)


def calls(machine: str, group: str, folder: Path, held: list[str]) -> dict[str, Call]:
    broken = folder / "broken.yaml"
    broken.write_text("version: 1\nmode: ful\n")
    new, taken = ["--yes", "--output"], str(broken)
    alike, tests = [str(POLICY), str(POLICY)], folder / "good.test.yaml"
    tests.write_text(f"policy: {POLICY}\n{TESTS}")
    once = "once upon a time"
    nothing = "00000000"
    return {
        "scan": same(fails=["--policy", taken]),
        "access": same(group, fails=[NOWHERE]),
        "init": Call(
            ([*new, str(folder / "a.yaml")], [*new, str(folder / "b.yaml")]), [*new, taken]
        ),
        "validate": same(str(POLICY), fails=[taken]),
        "test": same(str(tests), fails=[taken]),
        "plan": same(group, fails=[NOWHERE]),
        "diff": Call(([*alike, "--markdown", str(folder / "diff.md")], alike), [*alike[:1], taken]),
        "status": same(),
        "doctor": same(),
        "history": same(fails=["--since", once]),
        "report": same(fails=["--month", once]),
        "explain": same(machine, fails=[NOWHERE]),
        "held": same(),
        "release": Call(([held[0]], [held[1]]), [nothing]),
        "dismiss": Call(([held[2]], [held[3]]), [nothing]),
        "pause": same("a test"),
        "resume": same(),
        "apply": same(machine, fails=[NOWHERE]),
        "sweep": same("--dry-run", fails=["--dry-run", "--policy", taken]),
        "undo": same("--since", "1d", "--dry-run", fails=["2026-01-01T000000-000000-00000000"]),
        "adopt": same(group, "--release", "--dry-run", fails=["nowhere"]),
        "replay": same("--dry-run", fails=["--dry-run", "--before", once]),
        "rights": same(str(POLICY), fails=[taken]),
        "schema": same(fails=["--output", str(folder / "no" / "folder" / "x.json")]),
    }


async def hold(stack: Stack, machine: str) -> list[str]:
    """Four held actions of the machine; their ids."""
    async with TableClient(
        stack.azurite.table_url,
        "lanyardheld",
        credential=stack.operator.credential,
        **stack.operator.options,
    ) as client:
        held = HeldActions(AzureTable(client), stack.azure.clock.now)
        refusals = [
            Refusal(
                key=f"{n}",
                because=Because.MODE,
                action=f"action {n}",
                reason="a test",
                release="release it",
                releasable=True,
            )
            for n in range(4)
        ]
        await held.update(ResourceId.parse(machine), refusals)
        return [entry.id async for entry in held.all()]


async def told(stack: Stack, forked: ForkedCommand, name: str, call: Call) -> None:
    """For people, as JSON, and as an error."""
    code, out, err = await lanyard(stack, name, *call.works[0])
    assert code in (0, 2), (name, out, err)
    assert out.strip(), name
    code, out, err = await forked.run(name, *call.works[1], "--json")
    assert code in (0, 2), (name, out, err)
    document = json.loads(out)
    if name != "schema":  # which prints that of the policy file
        assert mistakes(document, SCHEMA["$defs"][name], SCHEMA) == [], name
    away = AWAY if call.fails is None else {}
    code, out, err = await forked.run(name, *(call.fails or call.works[0]), **away)
    assert code == 1, (name, out, err)
    assert "Traceback" not in out + err, name
    assert out + err, name


async def test_each_has_a_form_for_people_for_programs_and_for_what_goes_wrong(
    stack: Stack, tmp_path: Path
) -> None:
    operator = stack.addresses.operator.principal
    stack.azure.services.directory.grant_permission(operator.object_id)
    machine = await stack.operator.create_vm(SHOP, "vm-every", LOCATION)
    await stack.quiet()
    held = await hold(stack, machine)
    every = calls(machine, stack.operator.group(SHOP), tmp_path, held)
    assert every.keys() | ELSEWHERE == {command.name for command in COMMANDS}
    names = iter(every)

    async def one_by_one(which: str) -> None:
        async with forked_command(stack, tmp_path, which) as forked:
            for name in names:
                await told(stack, forked, name, every[name])

    await asyncio.gather(one_by_one("1"), one_by_one("2"))
    assert (tmp_path / "diff.md").read_text().startswith("<!-- lanyard diff -->")
