"""What a shell needs before `az` means the local Azure; prints it for `eval`.

    eval "$(.venv/bin/python -m az_check.environment .cache/local-azure.json)"

The file is what `python -m simulator` or `python -m demo.local --json` printed when it was ready.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

from az_check.azure import LocalAzure

#: Names for the commands of docs/dev/az-on-the-local-azure.md, as in the check's own.
_SHOWN = ("arm", "subscription", "groups")


def client_variables(ca_file: str, config_dir: Path) -> dict[str, str]:
    """What the CLI takes from its environment: whom to trust, and a configuration of its own.

    Telemetry and extensions to be installed on the way are off: both would go to the internet.
    """
    return {
        "AZURE_CONFIG_DIR": str(config_dir),
        "REQUESTS_CA_BUNDLE": ca_file,
        "NO_PROXY": "127.0.0.1",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
    }


def shell_lines(azure: LocalAzure, config_dir: Path, machine: str | None = None) -> str:
    """`export` lines; as the operator, or as what `machine` ("resource group/name") carries."""
    machine_id = _machine_id(azure, machine) if machine else None
    variables = client_variables(azure.ca_file, config_dir) | azure.sign_in(machine_id)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    if machine_id is not None:
        lines.append("unset IDENTITY_ENDPOINT IDENTITY_HEADER")
    lines += [f"{name}={shlex.quote(azure.names[name])}" for name in _SHOWN]
    return "\n".join(lines)


def _machine_id(azure: LocalAzure, machine: str) -> str:
    group, _, name = machine.partition("/")
    return f"{azure.names['groups']}/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def main() -> int:
    """Print the lines; 1 with a reason where the file is not such a line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m az_check.environment",
        description="Prints the variables by which `az` finds a running local Azure.",
        epilog='example:  eval "$(python -m az_check.environment .cache/local-azure.json)"',
    )
    parser.add_argument("file", type=Path, help="what the local Azure printed when it was ready")
    parser.add_argument(
        "--machine", metavar="GROUP/NAME", help="sign in with what this virtual machine carries"
    )
    parser.add_argument(
        "--config-dir",
        type=Path,
        default=Path(".cache/az"),
        help="where the CLI keeps clouds and sign-ins (default .cache/az)",
    )
    arguments = parser.parse_args()
    try:
        azure = LocalAzure(json.loads(arguments.file.read_text("utf-8")))
        lines = shell_lines(azure, arguments.config_dir.resolve(), arguments.machine)
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{arguments.file} is not what a local Azure prints: {error}\n")
        return 1
    sys.stdout.write(lines + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
