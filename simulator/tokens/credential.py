"""Credentials for SDK clients that run in the simulator's own process: no endpoint, no socket."""

from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken

from simulator.state import Principal
from simulator.tokens.jwt import TokenIssuer


class PrincipalCredential:
    """A synchronous `TokenCredential` that acts as `principal`."""

    def __init__(self, issuer: TokenIssuer, principal: Principal) -> None:
        self._issuer = issuer
        self._principal = principal

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """A token for the one scope given, such as "https://management.azure.com/.default"."""
        (scope,) = scopes
        audience = scope.removesuffix("/.default")
        return AccessToken(*self._issuer.issue(self._principal, audience))


class AsyncPrincipalCredential:
    """The same for the aio clients: an `AsyncTokenCredential`."""

    def __init__(self, issuer: TokenIssuer, principal: Principal) -> None:
        self._credential = PrincipalCredential(issuer, principal)

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for the one scope given, such as "https://management.azure.com/.default"."""
        return self._credential.get_token(*scopes, **options)

    async def close(self) -> None:
        """Nothing is held open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
