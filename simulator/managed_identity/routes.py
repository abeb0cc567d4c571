"""HTTP face of Microsoft.ManagedIdentity."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Budget, Operation
from simulator.arm.paging import page
from simulator.managed_identity import federated
from simulator.managed_identity.associated import AssociatedResources
from simulator.managed_identity.federated import FederatedCredentials
from simulator.managed_identity.models import TYPE, UserAssignedIdentities, show
from simulator.resources import require

VERSIONS = (
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
)
_FEDERATED_VERSIONS = (
    "2022-01-31-preview",
    "2023-01-31",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
    "2026-04-30",
    "2026-05-31",
)
_LIST_ASSOCIATED_VERSIONS = ("2021-09-30-preview", "2022-01-31-preview")

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"
_CREDENTIALS = f"{_ONE}/federatedIdentityCredentials"
_CREDENTIAL = f"{_CREDENTIALS}/{{credential}}"


@dataclass(frozen=True)
class _Handlers:
    identities: UserAssignedIdentities
    users: AssociatedResources

    def put(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        identity, created = self.identities.put(
            params["subscription"], params["group"], params["name"], request.json()
        )
        body = show(identity, request.api_version)
        if created:
            return ArmResponse(201, body, {"location": identity.id})
        return ArmResponse(200, body)

    def patch(self, request: ArmRequest) -> ArmResponse:
        identity = self.identities.patch(request.path, request.json())
        return ArmResponse(200, show(identity, request.api_version))

    def get(self, request: ArmRequest) -> ArmResponse:
        identity = require(self.identities.state, request.path)
        return ArmResponse(200, show(identity, request.api_version))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.identities.list_in(request.params["subscription"], request.params.get("group"))
        return ArmResponse(200, {"value": [show(each, request.api_version) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.identities.delete(request.path) else 204)

    def associated(self, request: ArmRequest) -> ArmResponse:
        """`$top=0` asks for the count alone."""
        found = self.users.of(request.path.rpartition("/")[0])
        if request.query.get("$top") == "0":
            return ArmResponse(200, {"totalCount": len(found), "value": []})
        answer = page(request, found, self.identities.state.behaviour.page_size)
        return ArmResponse(200, {"totalCount": len(found), **(answer.body or {})})


@dataclass(frozen=True)
class _CredentialHandlers:
    credentials: FederatedCredentials

    def put(self, request: ArmRequest) -> ArmResponse:
        credential, created = self.credentials.put(request.path, request.json())
        body = federated.show(credential)
        if created:
            return ArmResponse(201, body, {"location": credential.id})
        return ArmResponse(200, body)

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, federated.show(self.credentials.get(request.path)))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.credentials.list_of(request.path.rpartition("/")[0])
        size = self.credentials.state.behaviour.page_size
        return page(request, [federated.show(each) for each in found], size)

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.credentials.delete(request.path) else 204)


def operations(identities: UserAssignedIdentities) -> list[Operation]:
    """All operations on user-assigned identities and what lies below them."""
    handle = _Handlers(identities, AssociatedResources(identities.state))
    read, write, delete = f"{TYPE}/read", f"{TYPE}/write", f"{TYPE}/delete"
    return [
        Operation("PUT", _ONE, handle.put, write, versions=VERSIONS),
        Operation("PATCH", _ONE, handle.patch, write, versions=VERSIONS),
        Operation("GET", _ONE, handle.get, read, versions=VERSIONS),
        Operation("DELETE", _ONE, handle.delete, delete, versions=VERSIONS),
        Operation(
            "GET", f"{_GROUP}/providers/{TYPE}", handle.list, read, _GROUP, versions=VERSIONS
        ),
        Operation(
            "GET",
            f"{_SUBSCRIPTION}/providers/{TYPE}",
            handle.list,
            read,
            _SUBSCRIPTION,
            versions=VERSIONS,
        ),
        Operation(
            "POST",
            f"{_ONE}/listAssociatedResources",
            handle.associated,
            f"{TYPE}/listAssociatedResources/action",
            _ONE,
            versions=_LIST_ASSOCIATED_VERSIONS,
            budget=Budget.READ,
        ),
        *_credential_operations(FederatedCredentials(identities.state)),
    ]


def _credential_operations(credentials: FederatedCredentials) -> list[Operation]:
    handle, versions = _CredentialHandlers(credentials), _FEDERATED_VERSIONS
    read, write, delete = (f"{federated.TYPE}/{verb}" for verb in ("read", "write", "delete"))
    return [
        Operation("PUT", _CREDENTIAL, handle.put, write, versions=versions),
        Operation("GET", _CREDENTIAL, handle.get, read, versions=versions),
        Operation("DELETE", _CREDENTIAL, handle.delete, delete, versions=versions),
        Operation("GET", _CREDENTIALS, handle.list, read, _ONE, versions=versions),
    ]
