"""Every failure of an Azure call, by what to do next: Temporary with its delay, or Permanent."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from lanyard.azure.arm.answers import Unreadable
from lanyard.azure.arm.unreachable import in_the_way
from lanyard.values.errors import MAX_ATTEMPTS, MayPass, Permanent, Temporary, Unreachable
from lanyard.values.resource_id import folded

_UNREACHABLE_DELAY = 5.0
_THROTTLED_DELAY = 10.0
_BUSY_DELAY = 5.0
_TOKEN_DELAY = 30.0
# The app's own storage: rights that are still spreading, a table or queue that is being deleted.
_STORAGE_DELAY = 30.0
# Something on the way cut the answer off or put its own page in its place.
_UNREADABLE = "an answer that cannot be read"
# The service broke off, or something before it heard nothing of it: it may have acted.
_UNCERTAIN = {408, 500, 502, 504}
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
# Another write to the same resource is under way, which each service names in its own way, or
# Entra has not replicated a new principal yet: over within an hour, or not at all.
_BUSY_CODES = {
    "Conflict",
    "PreconditionFailed",
    "PrincipalNotFound",
    "ResourceNotReady",
    "RetryableError",
}
_BUSY_ENDING = "OperationInProgress"
# Compute says so of a machine that is being deallocated, and of a quota or a generalized machine
# for ever.
_EITHER_CODES = {"OperationNotAllowed"}
# AKS says the same (409) of a cluster while an operation on it or on one of its node pools goes on,
# which takes minutes and may not show in the cluster's state (terraform-provider-azurerm#28878).
_CLUSTER = "/providers/microsoft.containerservice/managedclusters/"
# What no service takes back within seconds, although it answers 409.
_FINAL_CODES = {
    "MissingSubscriptionRegistration",
    "PropertyChangeNotAllowed",
    "QuotaExceeded",
    "ReadOnlyDisabledSubscription",
    "RoleAssignmentExists",
    "RoleAssignmentLimitExceeded",
    "ScopeLocked",
    "SkuNotAvailable",
}
# How the codes begin or end of operations that did not come to their end, and may the next time
# (Azure/azure-rest-api-specs: common error codes of Compute and Resource Manager; "status" itself
# may be all that is named).
_PASSING_CODE = re.compile(
    r"^(Canceled|Internal|Server|Service|Transient|Retryable|TooManyRequests|5\d\d|429)"
    r"|(Busy|Canceled|Conflict|InternalError|Preempted|Throttled|TimedOut|Timeout|Unavailable)$",
    re.IGNORECASE,
)

# What somebody asks for in a subscription that the app may not read any more is not gone.
_NEVER_GONE = "SubscriptionNotFound"
_GONE_CODES = {
    "ContainerAppNotFound",  # recorded, as is the next
    "ContainerGroupNotFound",
    "NotFound",  # App Service's own code
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
        message = f"{what}: no answer in time"
        raise Temporary(message, _UNREACHABLE_DELAY, uncertain=True) from error
    except Unreadable as error:
        raise Temporary(f"{what}: {error}", error.delay, uncertain=True) from error
    except AzureError as error:
        raise translate(what, error) from error
    except (json.JSONDecodeError, DeserializationError, RecursionError) as error:
        raise Temporary(f"{what}: {_UNREADABLE}", _UNREACHABLE_DELAY, uncertain=True) from error


@contextmanager
def stored(what: str) -> Iterator[None]:
    """As `translated`, for a call to the app's own storage.

    What is missing or forbidden there says nothing about the resource that is worked on: the work
    waits until the storage is repaired. Only a request that can never be right stays Permanent.
    """
    try:
        with translated(what):
            yield
    except (MayPass, Permanent) as error:
        cause = error.__cause__
        if isinstance(cause, HttpResponseError) and cause.status_code in (403, 404, 409, 412):
            raise Temporary(str(error), _STORAGE_DELAY) from cause
        raise


@contextmanager
def written(what: str) -> Iterator[None]:
    """As `translated`, for a write and the looks at it that follow (its polls, the read-back).

    A look that is refused, or finds nothing, says nothing of the write: that stays Temporary, and
    whoever asked for the write plans anew.
    """
    try:
        with translated(what):
            yield
    except Permanent as error:
        cause = error.__cause__
        if (
            isinstance(cause, HttpResponseError)
            and _asked(cause)
            and (cause.status_code or 0) >= 400
        ):
            raise Temporary(str(error), _BUSY_DELAY, uncertain=True) from cause
        raise


def translate(what: str, error: AzureError) -> Temporary | Permanent:
    """The kind of an SDK's failure. Decided by status and Azure's error code, never its text."""
    if isinstance(error, ClientAuthenticationError):
        return Temporary(f"{what}: no token or it was refused: {error.message}", _TOKEN_DELAY)
    if isinstance(error, DecodeError):
        return Temporary(f"{what}: {_UNREADABLE}", _UNREACHABLE_DELAY, uncertain=True)
    if isinstance(error, HttpResponseError) and error.status_code:
        return _by_status(what, error)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        message = f"{what}: {error.message}{in_the_way(error)}"
        # The first of these never reached the server; it counts as uncertain all the same.
        kind = Unreachable if isinstance(error, ServiceRequestError) else Temporary
        return kind(message, _UNREACHABLE_DELAY, uncertain=True)
    return Permanent(f"{what}: {error.message}")


def code_of(error: HttpResponseError) -> str:
    """Azure's error code, or "" where the answer had none.

    App Service answers `{"Code": …, "Message": …}` and AKS `{"code": …, "message": …}` where others
    have an `error` object around it, Tables one of `odata.error`; queues and blobs have a header.
    """
    response = error.response
    headers: Mapping[str, str] = getattr(response, "headers", {})
    in_header = headers.get("x-ms-error-code")
    return str(getattr(error.error, "code", None) or _bare_code(response) or in_header or "")


def codes_of(error: HttpResponseError) -> set[str]:
    """Azure's error code and those of its details: Resource Graph says BadRequest and means one of
    them.
    """
    details = getattr(error.error, "details", None) or []
    return {code_of(error), *(str(getattr(each, "code", "")) for each in details)} - {""}


def _bare_code(response: Any) -> object:
    try:
        body = json.loads(response.text())
    except (AttributeError, LookupError, RecursionError, ValueError):
        return None
    if not isinstance(body, dict):
        return None
    inner = body.get("odata.error")
    return inner.get("code") if isinstance(inner, dict) else body.get("Code")


def retry_after(response: Any, default: float) -> float:
    """The seconds that an answer asks to wait, in any form that Azure's services use.

    `retry-after-ms` and `x-ms-retry-after-ms` count milliseconds; `Retry-After` is seconds or a
    date (RFC 9110), which is counted from the answer's own `Date`. Without one: `default`.
    """
    headers: Mapping[str, str] = getattr(response, "headers", {})
    for name in _MILLISECONDS:
        if (milliseconds := _number(headers.get(name))) is not None:
            return milliseconds / 1000
    asked = headers.get("Retry-After")
    if (seconds := _number(asked)) is not None:
        return seconds
    until = _moment(asked)
    if until is None:
        return default
    now = _moment(headers.get("Date")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def _number(text: str | None) -> float | None:
    """A number of seconds or the like; None for what is none, or no time to wait."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return max(value, 0.0) if math.isfinite(value) else None


