"""The managed identity endpoints, apart from HTTP: IMDS of a machine, and that of App Service."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.state import Json, Principal, State
from simulator.tokens.attached import (
    AttachedIdentity,
    Default,
    NoIdentity,
    attached_identities,
    choose,
)
from simulator.tokens.jwt import DEFAULT_LIFETIME, TokenIssuer


@dataclass
class TokenRefused(Exception):
    """An answer of the endpoint's own shape, which is not ARM's."""

    status: int
    body: Json


class ManagedIdentityEndpoints:
    """Gives tokens for what is attached at the moment of asking."""

    def __init__(self, state: State, issuer: TokenIssuer) -> None:
        self._state = state
        self._issuer = issuer
        self._header_of: dict[str, str] = {}  # lower-case resource id → header
        self._resource_of: dict[str, str] = {}
        self._person_of: dict[str, Principal] = {}

    def identity_header(self, resource_id: str) -> str:
        """The `IDENTITY_HEADER` of the app `resource_id`: random, the same for a whole run."""
        key = resource_id.lower()
        if key not in self._header_of:
            self._header_of[key] = secrets.token_hex(16)
            self._resource_of[self._header_of[key]] = key
        return self._header_of[key]

    def header_for_principal(self, principal: Principal) -> str:
        """A new header that acts as `principal`: how a person's tools come to a token here."""
        header = secrets.token_hex(16)
        self._person_of[header] = principal
        return header

    def imds_token(self, resource_id: str, query: Mapping[str, str]) -> Json:
        """IMDS as the machine `resource_id` sees it. Raises TokenRefused."""
        audience = query.get("resource")
        if not audience:
            raise _invalid_request("Required query variable 'resource' is missing")
        try:
            chosen = choose(self._identities(resource_id), query, Default.SYSTEM_ELSE_ONLY_ONE)
        except NoIdentity as refused:
            raise _invalid_request(_SEVERAL if refused.several else "Identity not found") from None
        return self._answer(chosen, audience)

    def app_service_token(self, header: str, query: Mapping[str, str]) -> Json:
        """The App Service endpoint for the app or person whose `header` this is."""
        if header not in self._resource_of and header not in self._person_of:
            raise _refused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        audience = query.get("resource")
        if not audience:
            raise _refused(400, "The resource parameter is missing.")
        try:
            return self._answer(choose(self._of(header), query, Default.SYSTEM), audience)
        except NoIdentity:
            raise _refused(400, _NOT_FOUND) from None

    def _of(self, header: str) -> list[AttachedIdentity]:
        if person := self._person_of.get(header):
            return [AttachedIdentity(person, "", system=True)]
        return self._identities(self._resource_of[header])

    def _identities(self, resource_id: str) -> list[AttachedIdentity]:
        resource = self._state.resources.get(resource_id.lower())
        return attached_identities(self._state, resource) if resource else []

    def _answer(self, identity: AttachedIdentity, audience: str) -> Json:
        token = self._issuer.issue(
            identity.principal, audience, resource_id=identity.resource_id or None
        )
        return {
            "access_token": token.access_token,
            "client_id": identity.principal.client_id,
            "expires_in": str(int(DEFAULT_LIFETIME)),
            "expires_on": str(token.expires_on),
            "not_before": str(token.expires_on - int(DEFAULT_LIFETIME)),
            "resource": audience,
            "token_type": "Bearer",
        }


_SEVERAL = (
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
    "identity in the token request"
)
_NOT_FOUND = "No Managed Identity found for specified ClientId/ResourceId/PrincipalId."


def _invalid_request(description: str) -> TokenRefused:
    return TokenRefused(400, {"error": "invalid_request", "error_description": description})


def _refused(status: int, message: str) -> TokenRefused:
    return TokenRefused(status, {"statusCode": status, "message": message})
