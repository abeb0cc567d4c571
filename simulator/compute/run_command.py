"""Scripts run on a virtual machine (`runCommand`), by whoever plays its inside: `player`.

The answer is as that of RunShellScript on Linux: one message with both outputs.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.compute.models import TYPE
from simulator.compute.routes import VERSIONS
from simulator.errors import AzureError
from simulator.resources import require
from simulator.state import State

#: Given the machine's id and the lines of the script; returns the standard output.
type Player = Callable[[str, Sequence[str]], Awaitable[str]]

_ONE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + TYPE + "/{name}"


@dataclass
class RunCommand:
    """Without a player no machine has an agent."""

    state: State
    player: Player | None = None

    async def run(self, request: ArmRequest) -> ArmResponse:
        """It ends with the answer; Azure's takes half a minute and is followed."""
        machine = require(self.state, request.path.removesuffix("/runCommand"))
        if self.player is None:
            raise AzureError(
                409,
                "OperationNotAllowed",
                "Cannot execute the command: the VM agent is not running.",
            )
        output = await self.player(machine.id, [str(s) for s in request.json().get("script") or ()])
        message = f"Enable succeeded: \n[stdout]\n{output}\n[stderr]\n"
        told = {"code": "ProvisioningState/succeeded", "level": "Info", "message": message}
        return ArmResponse(200, {"value": [{**told, "displayStatus": "Provisioning succeeded"}]})

    def operations(self) -> list[Operation]:
        """The one."""
        action = f"{TYPE}/runCommand/action"
        path = f"{_ONE}/runCommand"
        return [Operation("POST", path, self.run, action, _ONE, versions=VERSIONS)]
