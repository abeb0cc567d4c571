"""Access tokens as Microsoft Entra makes them: a JWT for one principal and one audience.

Tokens live on the machine's own clock, never on the simulator's: azure-identity caches them by it,
and Azurite checks `nbf` and `exp` against it. A simulator clock moved by a day therefore does not
strand every client with a token that it believes to be good. To see an expired token, issue one
with a negative lifetime.
"""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
from jwt.types import Options

from simulator.errors import AzureError
from simulator.state import Principal, State

#: A managed identity's token lasts a day.
DEFAULT_LIFETIME = 86400.0

#: What Azure's services take as `aud`, without the trailing slash that some clients ask with.
ARM_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
GRAPH_AUDIENCES = frozenset({"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"})
STORAGE_AUDIENCES = frozenset({"https://storage.azure.com"})
EVENT_GRID_AUDIENCES = frozenset({"https://eventgrid.azure.net"})
MONITOR_AUDIENCES = frozenset({"https://monitor.azure.com"})


#: The issuer's own `now` decides on `exp`, and the services decide on `aud`.
_CHECKED_HERE: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}


class Token(NamedTuple):
    """`expires_on` is in seconds since the epoch, on the machine's clock."""

    access_token: str
    expires_on: int


class TokenIssuer:
    """Signs with a key made at start and never shown: a token of another run is refused."""

    def __init__(self, state: State, now: Callable[[], float] = time.time) -> None:
        self._state = state
        self._now = now
        self._key = secrets.token_bytes(32)
        # A client sends one token with hundreds of requests: its signature is checked once.
        self._signed = lru_cache(maxsize=1024)(self._read)

    def issue(
        self,
        principal: Principal,
        audience: str,
        *,
        lifetime: float = DEFAULT_LIFETIME,
        resource_id: str | None = None,
    ) -> Token:
        """A token for `principal` at `audience` (the resource asked for, as asked).

        `lifetime` is in seconds. `resource_id` becomes `xms_mirid`: the id of the user-assigned
        identity, or of the resource whose system-assigned identity this is.
        """
        issued = self._now()
        dates = {"iat": int(issued), "nbf": int(issued), "exp": int(issued + lifetime)}
        claims = self._subject(principal) | dates | {"aud": audience}
        if resource_id is not None:
            claims["xms_mirid"] = resource_id
        return Token(jwt.encode(claims, self._key, "HS256"), int(issued + lifetime))

    def verify(self, token: str, audiences: Collection[str] | None = None) -> dict[str, str]:
        """The claims of a good token, all as strings, as the activity log shows them.

        `audiences`: any of these is right, a trailing slash aside; None takes every audience.
        Raises AzureError 401 `ExpiredAuthenticationToken`, `InvalidAuthenticationToken` or
        `InvalidAuthenticationTokenAudience`.
        """
        claims = self._signed(token)
        self._check_dates(claims["exp"])
        if audiences is not None and claims["aud"].rstrip("/") not in audiences:
            raise _wrong_audience(claims["aud"], audiences)
        return {name: str(value) for name, value in claims.items()}

    def _read(self, token: str) -> Mapping[str, Any]:
        try:
            return jwt.decode(token, self._key, ["HS256"], options=_CHECKED_HERE)
        except jwt.InvalidTokenError:
            raise AzureError(
                401, "InvalidAuthenticationToken", "The access token is invalid."
            ) from None

    def _check_dates(self, expires: int) -> None:
        if self._now() >= expires:
            raise AzureError(
                401,
                "ExpiredAuthenticationToken",
                "The access token expiry UTC time is earlier than current UTC time.",
            )

    def _subject(self, principal: Principal) -> dict[str, object]:
        tenant = self._state.tenant_id
        claims: dict[str, object] = {
            "iss": f"https://sts.windows.net/{tenant}/",
            "tid": tenant,
            "oid": principal.object_id,
            "sub": principal.object_id,
            "appid": principal.client_id,
            "ver": "1.0",
        }
        if principal.kind == "User":
            names = {"name": principal.display_name, "upn": user_principal_name(principal)}
            return claims | {"idtyp": "user"} | names
        return claims | {"idtyp": "app"}


def user_principal_name(user: Principal) -> str:
    """A user's sign-in name: the first of its alternative names."""
    return next(iter(user.alternative_names), user.display_name)


def _wrong_audience(audience: str, allowed: Collection[str]) -> AzureError:
    listed = ",".join(f"'{each}'" for each in sorted(allowed))
    return AzureError(
        401,
        "InvalidAuthenticationTokenAudience",
        f"The access token has been obtained for wrong audience or resource '{audience}'. "
        f"It should exactly match with one of the allowed audiences {listed}.",
    )
