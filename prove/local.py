"""The local Azure for a proof: all that `python -m prove` reaches, and the app that its deployment
would make. `python -m prove.local` runs the whole proof on it.

Two things stand in for what is not simulated. `az` gives the tokens of the operator, answers a
deployment of the Bicep templates with the outputs of an app that is there already, takes the
package, and answers log queries; the script that the proof has the machine run is run here, with
the metadata endpoint of the machine.
"""

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.desk import environment
from demo.events import EVENTS, make_queues, webhook_of
from demo.hosts import PROJECT, project_host
from demo.operator import Operator
from demo.stack import INSTALLATION, LOCATION, POLLED_OFTEN, QUEUE, TIMERS_OFF, settings_of
from demo.timers import run_now
from prove.app import POLICY
from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.behaviour import Behaviour
from simulator.certificates import make_certificates
from simulator.clock import Clock
from simulator.functions_host.process import HostProcess
from simulator.serve import Addresses, serve
from simulator.web.function_app import Hosted

#: In a moment here, in minutes in Azure.
PACE = ("--hurry", "40", "--look", "8", "--quiet", "2", "--spreads", "60", "--deadline", "120")
_AZ = f"""#!{sys.executable}
import json, os, sys, urllib.request
said = " ".join(sys.argv[1:])
if said.startswith("account get-access-token"):
    audience = sys.argv[sys.argv.index("--resource") + 1]
    url = os.environ["IDENTITY_ENDPOINT"] + "?api-version=2019-08-01&resource=" + audience
    header = {{"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}}
    token = json.load(urllib.request.urlopen(urllib.request.Request(url, headers=header)))
    print(json.dumps({{"accessToken": token["access_token"], "expires_on": token["expires_on"]}}))
elif said.startswith("deployment sub create"):
    print(open(os.environ["PROVE_OUTPUTS"]).read())
elif said.startswith("rest"):
    print(json.dumps({{"tables": [{{"rows": [[0 if "heard == 0" in said else 3]]}}]}}))
"""
_TIMER_SECONDS = 2.0
_GROUP = "rg-lanyard"
_ACCOUNT = {"location": LOCATION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


@dataclass(frozen=True)
class LocalAzure:
    """What runs. `environment`: for a process that is to reach it; `before`: the ids of what is
    there without a proof.
    """

    azure: Azure
    subscription: str
    environment: Mapping[str, str]
    before: frozenset[str] = field(default_factory=frozenset)

    def left(self) -> list[str]:
        """The ids of what a proof has left."""
        return sorted(there(self.azure) - self.before)


def there(azure: Azure) -> frozenset[str]:
    """All resources, role assignments, custom roles and event subscriptions."""
    state = azure.state
    return frozenset(
        [
            *state.resources,
            *state.role_assignments,
            *state.role_definitions,
            *azure.services.event_grid.subscriptions,
        ]
    )


@asynccontextmanager
async def local_azure(folder: Path) -> AsyncIterator[LocalAzure]:
    """Start it, with the app running but watching nothing; stop it at the end."""
    certificates = make_certificates(folder / "tls")
    async with AsyncExitStack() as stack:
        azurite = await stack.enter_async_context(Azurite(certificates))
        azure = Azure(clock=Clock(running=True), behaviour=Behaviour(operation_seconds=0.2))
        subscription = azure.state.add_subscription("Lanyard proof").id
        addresses = await stack.enter_async_context(
            serve(
                azure,
                certificates,
                azurite_blob_url=azurite.blob_url,
                azurite_queue_url=azurite.queue_url,
            )
        )
        operator = await stack.enter_async_context(Operator(addresses))
        await make_queues(operator, azurite.queue_url, QUEUE, EVENTS)
        app = await _app(operator)
        settings = settings_of(azure, addresses, azurite, app, POLICY) | TIMERS_OFF | POLLED_OFTEN
        host = await stack.enter_async_context(project_host(settings, folder))
        names = [str(function["name"]) for function in host.functions]
        azure.compute_types.function_apps.hosted[app["site"].lower()] = Hosted(names)
        function = f"{app['site']}/functions/resource_events"
        azure.services.event_grid.addresses[function.lower()] = webhook_of(host)
        timer = asyncio.create_task(_timer(host, azure.clock))
        stack.callback(timer.cancel)
        azure.run_command.player = _Machines(addresses)
        shell = environment(addresses, azurite, POLICY)
        yield LocalAzure(azure, subscription, shell | _stand_in(folder, app), there(azure))


async def _timer(host: HostProcess, clock: Clock) -> None:
    """What the clock starts every five minutes in Azure: nothing is taken before its first run."""
    while True:
        await clock.sleep_until(clock.now() + _TIMER_SECONDS)
        await run_now(host, "policy_changes", clock)


async def _app(operator: Operator) -> dict[str, str]:
    """As infra/main.bicep makes it, as far as anything here looks at it."""
    await operator.create_group(_GROUP, LOCATION)
    path = f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-lanyard"
    identity = await operator.create(path, "2024-11-30", {"location": LOCATION})
    path = f"{_GROUP}/Microsoft.Storage/storageAccounts/stlanyard"
    storage = await operator.create(path, "2024-01-01", _ACCOUNT)
    attached = {"type": "UserAssigned", "userAssignedIdentities": {identity["id"]: {}}}
    body = {"location": LOCATION, "kind": "functionapp", "identity": attached, "properties": {}}
    path = f"{_GROUP}/Microsoft.Web/sites/func-lanyard"
    site = await operator.create(path, "2025-05-01", body)
    path = f"{_GROUP}/Microsoft.OperationalInsights/workspaces/log-lanyard"
    await operator.create(path, "2023-09-01", {"location": LOCATION, "properties": {}})
    return {
        "clientId": identity["properties"]["clientId"],
        "principalId": identity["properties"]["principalId"],
        "site": site["id"],
        "storage": storage["id"],
    }


def _stand_in(folder: Path, app: Mapping[str, str]) -> dict[str, str]:
    """`az`, first on the path, and what it answers."""
    outputs = {
        "SERVICE_APP_NAME": "func-lanyard",
        "LANYARD_APP_ID": app["site"],
        "LANYARD_CLIENT_ID": app["clientId"],
        "LANYARD_PRINCIPAL_ID": app["principalId"],
        "LANYARD_STORAGE_ID": app["storage"],
        "LANYARD_INSTALLATION": INSTALLATION,
        "LANYARD_ACTION_GROUP_ID": "",
    }
    tools, said = folder / "bin", folder / "outputs.json"
    tools.mkdir(exist_ok=True)
    (tools / "az").write_text(_AZ)
    (tools / "az").chmod(0o755)
    said.write_text(json.dumps({name: {"value": value} for name, value in outputs.items()}))
    return {"PATH": f"{tools}:{os.environ['PATH']}", "PROVE_OUTPUTS": str(said)}


@dataclass(frozen=True)
class _Machines:
    """Runs a script as if on a machine."""

    addresses: Addresses

    async def __call__(self, machine: str, script: Sequence[str]) -> str:
        metadata = {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.addresses.imds(machine),
            "SSL_CERT_FILE": str(self.addresses.certificates.ca_file),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        shell = await asyncio.create_subprocess_exec("sh", stdin=PIPE, stdout=PIPE, env=metadata)
        out, _ = await shell.communicate("\n".join(script).encode())
        return out.decode()


async def proving(local: LocalAzure, folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """A process that proves it there; its lines can be read."""
    command = (sys.executable, "-m", "prove", local.subscription, "--yes", "--folder", str(folder))
    return await asyncio.create_subprocess_exec(
        *(*command, *PACE, *arguments),
        env={**local.environment, "PYTHONPATH": str(PROJECT), "HOME": os.environ.get("HOME", "")},
        stdout=PIPE,
    )


async def _main() -> int:
    with tempfile.TemporaryDirectory(prefix="lanyard-proof-") as folder:
        async with local_azure(Path(folder)) as local:
            process = await proving(local, PROJECT / ".cache" / "prove-local")
            assert process.stdout is not None
            async for line in process.stdout:
                sys.stdout.write(line.decode())
            for id_ in local.left():
                sys.stdout.write(f"left: {id_}\n")
            return await process.wait() or bool(local.left())


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
