"""Who asks, whether it may, and whether anything is locked."""

from dataclasses import dataclass

from starlette.requests import Request

from simulator.arm.messages import ArmRequest, Attributes, Caller, Operation
from simulator.authorization.access import Access
from simulator.behaviour import Behaviour
from simulator.errors import AzureError, gateway_error
from simulator.locks.models import Locks
from simulator.resource_ids import normalise
from simulator.tokens.jwt import ARM_AUDIENCES, TokenIssuer


@dataclass(frozen=True)
class Guard:
    """Tokens, RBAC and locks at ARM's front door."""

    behaviour: Behaviour
    access: Access
    tokens: TokenIssuer
    locks: Locks

    def caller(self, request: Request) -> Caller:
        """By the bearer token. Raises AzureError 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise AzureError(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                {"www-authenticate": "Bearer"},
            )
        claims = self.tokens.verify(token, ARM_AUDIENCES)
        return Caller(claims["oid"], claims.get("appid", ""), claims)

    def authorize(self, operation: Operation, request: ArmRequest) -> None:
        """Raises AzureError 403 `AuthorizationFailed`."""
        action = operation.asks(request)
        if action is None or (operation.poll and not self.behaviour.polls_need_rights):
            return
        scope = request.path
        if operation.scope is not None:
            scope = normalise(operation.scope.replace(":path", "").format(**request.params))
        seen = operation.attributes(request) if operation.attributes else Attributes()
        allowed = self.access.allowed(
            request.caller.object_id,
            action,
            scope,
            request=seen.request,
            resource=seen.resource,
            unconditional=not seen.known,
        )
        if not allowed:
            raise authorization_failed(request.caller, action, scope)


def authorization_failed(caller: Caller, action: str, scope: str) -> AzureError:
    """403 `AuthorizationFailed` in Azure's words."""
    return gateway_error(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )
