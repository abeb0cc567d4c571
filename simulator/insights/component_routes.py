"""HTTP face of Microsoft.Insights/components: as every tracked resource, and its address."""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.insights.components import Components
from simulator.state import Json
from simulator.tracked.routes import Handlers, Style
from simulator.tracked.routes import operations as tracked_operations

_VERSIONS = ("2015-05-01", "2018-05-01-preview", "2020-02-02", "2020-02-02-preview")


@dataclass(frozen=True)
class _Handlers(Handlers):
    def put(self, request: ArmRequest) -> ArmResponse:
        return _connected(request, super().put(request))

    def get(self, request: ArmRequest) -> ArmResponse:
        return _connected(request, super().get(request))


def _connected(request: ArmRequest, answer: ArmResponse) -> ArmResponse:
    """With the connection string: an address on the server that was asked."""
    body: Json = answer.body or {}
    properties = body["properties"]
    address = (
        f"InstrumentationKey={properties['InstrumentationKey']}"
        f";IngestionEndpoint={request.base_url}/insights/"
    )
    return replace(answer, body={**body, "properties": {**properties, "ConnectionString": address}})


def operations(components: Components) -> list[Operation]:
    """All operations on Application Insights components."""
    return tracked_operations(
        _Handlers(components, Style("Microsoft.Insights", created=200)), _VERSIONS
    )
