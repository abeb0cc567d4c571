"""HTTP face of tracked resources: the operations that most types have, and how work is followed."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace

from simulator.arm.long_running import link_below, provider_link, status_body
from simulator.arm.messages import ArmRequest, ArmResponse, Budget, Operation
from simulator.arm.paging import page
from simulator.operations import LongRunning
from simulator.state import Json, Resource
from simulator.tracked.conditions import Conditions
from simulator.tracked.errors import operation_not_found
from simulator.tracked.models import Deleted, TrackedResources, Written

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
_EVERY_METHOD = ("PUT", "PATCH", "GET", "DELETE")


type Status = Callable[[ArmRequest, LongRunning], Json]


def _plain_status(_request: ArmRequest, work: LongRunning) -> Json:
    return status_body(work)


@dataclass(frozen=True)
class Style:
    """How a service answers: its statuses and headers, and how work that goes on is followed."""

    namespace: str
    _: KW_ONLY
    #: Methods that give `azure-asyncoperation`, at `locations/…/{statuses}/{id}`.
    async_operation: frozenset[str] = frozenset()
    #: Methods that answer 202 without a body and give `location`, at `locations/…/{results}/{id}`,
    location: frozenset[str] = frozenset()
    #: or at `{resource}/{results}/{id}` where this is on.
    results_below: bool = False
    statuses: str = "operations"
    results: str = "operationResults"
    #: What `azure-asyncoperation` shows.
    status: Status = _plain_status
    #: The status of a PUT that creates, and of one that changes.
    created: int = 201
    updated: int = 200
    #: Whether a PUT that creates gives the resource's own address as `location`.
    located: bool = False
    #: Whether a deletion that ends at once answers with what was deleted.
    shows_deleted: bool = False
    #: Whether a PUT says for how long its work may go on (`x-ms-async-operation-timeout`).
    timeout: str = ""
    #: On every answer.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The api-version since which there are ETags, "" where there always were.
    etag_since: str = ""
    #: By method, the quota that answers show; by the method's kind where it is not here.
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    #: By method, the names of Compute's buckets.
    quotas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
        resource = self.resources.require(request.path)
        return ArmResponse(200, self.shown(request, resource), self._headers(request, resource))

    def list(self, request: ArmRequest) -> ArmResponse:
        found = self.resources.list_in(list_scope(request.path))
        rows = [self.shown(request, each) for each in found]
        return page(request, rows, self.resources.state.behaviour.page_size)

    def delete(self, request: ArmRequest) -> ArmResponse:
        deleted = self.resources.delete(request.path, Conditions.of(request.headers))
        if deleted is None:
            return ArmResponse(204)
        return self.deleted(request, deleted)

    def written(self, request: ArmRequest, written: Written) -> ArmResponse:
        """The answer to a PUT or PATCH."""
        resource, work = written.resource, written.work
        links = self.links(request, resource, work)
        if work is not None and request.method in self.style.location:
            return ArmResponse(202, None, {**self.style.headers, **links}, work, resource.id)
        if work is not None and self.style.timeout and request.method == "PUT":
            links["x-ms-async-operation-timeout"] = self.style.timeout
        if written.created and self.style.located:
            links["location"] = f"{request.base_url}{resource.id}?api-version={request.api_version}"
        status = self.style.created if written.created else self.updated_status(request)
        headers = {**self._headers(request, resource), **links}
        return ArmResponse(status, self.shown(request, resource), headers, work, resource.id)

    def updated_status(self, request: ArmRequest) -> int:
        """Of a write to what was there."""
        return self.style.updated if request.method == "PUT" else 200

    def deleted(self, request: ArmRequest, deleted: Deleted) -> ArmResponse:
        """The answer to a DELETE of something that was there."""
        if deleted.work is None:
            gone = self.shown(request, deleted.resource) if self.style.shows_deleted else None
            return ArmResponse(200, gone, self._headers(request, deleted.resource))
        links = self.links(request, deleted.resource, deleted.work)
        return ArmResponse(202, None, links, deleted.work, deleted.resource.id)

    def _headers(self, request: ArmRequest, resource: Resource) -> dict[str, str]:
        has_etag = self.resources.kind.etag_member or self.resources.has_etag_header(resource)
        if not has_etag or not self._shows_etag(request):
            return dict(self.style.headers)
        return {**self.style.headers, "etag": self.resources.etag(resource)}

    def shown(self, request: ArmRequest, resource: Resource) -> Json:
        """The resource as this request is to see it."""
        body = self.resources.show(resource)
        if not self._shows_etag(request):
            body.pop(self.resources.kind.etag_member, None)
        return body

    def _shows_etag(self, request: ArmRequest) -> bool:
        return request.api_version >= self.style.etag_since

    def links(
        self, request: ArmRequest, resource: Resource, work: LongRunning | None
    ) -> dict[str, str]:
        """Where the work that goes on can be followed."""
        if work is None:
            return {}
        links = {}
        place = self.style.namespace, resource.location or "global"
        if self.gives_async_operation(request):
            links["azure-asyncoperation"] = provider_link(
                request, *place, self.style.statuses, work
            )
        if request.method in self.style.location and self.style.results_below:
            links["location"] = link_below(request, resource.id, self.style.results, work)
        elif request.method in self.style.location:
            links["location"] = provider_link(request, *place, self.style.results, work)
        return links

    def gives_async_operation(self, request: ArmRequest) -> bool:
        """Whether this write's answer has `azure-asyncoperation`."""
        return request.method in self.style.async_operation


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
    budgets = handle.style.budgets
    made = [
        replace(
            Operation(each, one, *served[each], versions=versions),
            budget=budgets.get(each, Budget.METHOD),
            quota=handle.style.quotas.get(each, ()),
        )
        for each in methods
    ]
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


def polls(handle: Handlers, *, names: tuple[str, ...] = ("name",)) -> list[Operation]:
    """Where the links of its style lead, in any api-version: some links name another than asked.
    `names` are of the path's segments.
    """
    style, resources = handle.style, handle.resources

    def work_of(request: ArmRequest) -> LongRunning:
        work = resources.operations.get(request.params["id"])
        if work is None:
            raise operation_not_found(request.params["id"])
        return work

    def status(request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, style.status(request, work_of(request)))

    def result(request: ArmRequest) -> ArmResponse:
        work = work_of(request)
        if work.status == "InProgress":
            return ArmResponse(202, None, {"location": request.url})
        resource = resources.find(work.subject)
        if resource is None:
            return ArmResponse(204)
        return handle.get(replace(request, path=resource.id))

    place = f"{SUBSCRIPTION}/providers/{style.namespace}/locations/{{location}}"
    read = f"{style.namespace}/locations/{{}}/read"
    made = []
    if style.async_operation:
        path, action = f"{place}/{style.statuses}/{{id}}", read.format(style.statuses)
        made.append(Operation("GET", path, status, action, poll=True))
    if style.location:
        path, action = f"{place}/{style.results}/{{id}}", read.format(style.results)
        if style.results_below:
            one = template_of(resources.kind.type, names)
            path = f"{GROUP}/providers/{one}/{style.results}/{{id}}"
            action = f"{resources.kind.type}/{style.results}/read"
        made.append(Operation("GET", path, result, action, poll=True))
    return made