def _moment(text: str | None) -> datetime | None:
    """An HTTP date, which is always in GMT."""
    try:
        return parsedate_to_datetime(text or "").replace(tzinfo=UTC)
    except ValueError:
        return None


def is_gone(error: HttpResponseError) -> bool:
    """Whether the answer says that the resource itself, or its group, does not exist.

    A 404 for any other reason proves nothing: SubscriptionNotFound is also what an app sees that
    lost its right to read, and then everything would look deleted. Some services have a code of
    their own, named after the type: for a workflow `WorkflowNotFound` is one, and for nothing else.
    """
    code = code_of(error)
    if error.status_code != 404 or code == _NEVER_GONE:
        return False
    return code in _GONE_CODES or folded(code).endswith(_own_codes(error))


def _own_codes(error: HttpResponseError) -> tuple[str, ...]:
    """What a code ends with, folded, that names a type which stands in the path that was asked: its
    own, or a parent's.
    """
    _, *below = _path(error).split("/providers/")
    types = [part for each in below for part in each.split("/")[1::2]]
    return tuple(f"{each.removesuffix('s')}notfound" for each in types)


def _path(error: HttpResponseError) -> str:
    """What was asked, folded, without its parameters."""
    request = getattr(error.response, "request", None)
    return folded(str(getattr(request, "url", "")).partition("?")[0])


def _by_status(what: str, error: HttpResponseError) -> Temporary | Permanent:
    status, code = error.status_code or 0, code_of(error)
    message = f"{what}: {status} {code}: {_own_text(error)}"
    uncertain = status in _UNCERTAIN or _asked(error)
    if status == 429:
        delay = retry_after(error.response, _THROTTLED_DELAY)
        return Temporary(message, delay, uncertain=uncertain)
    if status == 401:
        return Temporary(message, _TOKEN_DELAY, uncertain=uncertain)
    delay = retry_after(error.response, _BUSY_DELAY)
    if status == 408 or status >= 500:
        return Temporary(message, delay, uncertain=uncertain)
    if _is_busy(error, code):
        return MayPass(message, delay, code, attempts=MAX_ATTEMPTS, uncertain=uncertain)
    if _may_pass(status, code):
        return MayPass(message, delay, code, uncertain=uncertain)
    return Permanent(message, code, uncertain=uncertain)


def _own_text(error: HttpResponseError) -> str:
    """Azure's own message, and those of its details, once each: the SDK's repeats them, with the
    code, over several lines.
    """
    message = getattr(error.error, "message", None)
    if not message:
        return str(error.message)
    details = getattr(error.error, "details", None) or []
    texts = [
        f"{each.code}: {each.message}" for each in details if each.message not in (None, message)
    ]
    return "; ".join(dict.fromkeys([str(message), *texts]))


def _is_busy(error: HttpResponseError, code: str) -> bool:
    """Whether another write goes on, for as long as that may take."""
    status = error.status_code
    at_work = status == HTTPStatus.CONFLICT and code in _EITHER_CODES and _CLUSTER in _path(error)
    busy = code in _BUSY_CODES or code.endswith(_BUSY_ENDING)
    return status == HTTPStatus.PRECONDITION_FAILED or busy or at_work


def _may_pass(status: int, code: str) -> bool:
    """Whether a refusal may be over in seconds: a conflict of which nothing is known, and an
    operation (its answer is 200) that was broken off.
    """
    if code in _EITHER_CODES:
        return True
    if status == HTTPStatus.CONFLICT:
        return code not in _FINAL_CODES
    return status < HTTPStatus.BAD_REQUEST and bool(_PASSING_CODE.search(code))


def _asked(error: HttpResponseError) -> bool:
    """Whether it answers a GET: what follows a write (its polls, the read-back) and fails says
    nothing of whether the write was done.
    """
    request = getattr(error.response, "request", None)
    return getattr(request, "method", "") == "GET"
