"""What a shell needs for `lanyard` to reach the local Azure and the app in it, as its operator."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from demo.stack import INSTALLATION, POLICY
from simulator.azurite import Azurite
from simulator.serve import Addresses


def environment(addresses: Addresses, azurite: Azurite, policy: Path = POLICY) -> dict[str, str]:
    """The variables: addresses, the policy, and who one is."""
    return {
        "LANYARD_ARM_ENDPOINT": addresses.arm,
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "LANYARD_GRAPH_ENDPOINT": addresses.graph,
        "LANYARD_GRAPH_AUDIENCE": "https://graph.microsoft.com",
        "LANYARD_TABLE_ENDPOINT": azurite.table_url,
        "LANYARD_QUEUE_ENDPOINT": azurite.queue_url,
        "LANYARD_BLOB_ENDPOINT": azurite.blob_url,
        "LANYARD_INSTALLATION": INSTALLATION,
        "LANYARD_POLICY": str(policy),
        "IDENTITY_ENDPOINT": addresses.identity_endpoint,
        "IDENTITY_HEADER": addresses.operator.identity_header,
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
    }


def local_settings(settings: Mapping[str, str]) -> str:
    """`local.settings.json` of Core Tools for the app over the local Azure, by its settings there.
    The app that runs beside it is on the same queue: either may take a message.
    """
    values = {"FUNCTIONS_WORKER_RUNTIME": "python", **settings}
    return json.dumps({"IsEncrypted": False, "Values": values}, indent=2) + "\n"


def write(file: Path, variables: Mapping[str, str]) -> None:
    """A file for the shell's `.`; readable by its owner alone."""
    lines = (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    write_privately(file, "\n".join(lines) + "\n")


def write_privately(file: Path, text: str) -> None:
    """A file that its owner alone can read."""
    file.touch(mode=0o600)
    file.write_text(text)
