"""The state that a recording implies: what was there before each exchange, and what had ended.

It is read off the recording alone. A resource that is read, changed or deleted without having been
made in the recording was there; it was as the recording first shows it. Work that an answer shows
to have ended has ended.
"""

import re
from email.utils import parsedate_to_datetime
from itertools import islice, takewhile
from typing import Any

from simulator.azure import Azure
from simulator.faults import Fault
from simulator.resource_ids import normalise, parse
from simulator.resources import remove
from simulator.state import Principal
from tests.support.conformance import seeds
from tests.support.conformance.recordings import DROPPED, Exchange

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

#: How long everything takes that goes on after its answer.
_WORK = 60.0
_LONG = 1e9  # longer than any recording
_AT_WORK = frozenset(
    {
        "inprogress",
        "pending",
        "creating",
        "updating",
        "deleting",
        "running",
        "accepted",
        "scaling",
        "upgrading",
        "starting",
        "stopping",
        "migrating",
    }
)
_GROUP = re.compile(r"/resourcegroups/([^/?]+)", re.IGNORECASE)
_TAGS = re.compile(r"(/.+/providers/.+)/providers/Microsoft\.Resources/tags/default$", re.I)
_ROLES = "/providers/microsoft.authorization/roleassignments"
_POLL = re.compile(r"/(operations|operation\w*results|\w*operation\w*status\w*)/[^/]+$", re.I)
#: Types whose creation Azure answers with 200 (recorded): a PUT with 200 does not show that they
#: were there.
_CREATED_WITH_200 = frozenset(
    {
        "microsoft.eventgrid/systemtopics",
        "microsoft.hybridcompute/machines",
        "microsoft.insights/components",
        "microsoft.insights/metricalerts",
        "microsoft.web/sites",
    }
)
#: Types whose changes Azure answers with 201, too (recorded).
_ALWAYS_201 = frozenset(
    {
        "microsoft.app/containerapps",
        "microsoft.app/jobs",
        "microsoft.eventgrid/topics",
        "microsoft.eventgrid/systemtopics/eventsubscriptions",
    }
)


