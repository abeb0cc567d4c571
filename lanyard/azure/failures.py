"""Every failure of an Azure call, by what to do next: Temporary with its delay, or Permanent."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from lanyard.errors import Permanent, Temporary

_UNREACHABLE_DELAY = 5.0
_THROTTLED_DELAY = 10.0
_BUSY_DELAY = 5.0
_TOKEN_DELAY = 30.0
# Another write to the same resource is under way, which each service says in its own words, or
# Entra has not replicated a new principal yet.
_BUSY_CODES = {
    "Conflict",
    "OperationNotAllowed",
    "PreconditionFailed",
    "PrincipalNotFound",
    "ResourceNotReady",
    "RetryableError",
}
_BUSY_ENDING = "OperationInProgress"

_GONE_CODES = {
    "NotFound",  # App Service's own word
    "ParentResourceNotFound",  # a slot's app, a pool's account
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "RoleAssignmentNotFound",
}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run a call of an SDK; raise its failure as Temporary or Permanent. `what` is for people."""
    try:
        yield
    except TimeoutError as error:
        raise Temporary(f"{what}: no answer in time", _UNREACHABLE_DELAY) from error
    except AzureError as error:
        raise translate(what, error) from error


def translate(what: str, error: AzureError) -> Temporary | Permanent:
    """The kind of an SDK's failure. Decided by status and Azure's error code, never its text."""
    if isinstance(error, ClientAuthenticationError):
        return Temporary(f"{what}: no token or it was refused: {error.message}", _TOKEN_DELAY)
    if isinstance(error, HttpResponseError) and error.status_code:
        return _by_status(what, error)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Temporary(f"{what}: {error.message}", _UNREACHABLE_DELAY)
    return Permanent(f"{what}: {error.message}")


def code_of(error: HttpResponseError) -> str:
    """Azure's error code, or "" where the answer had none.

    App Service answers `{"Code": …, "Message": …}` where others have an `error` object around it.
    """
    return str(getattr(error.error, "code", None) or _bare_code(error.response) or "")


def _bare_code(response: Any) -> object:
    try:
        body = json.loads(response.text())
    except (AttributeError, ValueError):
        return None
    return body.get("Code") if isinstance(body, dict) else None


def retry_after(response: Any, default: float) -> float:
    """The seconds that an answer asks to wait."""
    headers: Mapping[str, str] = getattr(response, "headers", {})
    try:
        return max(float(headers.get("Retry-After", "")), 0.0)
    except ValueError:
        return default


def is_gone(error: HttpResponseError) -> bool:
    """Whether the answer says that the resource itself, or its group, does not exist.

    A 404 for any other reason is no witness: SubscriptionNotFound is also what an app sees that
    lost its right to read, and then everything would look deleted.
    """
    return error.status_code == 404 and code_of(error) in _GONE_CODES


def _by_status(what: str, error: HttpResponseError) -> Temporary | Permanent:
    status, code = error.status_code or 0, code_of(error)
    message = f"{what}: {status} {code}: {error.message}"
    if status == 429:
        return Temporary(message, retry_after(error.response, _THROTTLED_DELAY))
    if status == 401:
        return Temporary(message, _TOKEN_DELAY)
    busy = code in _BUSY_CODES or code.endswith(_BUSY_ENDING)
    if status in (408, 412) or status >= 500 or busy:
        return Temporary(message, retry_after(error.response, _BUSY_DELAY))
    return Permanent(message, code)
