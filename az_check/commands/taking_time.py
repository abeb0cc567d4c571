"""Work that goes on after the answer: what the CLI sees meanwhile, and how it waits.

ARM names no delay for a machine's work, so the CLI would sleep 30 s between two looks; `--no-wait`
and `az … wait` look every second. An hour's work, and a clock that is moved to its last two
seconds: what is seen in between does not hang on how fast this machine is.
"""

from az_check.command import Command
from az_check.commands.machines import create

_HOUR = 3600.0
_NEARLY = _HOUR - 2
_NAMED = "--resource-group rg-shop --name vm-slow"
_OFTEN = "--interval 1 --timeout 60"

#: Behaviour of the local Azure in this chapter (docs/dev/simulator.md).
BEHAVIOUR = {"operation_seconds": _HOUR, "group_delete_seconds": _HOUR}

COMMANDS = (
    Command(create("vm-slow", "name", wait=False), gives="vm-slow"),
    Command(f"vm show {_NAMED} --query provisioningState", gives="Creating"),
    Command(f"vm wait {_NAMED} --created {_OFTEN}", later=_NEARLY),
    Command(f"vm show {_NAMED} --query provisioningState", gives="Succeeded"),
    Command(f"vm delete {_NAMED} --yes --no-wait"),
    Command(f"vm show {_NAMED} --query provisioningState", gives="Deleting"),
    Command(f"vm wait {_NAMED} --deleted {_OFTEN}", later=_NEARLY),
    Command(f"vm show {_NAMED}", error="(ResourceNotFound)", exit_code=3),
    Command("group create --name rg-slow --location westeurope --query name", gives="rg-slow"),
    Command("group delete --name rg-slow --yes --no-wait"),
    Command("group show --name rg-slow --query properties.provisioningState", gives="Deleting"),
    Command(
        "identity create --resource-group rg-slow --name id-late --location westeurope",
        error="(ResourceGroupBeingDeleted)",
        exit_code=1,
    ),
    Command(f"group wait --name rg-slow --deleted {_OFTEN}", later=_NEARLY),
    Command("group exists --name rg-slow", gives=False),
)
