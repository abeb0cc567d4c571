"""The activity log of a subscription: the deletions in it, which is what is asked for."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.authorization.assignments import TYPE as ASSIGNMENT_TYPE
from simulator.errors import gateway_error
from simulator.resources import GROUP_TYPE
from simulator.state import Json, Resource, RoleAssignment, State
from simulator.times import utc_z

_PATH = "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_FILTER = re.compile(
    r"eventTimestamp ge '([^']*)' and eventTimestamp le '([^']*)' "
    r"and resourceUri eq '((?:[^']|'')*)'",
    re.IGNORECASE,
)
#: As the log writes the type of a group.
_TYPES = {GROUP_TYPE: "Microsoft.Resources/subscriptions/resourcegroups"}


@dataclass(frozen=True)
class _Deletion:
    resource_id: str
    type: str
    at: float


class ActivityLog:
    """What was deleted, whoever did it. An assignment that goes with its scope is no operation of
    its own.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._deleted: defaultdict[str, list[_Deletion]] = defaultdict(list)  # by lower-case id
        state.resources.observe(self._watch_resources)
        state.role_assignments.observe(self._watch_assignments)

    def deletions(self, resource_id: str, since: float, until: float) -> Iterator[Json]:
        """Those of exactly this resource, the oldest first."""
        for each in self._deleted.get(resource_id.lower(), ()):
            if since <= each.at <= until:
                yield _shown(each)

    def _watch_resources(self, _key: str, before: Resource | None, after: Resource | None) -> None:
        if before is not None and after is None:
            self._note(before.id, _TYPES.get(before.type, before.type))

    def _watch_assignments(
        self, _key: str, before: RoleAssignment | None, after: RoleAssignment | None
    ) -> None:
        if before is not None and after is None and not self._goes_along(before.scope):
            self._note(before.id, ASSIGNMENT_TYPE)

    def _goes_along(self, scope: str) -> bool:
        """Whether a scope, or what it lies in, is deleted at this moment."""
        parts, now = scope.lower().split("/"), self._state.clock.now()
        holders = ("/".join(parts[:end]) for end in range(5, len(parts) + 1, 2))
        return any(self._deleted[one][-1].at == now for one in holders if one in self._deleted)

    def _note(self, resource_id: str, kind: str) -> None:
        deletion = _Deletion(resource_id, kind, self._state.clock.now())
        self._deleted[resource_id.lower()].append(deletion)


def _shown(deletion: _Deletion) -> Json:
    operation = f"{deletion.type}/delete"
    return {
        "resourceId": deletion.resource_id,
        "operationName": {"value": operation, "localizedValue": operation},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "eventTimestamp": utc_z(deletion.at),
    }


@dataclass(frozen=True)
class _Handlers:
    state: State
    log: ActivityLog

    def list(self, request: ArmRequest) -> ArmResponse:
        wanted = _FILTER.fullmatch(request.query.get("$filter") or "")
        if wanted is None:
            raise gateway_error(400, "BadRequest", "The filter of the query is not valid.")
        since, until = (datetime.fromisoformat(moment).timestamp() for moment in wanted.group(1, 2))
        resource = wanted[3].replace("''", "'")  # as OData writes one in a text
        rows = list(self.log.deletions(resource, since, until))
        return page(request, rows, self.state.behaviour.page_size)


def operations(state: State) -> list[Operation]:
    """The one operation: a list of events between two moments, of one resource."""
    handle = _Handlers(state, ActivityLog(state))
    action = "Microsoft.Insights/eventtypes/values/read"
    return [Operation("GET", _PATH, handle.list, action, _SUBSCRIPTION, ("2015-04-01",))]
