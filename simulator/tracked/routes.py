"""HTTP face of tracked resources: the operations that most types have, and how work is followed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.arm.long_running import provider_link, status_body
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.operations import LongRunning
from simulator.resources import require
from simulator.state import Resource
from simulator.tracked.conditions import Conditions
from simulator.tracked.errors import operation_not_found
from simulator.tracked.models import Deleted, TrackedResources, Written

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
_EVERY_METHOD = ("PUT", "PATCH", "GET", "DELETE")


@dataclass(frozen=True)
class Style:
    """How a service answers a write whose work goes on.

    `async_operation`: methods that give `azure-asyncoperation` (at `locations/…/{statuses}/{id}`).
    `location`: methods that answer 202 without a body and give `location` (at
    `locations/…/{results}/{id}`). `created`: the status of a PUT that creates.
    """

    namespace: str
    async_operation: frozenset[str] = frozenset()
    location: frozenset[str] = frozenset()
    statuses: str = "operations"
    results: str = "operationResults"
    created: int = 201
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Handlers:
    """The operations on one type."""

    resources: TrackedResources
    style: Style

    def put(self, request: ArmRequest) -> ArmResponse:
        conditions = Conditions.of(request.headers)
        return self.written(
            request,
            self.resources.put(request.path, request.json(), request.caller, conditions),
        )

    def patch(self, request: ArmRequest) -> ArmResponse:
        conditions = Conditions.of(request.headers)
        return self.written(
            request,
            self.resources.patch(request.path, request.json(), request.caller, conditions),
        )

    def get(self, request: ArmRequest) -> ArmResponse:
        resource = require(self.resources.state, request.path)
        return ArmResponse(200, self.resources.show(resource), self._headers(resource))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.resources.list_in(list_scope(request.path))
        rows = [self.resources.show(each) for each in found]
        return page(request, rows, self.resources.state.behaviour.page_size)

    def delete(self, request: ArmRequest) -> ArmResponse:
        deleted = self.resources.delete(request.path, Conditions.of(request.headers))
        if deleted is None:
            return ArmResponse(204)
        return self.deleted(request, deleted)

    def written(self, request: ArmRequest, written: Written) -> ArmResponse:
        """The answer to a PUT or PATCH."""
        resource, work = written.resource, written.work
        headers = {**self._headers(resource), **self._links(request, resource, work)}
        if work is not None and request.method in self.style.location:
            return ArmResponse(202, None, headers, work, resource.id)
        status = self.style.created if written.created else 200
        return ArmResponse(status, self.resources.show(resource), headers, work, resource.id)

    def deleted(self, request: ArmRequest, deleted: Deleted) -> ArmResponse:
        """The answer to a DELETE of something that was there."""
        if deleted.work is None:
            return ArmResponse(200)
        links = self._links(request, deleted.resource, deleted.work)
        return ArmResponse(202, None, links, deleted.work, deleted.resource.id)

    def _headers(self, resource: Resource) -> dict[str, str]:
        etag = {"etag": self.resources.etag(resource)} if self.resources.kind.etag_member else {}
        return {**self.style.headers, **etag}

    def _links(
        self, request: ArmRequest, resource: Resource, work: LongRunning | None
    ) -> dict[str, str]:
        if work is None:
            return {}
        links = {}
        place = self.style.namespace, resource.location or "global"
        if request.method in self.style.async_operation:
            links["azure-asyncoperation"] = provider_link(
                request, *place, self.style.statuses, work
            )
        if request.method in self.style.location:
            links["location"] = provider_link(request, *place, self.style.results, work)
        return links


def operations(
    handle: Handlers,
    versions: tuple[str, ...],
    *,
    methods: tuple[str, ...] = _EVERY_METHOD,
    names: tuple[str, ...] = ("name",),
) -> list[Operation]:
    """PUT, PATCH, GET, DELETE and the lists of one type. `names`: of a template's segments."""
    kind = handle.resources.kind.type
    one = f"{GROUP}/providers/{template_of(kind, names)}"
    every, parent = one.rpartition("/")[0], one.rsplit("/", 2)[0]
    top_level = len(names) == 1
    served = {
        "PUT": (handle.put, f"{kind}/write"),
        "PATCH": (handle.patch, f"{kind}/write"),
        "GET": (handle.get, f"{kind}/read"),
        "DELETE": (handle.delete, f"{kind}/delete"),
    }
    made = [Operation(each, one, *served[each], versions=versions) for each in methods]
    scope = GROUP if top_level else parent
    made.append(Operation("GET", every, handle.list, f"{kind}/read", scope, versions=versions))
    if top_level:
        all_of_it = f"{SUBSCRIPTION}/providers/{kind}"
        read = f"{kind}/read"
        made.append(Operation("GET", all_of_it, handle.list, read, SUBSCRIPTION, versions=versions))
    return made


def template_of(kind: str, names: tuple[str, ...]) -> str:
    """ "Microsoft.Web/sites/{name}/slots/{slot}" of the type and its segments' names."""
    namespace, *types = kind.split("/")
    pairs = [f"{each}/{{{name}}}" for each, name in zip(types, names, strict=True)]
    return "/".join([namespace, *pairs])


def list_scope(path: str) -> str:
    """What a list is of: the subscription or group, or the parent of a nested type."""
    before, _, after = path.rpartition("/providers/")
    parent = after.split("/")[:-1]
    return before if len(parent) == 1 else f"{before}/providers/{'/'.join(parent)}"


def polls(style: Style, resources: TrackedResources, versions: tuple[str, ...]) -> list[Operation]:
    """Where the links of `style` lead."""

    def work_of(request: ArmRequest) -> LongRunning:
        work = resources.operations.get(request.params["id"])
        if work is None:
            raise operation_not_found(request.params["id"])
        return work

    def status(request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, status_body(work_of(request)))

    def result(request: ArmRequest) -> ArmResponse:
        work = work_of(request)
        if work.status == "InProgress":
            return ArmResponse(202, None, {"location": request.url})
        resource = resources.find(work.subject)
        return ArmResponse(200, resources.show(resource)) if resource else ArmResponse(204)

    place = f"{SUBSCRIPTION}/providers/{style.namespace}/locations/{{location}}"
    read = f"{style.namespace}/locations/{{}}/read"
    made = []
    if style.async_operation:
        path, action = f"{place}/{style.statuses}/{{id}}", read.format(style.statuses)
        made.append(Operation("GET", path, status, action, versions=versions, poll=True))
    if style.location:
        path, action = f"{place}/{style.results}/{{id}}", read.format(style.results)
        made.append(Operation("GET", path, result, action, versions=versions, poll=True))
    return made
