"""HTTP face of deployments: they are looked at and called off; templates are not deployed here."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.deployments.models import Deployments

TYPE = "Microsoft.Resources/deployments"
VERSIONS = ("2021-04-01", "2022-09-01", "2024-03-01", "2025-04-01")
_ONE = f"/subscriptions/{{subscription}}/providers/{TYPE}/{{name}}"


@dataclass(frozen=True)
class _Handlers:
    deployments: Deployments

    def get(self, request: ArmRequest) -> ArmResponse:
        found = self.deployments.get(request.path)
        body = {"id": found.id, "name": found.id.rpartition("/")[2], "type": TYPE}
        return ArmResponse(200, {**body, "properties": {"provisioningState": found.state}})

    def cancel(self, request: ArmRequest) -> ArmResponse:
        self.deployments.cancel(request.path.rpartition("/")[0])
        return ArmResponse(204)


def operations(deployments: Deployments) -> list[Operation]:
    """All operations."""
    handle = _Handlers(deployments)
    return [
        Operation("GET", _ONE, handle.get, f"{TYPE}/read", versions=VERSIONS),
        Operation(
            "POST", f"{_ONE}/cancel", handle.cancel, f"{TYPE}/cancel/action", versions=VERSIONS
        ),
    ]