class Prelude:
    """Brings `azure` into the state before each exchange of one recording."""

    def __init__(self, azure: Azure, recorded: list[Exchange], caller: Principal) -> None:
        self._azure, self._recorded, self._caller = azure, recorded, caller
        self._known: set[str] = set()  # lower-case ids that the recording made or showed
        behaviour = azure.behaviour
        if any("exclusive lock" in str(each.answer) for each in recorded):
            behaviour.app_service_plan_lock_seconds = _LONG
        if not _since(recorded, 2024, 10):
            behaviour.container_app_patch_both_links.clear()
        behaviour.operation_seconds = behaviour.group_delete_seconds = _WORK
        azure.services.directory.grant_permission(caller.object_id, "Directory.ReadWrite.All")

    def before(self, exchange: Exchange) -> Principal:
        """Prepare for an exchange. Who is to send it."""
        azure = self._azure
        if not _at_work(exchange) and not self._beside_work(exchange):
            azure.clock.advance(_WORK)
        azure.faults.clear()
        if exchange.status in (500, 502, 503, 504):
            azure.faults.add(_fault(exchange, acts=not self._created_later(exchange)))
        if exchange.host == "graph.microsoft.com":
            return seeds.directory(azure, exchange, self._caller)
        services = exchange.status == 404 and "x-ms-failure-cause" not in exchange.answer_headers
        azure.behaviour.services_answer_not_found = services
        lags = "/roledefinitions?" in exchange.uri.lower() and exchange.answer == {"value": []}
        azure.behaviour.role_definition_lag_seconds = _LONG if lags else 0.0
        seeds.unlock(azure)
        seeds.gone(azure, exchange)
        self._add_group(exchange)
        seeds.retagged(azure, exchange)
        if _code(exchange) != "FailedIdentityOperation":
            self._add_identities(exchange)
        self._add_principal(exchange)
        if _POLL.search(exchange.path):
            seeds.operation(azure, exchange, self._recorded)
        elif exchange.status < 400:
            self._add_shown(exchange)
            self._add_unrecorded_change(exchange)
        elif _code(exchange) == "RoleAssignmentExists":
            seeds.same_assignment(azure, exchange)
        elif _code(exchange) == "ScopeLocked":
            seeds.lock(azure, exchange)
        return seeds.stranger(azure, exchange) or self._caller

    def _beside_work(self, exchange: Exchange) -> bool:
        """Whether work of the recording goes on meanwhile: it is about something else, and what was
        at work still is when it is next asked for.
        """
        found = self._azure.state.resources.get(normalise(exchange.path).lower())
        settled = found is None or found.provisioning_state in ("Succeeded", "Failed")
        if exchange.method != "GET" or not settled or _POLL.search(exchange.path):
            return False
        following = self._recorded[exchange.index + 1 :]
        reads = takewhile(lambda each: each.method == "GET", following)
        others = (each for each in reads if each.path != exchange.path)
        return any(_at_work(each) for each in islice(others, 1))

    def _created_later(self, exchange: Exchange) -> bool:
        """Whether a request that failed had done nothing; else only its answer was missing."""
        later = self._recorded[exchange.index + 1 :]
        return any(each.path == exchange.path and each.status == 201 for each in later)

    def makes_anew(self, exchange: Exchange) -> bool:
        """Whether what has its id from here on is another than before."""
        parsed = parse(normalise(exchange.path))
        always = parsed is not None and parsed.type.lower() in _ALWAYS_201
        return exchange.method == "DELETE" or (exchange.status == 201 and not always)

    def _add_group(self, exchange: Exchange) -> None:
        match = _GROUP.search(exchange.path)
        if match is None or _code(exchange) == "ResourceGroupNotFound":
            return
        group_id = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{match[1]}"
        name, itself = match[1], exchange.path.lower().endswith(match[0].lower())
        state = self._azure.state
        made_now = itself and exchange.method == "PUT"
        if group_id.lower() not in {*state.resources, *state.deleted_groups} and not made_now:
            seeds.group(self._azure, group_id, name, self._first_of(group_id) or exchange)

    def _first_of(self, resource_id: str) -> Exchange | None:
        """The first answer that shows it."""
        shown = (each for each in self._recorded if _id_of(each) == resource_id.lower())
        return next(shown, None)

    def _add_identities(self, exchange: Exchange) -> None:
        """Those that a request or an answer names as attached, and that nothing made."""
        for block in _blocks([exchange.body, exchange.answer]):
            for identity_id in block:
                if normalise(identity_id).lower() not in self._azure.state.resources:
                    seeds.identity(self._azure, identity_id, self._ids_of(identity_id))

    def _ids_of(self, identity_id: str) -> dict[str, str]:
        for exchange in self._recorded:
            for block in _blocks([exchange.answer]):
                for each, ids in block.items():
                    if each.lower() == identity_id.lower() and ids:
                        return dict(ids)
        return {}

    def _add_principal(self, exchange: Exchange) -> None:
        replicating = _code(exchange) == "PrincipalNotFound"
        self._azure.behaviour.principal_replication_seconds = _LONG if replicating else 0.0
        if _ROLES in exchange.path.lower() and exchange.method == "PUT" and not replicating:
            seeds.role_taker(self._azure, exchange)

    def _add_shown(self, exchange: Exchange) -> None:
        path = normalise(exchange.path)
        rows = exchange.answer.get("value") if isinstance(exchange.answer, dict) else None
        if exchange.method == "GET" and isinstance(rows, list):
            filtered = seeds.tags_of_filter(exchange)
            for row in rows:
                if row != DROPPED:
                    self._add(str(row.get("id", "")), {**filtered, **row})
            return
        if tagged := _TAGS.match(path):  # of any type
            self._add(tagged[1], {"id": tagged[1]})
            return
        if exchange.method == "POST":
            path = path.rpartition("/")[0]
        created = exchange.method == "PUT" and self._creates(exchange, path)
        if created and exchange.status == 201 and path.lower() in self._known:
            self._forget(path)
        if not created and exchange.status != 204:
            shown = self._first_shown(path, exchange)
            self._add(path, shown, written=shown is exchange.answer and exchange.method != "GET")
        self._known.add(path.lower())

    def _add_unrecorded_change(self, exchange: Exchange) -> None:
        """A role assignment that is deleted as something changed it which was not recorded: its
        last change is none that an earlier answer shows.
        """
        shown = exchange.answer if isinstance(exchange.answer, dict) else {}
        changed = shown.get("properties", {}).get("updatedOn")
        before = str([each.answer for each in self._recorded[: exchange.index]])
        if exchange.method == "DELETE" and changed and changed not in before:
            seeds.anything(self._azure, shown["id"], shown)

    def _creates(self, exchange: Exchange, path: str) -> bool:
        parsed = parse(path)
        kind = parsed.type.lower() if parsed else ""
        return exchange.status != 200 or kind in _CREATED_WITH_200

    def _forget(self, path: str) -> None:
        """A service that answers 201 to creations alone made it anew: it had gone meanwhile."""
        parsed = parse(path)
        state = self._azure.state
        if (
            parsed is not None
            and parsed.type.lower() not in _ALWAYS_201
            and path.lower() in state.resources
        ):
            remove(state, path)

    def _first_shown(self, path: str, exchange: Exchange) -> Any:
        """The resource in the first answer that has it."""
        for each in [exchange, *self._recorded[exchange.index :]]:
            same = normalise(each.path).lower() == path.lower()
            if same and isinstance(each.answer, dict) and "id" in each.answer:
                return each.answer
        links = " ".join(each for each in exchange.answer_headers.values() if "/locations/" in each)
        place = re.search(r"/locations/([^/]+)/", links)
        return {"id": path, "location": place[1] if place else "westus"}

    def _add(self, resource_id: str, shown: Any, *, written: bool = False) -> None:
        key = normalise(resource_id).lower()
        if key in self._known:
            return
        self._known.add(key)
        seeds.anything(self._azure, normalise(resource_id), shown, written=written)


