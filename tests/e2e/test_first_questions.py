"""What two strangers ask first, asked of the demo's estate by the command, and answered with
names.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.stack import LOCATION, POLICY, SHOP, Stack
from lanyard import __version__
from tests.support.installed_command import ForkedCommand, forked_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

REGIONAL = "rg-identities/id-lanyard-westeurope"
TEAM = "team-shop"


async def asked(command: ForkedCommand, *arguments: str) -> Sequence[str]:
    """What a command shows to people, and no error."""
    code, out, err = await command.run(*arguments)
    assert (code in (0, 2), err) == (True, ""), (arguments, out, err)
    return out.splitlines()


async def test_each_question_is_answered_with_names(stack: Stack, tmp_path: Path) -> None:
    operator, azure = stack.operator, stack.azure
    azure.services.directory.grant_permission(stack.addresses.operator.principal.object_id)
    vm = await operator.create_vm(SHOP, "vm-questions", LOCATION)
    await operator.create_group("rg-elsewhere", LOCATION)
    bare = await operator.create_vm("rg-elsewhere", "vm-bare", LOCATION)
    maria = azure.state.add_principal("maria@example.com", "User")
    team = azure.state.add_group(TEAM, [maria.object_id])
    azure.assign(team.object_id, "Contributor", operator.scope)
    gone = azure.state.add_principal("a retired app")
    azure.assign(gone.object_id, "Reader", operator.group(SHOP))
    azure.state.delete_principal(gone.object_id)
    await stack.quiet()

    async with forked_command(stack, tmp_path, "questions") as command:
        # Who has access to this?
        access = await asked(command, "access", SHOP)
        place = POLICY.read_text().splitlines().index("  - name: compute reads blobs") + 1
        rule = f"Lanyard's, rule: compute reads blobs ({POLICY}:{place})"
        at = access.index(f"    {REGIONAL}  user-assigned identity  {rule}")
        assert "rg-shop/virtualMachines/vm-questions" in access[at + 1]
        assert f"    {gone.object_id}  unknown to the directory  not Lanyard's" in access
        above = access.index(f"Above it, at subscription {operator.subscription}:")
        team_line = access.index(f"    {TEAM}  group  not Lanyard's")
        assert team_line > above
        assert access[team_line + 1] == "      members: maria@example.com"

        # Which machine has no identity, what is orphaned, and so on: the ids, a line each.
        without = await asked(command, "scan", "--show", "without-identity", "--quiet")
        assert bare in without
        assert vm not in without
        orphaned = await asked(command, "scan", "--show", "orphaned")
        assert any(gone.object_id in line for line in orphaned)
        for listing in ("privileged", "unused"):
            assert await asked(command, "scan", "--show", listing)
        part = await asked(
            command, "scan", "--show", "without-identity", "-q", "--resource-group", SHOP
        )
        assert bare not in part

        # What may this machine do, and why: by the name that everything shows.
        short = "rg-shop/virtualMachines/vm-questions"
        explained = await asked(command, "explain", short)
        assert any("Storage Blob Data Reader at " in line for line in explained)
        assert await asked(command, "plan", short)

        # How is the app, and what did it do?
        status = await asked(command, "status")
        assert status[0] == "mode          full"
        assert status[1].startswith(f"version       {__version__}, in this version and mode since ")
        assert status[2].startswith("next sweep    ")
        (attached,) = [
            line
            for line in await asked(command, "history", "--resource", short)
            if "attach identity" in line
        ]
        assert attached.endswith("(rule: compute reads blobs)")

        # Stop it over the weekend; and what would be taken back?
        paused = await asked(command, "pause", "the weekend", "--for", "2d")
        assert " until " in paused[0]
        assert any(" until " in line for line in await asked(command, "status"))
        await asked(command, "resume")
        undone = await asked(command, "undo", "--since", "1h", "--dry-run")
        assert undone[-1].startswith("undo: ")
