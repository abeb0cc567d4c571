"""HTTP face of Azure Policy."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.policy.models import ASSIGNMENTS, DEFINITIONS, Policies

VERSIONS = ("2021-06-01", "2022-06-01", "2023-04-01")


@dataclass(frozen=True)
class _Handlers:
    policies: Policies

    def put(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(201, self.policies.put(request.path, request.json()))

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, self.policies.get(request.path))

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.policies.delete(request.path) else 204)


def operations(policies: Policies) -> list[Operation]:
    """All operations on definitions and assignments."""
    handle, made = _Handlers(policies), list[Operation]()
    for kind in (DEFINITIONS, ASSIGNMENTS):
        one = f"/{{scope:path}}/providers/{kind}/{{name}}"
        made += [
            Operation("PUT", one, handle.put, f"{kind}/write", versions=VERSIONS),
            Operation("GET", one, handle.get, f"{kind}/read", versions=VERSIONS),
            Operation("DELETE", one, handle.delete, f"{kind}/delete", versions=VERSIONS),
        ]
    return made