def _since(recorded: list[Exchange], year: int, month: int) -> bool:
    """Whether a recording is of that month or of a later one."""
    dates = [each.answer_headers["date"] for each in recorded if "date" in each.answer_headers]
    moments = [parsedate_to_datetime(each) for each in dates]
    return not moments or max(moments).timetuple()[:2] >= (year, month)


def _at_work(exchange: Exchange) -> bool:
    """Whether the answer shows work that has not ended yet."""
    if exchange.method != "GET":
        return False
    if exchange.status == 202:
        return True
    body = exchange.answer if isinstance(exchange.answer, dict) else {}
    properties = body.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return str(state or body.get("status")).lower() in _AT_WORK


def _id_of(exchange: Exchange) -> str:
    answer = exchange.answer if isinstance(exchange.answer, dict) else {}
    return normalise(str(answer.get("id", ""))).lower()


def _fault(exchange: Exchange, *, acts: bool) -> Fault:
    body = exchange.answer if isinstance(exchange.answer, dict) else {}
    error = body.get("error") or {}
    code, message = error.get("code", ""), error.get("message", "")
    return Fault(status=exchange.status, code=code, message=message, acts=acts)


def _code(exchange: Exchange) -> str:
    error = exchange.answer.get("error") if isinstance(exchange.answer, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _blocks(values: list[Any]) -> list[dict[str, Any]]:
    """Every `userAssignedIdentities` in some JSON."""
    found: list[dict[str, Any]] = []
    for value in values:
        if isinstance(value, dict):
            block = value.get("userAssignedIdentities")
            found += [block] if isinstance(block, dict) else []
            found += _blocks(list(value.values()))
        elif isinstance(value, list):
            found += _blocks(value)
    return found
