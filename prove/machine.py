"""One machine's life: it is created, gets its identity and its role, reads a blob, and is deleted;
what only it needed goes.
"""

import json
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanyard.azure.arm.answers import Json
from lanyard.desk.onboarding.topics import assigned_role, assignments_of
from lanyard.values.errors import LanyardError
from lanyard.values.roles import role_id
from prove.ground import TEXT, interface
from prove.proof import GROUP, Proof
from prove.questions import FIRST_403, QUEUE_DELIVERY

COMPUTE = "2024-11-01"
_PROGRAM = Path(__file__).with_name("on_machine.py")
_IMAGE = {
    "publisher": "Canonical",
    "offer": "ubuntu-24_04-lts",
    "sku": "server",
    "version": "latest",
}
_READER = role_id("Storage Blob Data Reader") or ""
_BLOB_VERSION = {"x-ms-version": "2023-11-03"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the machine was answered: the HTTP status and the text."""

    status: int
    text: str


def machine_id(proof: Proof, way: str) -> str:
    """The machine whose events come by `way`."""
    return f"{proof.group(GROUP)}/providers/Microsoft.Compute/virtualMachines/vm-{way}"


@dataclass(frozen=True, slots=True)
class Life:
    """The steps of it, where events come by `way`."""

    way: str

    async def create(self, proof: Proof) -> None:
        """The smallest Linux machine, which nobody can log in to: its password is told nobody."""
        began = proof.now()
        await proof.ensure(machine_id(proof, self.way), COMPUTE, _body(proof, self.way))
        proof.journal.keep(**{f"created-{self.way}": proof.now()})
        proof.measure(f"{self.way}: the machine is created", proof.now() - began)

    async def attach(self, proof: Proof) -> None:
        """Wait until it has its identity."""

        async def attached() -> bool:
            principal = _principal(await self._machine(proof))
            proof.journal.keep(**{f"principal-{self.way}": principal})
            return bool(principal)

        await proof.until("the machine has its identity", attached)
        seconds = proof.now() - proof.journal.values[f"created-{self.way}"]
        proof.measure(f"{self.way}: its identity is attached after that", seconds)
        if self.way == "queue":
            proof.answer(QUEUE_DELIVERY, f"yes: attached {seconds:.0f} s after it was created")

    async def grant(self, proof: Proof) -> None:
        """Wait until that identity has its role."""
        await proof.until("its identity has its role", lambda: self._has_role(proof))
        seconds = proof.now() - proof.journal.values[f"created-{self.way}"]
        proof.measure(f"{self.way}: its role is assigned after that", seconds)

    async def read(self, proof: Proof) -> None:
        """Let the machine read the blob until it may. The answers before are what a workload
        meets that starts with its machine.
        """
        refused: list[int] = []

        async def reads() -> bool:
            # Its agent may not run yet.
            answer = await proof.in_time(lambda: as_machine(proof, self.way, _reading(proof)))
            if answer.status == 200 and answer.text != TEXT:
                raise LanyardError("the machine reads another text than was written")
            refused.extend([answer.status] if answer.status != 200 else [])
            return answer.status == 200

        seconds = await proof.until("the machine reads the blob", reads)
        proof.measure(f"{self.way}: the machine reads after that", seconds)
        said = f"{len(refused)} of its first calls refused, by {sorted(set(refused))}"
        if self.way == "webhook":
            first = f"read after {seconds:.0f} s, {said}" if refused else "its first call is let in"
            proof.answer(FIRST_403, first)

    async def delete(self, proof: Proof) -> None:
        """The machine."""
        began = proof.now()
        await proof.resources.delete(machine_id(proof, self.way), COMPUTE)
        proof.journal.keep(**{f"deleted-{self.way}": proof.now()})
        proof.measure(f"{self.way}: the machine is deleted", proof.now() - began)

    async def clean(self, proof: Proof) -> None:
        """Wait until the role that only it needed is gone."""

        async def has_none() -> bool:
            return not await self._has_role(proof)

        await proof.until("the role is taken back", has_none)
        seconds = proof.now() - proof.journal.values[f"deleted-{self.way}"]
        proof.measure(f"{self.way}: its role is taken back after that", seconds)

    async def _machine(self, proof: Proof) -> Json:
        return await proof.resources.read(machine_id(proof, self.way), COMPUTE) or {}

    async def _has_role(self, proof: Proof) -> bool:
        principal = proof.journal.values[f"principal-{self.way}"]
        held = await assignments_of(proof.resources, proof.group(GROUP), principal)
        return any(assigned_role(each) == _READER for each in held)


async def as_machine(proof: Proof, way: str, asked: Json) -> Answer:
    """Make a call as the machine (`on_machine.py`). Raises LanyardError where it cannot be run."""
    program = (
        f"python3 - {shlex.quote(json.dumps(asked))} <<'PROGRAM'\n{_PROGRAM.read_text()}PROGRAM"
    )
    command = {"commandId": "RunShellScript", "script": program.splitlines()}
    ran = await proof.post(f"{machine_id(proof, way)}/runCommand", COMPUTE, command)
    said = "\n".join(str(each.get("message") or "") for each in ran.get("value") or ())
    for line in said.splitlines():
        if line.startswith("proof: "):
            answer = json.loads(line.removeprefix("proof: "))
            return Answer(int(answer["status"]), str(answer["text"]))
    raise LanyardError(f"the machine's program ended without an answer: {said[-500:]}")


def _reading(proof: Proof) -> Json:
    return {
        "audience": "https://storage.azure.com/",
        "method": "GET",
        "url": proof.journal.values["blob"],
        "headers": _BLOB_VERSION,
        "body": None,
    }


def _principal(machine: Json) -> str:
    """The object id of the one identity that is attached, "" where there is none."""
    attached = (machine.get("identity") or {}).get("userAssignedIdentities") or {}
    return next((str(each.get("principalId") or "") for each in attached.values()), "")


def _body(proof: Proof, way: str) -> dict[str, Any]:
    disk = {"createOption": "FromImage", "deleteOption": "Delete"}
    system = {
        "computerName": f"vm-{way}",
        "adminUsername": "proof",
        "adminPassword": f"Aa1!{secrets.token_urlsafe(32)}",
    }
    card = {"id": interface(proof, way), "properties": {"deleteOption": "Delete"}}
    return {
        "location": proof.journal.location,
        "properties": {
            "hardwareProfile": {"vmSize": proof.size},
            "storageProfile": {"imageReference": _IMAGE, "osDisk": disk},
            "osProfile": system,
            "networkProfile": {"networkInterfaces": [card]},
        },
    }
