"""What the services see of HTTP: a request already authenticated, and the answer to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any

from simulator.errors import AzureError
from simulator.operations import LongRunning
from simulator.state import Json


@dataclass(frozen=True)
class Caller:
    """Who asks: `object_id` is the principal's, `client_id` the application's."""

    object_id: str
    client_id: str
    claims: Mapping[str, str]


@dataclass(frozen=True)
class ArmRequest:
    """`path` is normalised; `params` are the template's; header names are in lower case.

    `base_url` is scheme and host as the client used them: absolute links are built from it.
    """

    method: str
    path: str
    base_url: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    params: Mapping[str, str]
    caller: Caller
    api_version: str
    correlation_id: str
    client_request_id: str

    def json(self) -> Json:
        """The body, which must be an object. Raises AzureError 400 `InvalidRequestContent`."""
        if not isinstance(self.body, dict):
            raise AzureError(
                400,
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: an object is "
                "expected.",
            )
        return self.body


@dataclass(frozen=True)
class ArmResponse:
    """`work` is set where the request was accepted and goes on; `resource_id` names the subject of
    the activity where the request's own path does not."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    work: LongRunning | None = None
    resource_id: str | None = None


@dataclass(frozen=True)
class Attributes:
    """What a role assignment's condition may look at, by attribute name.

    `known` is False where the thing to judge does not exist: conditions then do not count.
    """

    request: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    known: bool = True


type Handler = Callable[[ArmRequest], ArmResponse | Awaitable[ArmResponse]]


class Budget(StrEnum):
    """Which quota headers of ARM's the answer carries (recorded)."""

    METHOD = "method"  # of reads, writes or deletes, by the method
    READ = "read"  # of reads, whatever the method
    RESOURCE = "resource"  # "…-resource-requests" instead of the writes
    WINDOWS = "windows"  # "…-resource-requests-pt5m" and "-pt1h" beside those of the method


@dataclass(frozen=True)
class Operation:
    """One operation of one service."""

    method: str
    #: The path, with `{name}` for a segment and `{name:path}` for any number of them.
    template: str
    handler: Handler
    #: The RBAC action, with `{name}` for what the path has there; None where signing in is enough.
    action: str | None
    #: A template of the scope at which that is checked; the request's path when None.
    scope: str | None = None
    #: The api-versions it takes; any when empty.
    versions: tuple[str, ...] = ()
    #: What conditions see.
    attributes: Callable[[ArmRequest], Attributes] | None = None
    _: KW_ONLY
    #: Names of Compute's buckets.
    quota: tuple[str, ...] = ()
    #: False for what ARM's token buckets leave out.
    counted: bool = True
    budget: Budget = Budget.METHOD
    #: Whether the handler itself publishes what happened.
    told: bool = False
    #: Whether a long-running operation is followed by it: a switch says whether its action is asked
    #: for.
    poll: bool = False

    def asks(self, request: ArmRequest) -> str | None:
        """The RBAC action that this request is asked for."""
        return None if self.action is None else self.action.format(**request.params)
