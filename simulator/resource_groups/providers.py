"""Resource providers and locations: what a subscription can hold, in which api-versions, and where.

Derived from the operations that are served, so a type is listed as soon as it can be created. Every
provider is registered but for those in `State.unregistered`; registering one ends at once here.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.errors import gateway_error
from simulator.state import Json, State

#: Name → display name, a selection of the public cloud's. Resources may name any other too.
LOCATIONS: Mapping[str, str] = {
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
    "centralus": "Central US",
    "northcentralus": "North Central US",
    "southcentralus": "South Central US",
    "westcentralus": "West Central US",
    "canadacentral": "Canada Central",
    "canadaeast": "Canada East",
    "brazilsouth": "Brazil South",
    "mexicocentral": "Mexico Central",
    "northeurope": "North Europe",
    "westeurope": "West Europe",
    "uksouth": "UK South",
    "ukwest": "UK West",
    "francecentral": "France Central",
    "francesouth": "France South",
    "germanywestcentral": "Germany West Central",
    "germanynorth": "Germany North",
    "norwayeast": "Norway East",
    "swedencentral": "Sweden Central",
    "switzerlandnorth": "Switzerland North",
    "italynorth": "Italy North",
    "polandcentral": "Poland Central",
    "spaincentral": "Spain Central",
    "israelcentral": "Israel Central",
    "qatarcentral": "Qatar Central",
    "uaenorth": "UAE North",
    "southafricanorth": "South Africa North",
    "centralindia": "Central India",
    "southindia": "South India",
    "westindia": "West India",
    "eastasia": "East Asia",
    "southeastasia": "Southeast Asia",
    "japaneast": "Japan East",
    "japanwest": "Japan West",
    "koreacentral": "Korea Central",
    "koreasouth": "Korea South",
    "australiaeast": "Australia East",
    "australiasoutheast": "Australia Southeast",
    "australiacentral": "Australia Central",
    "newzealandnorth": "New Zealand North",
    "centraluseuap": "Central US EUAP",
    "eastus2euap": "East US 2 EUAP",
}

_SUBSCRIPTION = "/subscriptions/{subscription}"
_PROVIDER = f"{_SUBSCRIPTION}/providers/{{namespace}}"
_READ = "Microsoft.Resources/subscriptions/providers/read"
_ONE = re.compile(r".*/providers/(?P<namespace>[^/{]+)(?P<types>(/[^/{]+/\{\w+\})+)")

type Types = Mapping[str, Mapping[str, tuple[str, ...]]]


def types_of(operations: Iterable[Operation]) -> Types:
    """Namespace → type ("sites/slots") → its api-versions, newest first: all that can be PUT."""
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for operation in operations:
        match = _ONE.fullmatch(operation.template)
        if operation.method == "PUT" and match is not None:
            kind = "/".join(match["types"].strip("/").split("/")[::2])
            found[match["namespace"]][kind] = tuple(sorted(operation.versions, reverse=True))
    return found


@dataclass(frozen=True)
class _Handlers:
    served: Callable[[], list[Operation]]
    state: State

    def list(self, request: ArmRequest) -> ArmResponse:
        types, subscription = types_of(self.served()), request.params["subscription"]
        shown = [self._show(subscription, each, types[each]) for each in sorted(types)]
        return ArmResponse(200, {"value": shown})

    def get(self, request: ArmRequest) -> ArmResponse:
        types = types_of(self.served())
        namespace = _known(types, request.params["namespace"])
        body = self._show(request.params["subscription"], namespace, types[namespace])
        return ArmResponse(200, body)

    def register(self, request: ArmRequest) -> ArmResponse:
        namespace = _known(types_of(self.served()), request.params["namespace"])
        self.state.unregistered.discard(_key(request.params["subscription"], namespace))
        return self.get(request)

    def _show(
        self, subscription: str, namespace: str, types: Mapping[str, tuple[str, ...]]
    ) -> Json:
        registered = _key(subscription, namespace) not in self.state.unregistered
        return {
            "id": f"/subscriptions/{subscription}/providers/{namespace}",
            "namespace": namespace,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registered" if registered else "NotRegistered",
            "resourceTypes": [
                {
                    "resourceType": kind,
                    "locations": list(LOCATIONS.values()),
                    "apiVersions": list(versions),
                    "capabilities": "None",
                }
                for kind, versions in sorted(types.items())
            ],
        }


def _key(subscription: str, namespace: str) -> tuple[str, str]:
    return subscription.lower(), namespace.lower()


def _known(types: Types, asked: str) -> str:
    for namespace in types:
        if namespace.lower() == asked.lower():
            return namespace
    raise gateway_error(
        404, "InvalidResourceNamespace", f"The resource namespace '{asked}' is invalid."
    )


def _locations(request: ArmRequest) -> ArmResponse:
    prefix = f"/subscriptions/{request.params['subscription']}/locations"
    shown = [
        {
            "id": f"{prefix}/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {"regionType": "Physical"},
        }
        for name, display in LOCATIONS.items()
    ]
    return ArmResponse(200, {"value": shown})


def operations(served: Callable[[], list[Operation]], state: State) -> list[Operation]:
    """All operations on providers and locations. `served`: every operation there is when asked."""
    handle = _Handlers(served, state)
    locations = "Microsoft.Resources/subscriptions/locations/read"
    return [
        Operation("GET", f"{_SUBSCRIPTION}/providers", handle.list, _READ, _SUBSCRIPTION),
        Operation("GET", _PROVIDER, handle.get, _READ, _SUBSCRIPTION),
        Operation(
            "POST",
            f"{_PROVIDER}/register",
            handle.register,
            "{namespace}/register/action",
            _SUBSCRIPTION,
        ),
        Operation("GET", f"{_SUBSCRIPTION}/locations", _locations, locations, _SUBSCRIPTION),
    ]
