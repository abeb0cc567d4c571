"""HTTP face of Microsoft.Resources: subscriptions, resource groups, tags, all resources."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.arm.activities import activity
from simulator.arm.guard import authorization_failed
from simulator.arm.long_running import (
    GROUP_RETRY_AFTER,
    group_result,
    group_result_location,
    job_id,
)
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.arm.paging import page
from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.operations import Operations
from simulator.resource_groups import providers, tags
from simulator.resource_groups.filters import resource_filter
from simulator.resource_groups.models import ResourceGroups, show
from simulator.resource_groups.moves import Moves
from simulator.resource_ids import group_id
from simulator.resources import tracked
from simulator.state import Json, Resource, State, Subscription

_READ = "Microsoft.Resources/subscriptions/read"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_ALL = "Microsoft.Resources/subscriptions/resources/read"

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
VERSIONS = (
    *("2014-04-01", "2015-01-01", "2015-11-01", "2016-02-01", "2016-06-01", "2016-09-01"),
    *("2017-05-10", "2018-02-01", "2018-05-01", "2019-03-01", "2019-05-01", "2019-05-10"),
    *("2019-06-01", "2019-07-01", "2019-08-01", "2019-10-01", "2019-11-01", "2020-01-01"),
    *("2020-06-01", "2020-08-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01"),
    *("2022-12-01", "2023-07-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-03-01"),
    *("2025-04-01",),
)


@dataclass(frozen=True)
class _Handlers:
    groups: ResourceGroups
    operations: Operations
    access: Access
    moves: Moves

    @property
    def state(self) -> State:
        return self.groups.state

    def put(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        group, created = self.groups.put(params["subscription"], params["group"], request.json())
        return ArmResponse(201 if created else 200, show(group), resource_id=group.id)

    def patch(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        group = self.groups.patch(params["subscription"], params["group"], request.json())
        return ArmResponse(200, show(group), resource_id=group.id)

    def get(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        return ArmResponse(200, show(self.groups.get(params["subscription"], params["group"])))

    def head(self, request: ArmRequest) -> ArmResponse:
        params = request.params
        if self.groups.find(params["subscription"], params["group"]) is None:
            return ArmResponse(404, headers={"x-ms-failure-cause": "gateway"})
        return ArmResponse(204)

    def list(self, request: ArmRequest) -> ArmResponse:
        subscription = request.params["subscription"]
        wanted = resource_filter(request.query.get("$filter"))
        reads = self._reads(request, f"/subscriptions/{subscription}", f"{_GROUPS}/read")
        found = [
            show(each)
            for each in self.groups.list_in(subscription)
            if wanted(each) and reads(each, f"{_GROUPS}/read")
        ]
        return page(request, found, self.state.behaviour.page_size)

    def delete(self, request: ArmRequest) -> ArmResponse:
        def gone(resource_id: str) -> None:
            self._publish(request, f"{_type_of(resource_id)}/delete", resource_id)

        params = request.params
        work = self.groups.delete(params["subscription"], params["group"], gone)
        accepted = group_result(request, work, self.state.clock.now())
        return replace(accepted, work=work)

    def move(self, request: ArmRequest) -> ArmResponse:
        """Needs a right at the target, too. Which events it raises is not documented: here a delete
        at the old id, a write at the new one, and the action itself.
        """

        def ended(moved: list[tuple[str, str]]) -> None:
            for old, new in moved:
                self._publish(request, f"{_type_of(old)}/delete", old)
                self._publish(request, f"{_type_of(new)}/write", new)
            self._publish(request, f"{_GROUPS}/moveResources/action", source)

        params, body = request.params, request.json()
        source = group_id(params["subscription"], params["group"])
        target, write = str(body.get("targetResourceGroup")), f"{_GROUPS}/write"
        if not self.access.allowed(request.caller.object_id, write, target):
            raise authorization_failed(request.caller, write, target)
        work = self.moves.start(source, body, ended)
        location = group_result_location(request, work, self.state.clock.now())
        headers = {"location": location, "retry-after": GROUP_RETRY_AFTER}
        return ArmResponse(202, None, headers, work=work)

    def _publish(self, request: ArmRequest, action: str, resource_id: str) -> None:
        self.state.publish(activity(request, action, resource_id, self.state.clock.now()))

    def result(self, request: ArmRequest) -> ArmResponse:
        work = self.operations.get(job_id(request.params["job"]))
        if work is None:
            raise AzureError(404, "JobNotFound", "The job could not be found.")
        done = 204 if work.id in self.moves.started else 200
        return group_result(request, work, self.state.clock.now(), done=done)

    def resources(self, request: ArmRequest) -> ArmResponse:
        wanted = resource_filter(request.query.get("$filter"))
        # "When you filter by a tag name and value, the tags … are not returned" (reference).
        by_tag = "tagname" in request.query.get("$filter", "").lower()
        scope = request.path.rpartition("/")[0]
        reads = self._reads(request, scope, _ALL)
        found = [
            _generic(each, tagged=not by_tag)
            for each in tracked(self.state, scope)
            if wanted(each) and reads(each, f"{each.type}/read")
        ]
        return page(request, found, self.state.behaviour.page_size)

    def _reads(
        self, request: ArmRequest, scope: str, action: str
    ) -> Callable[[Resource, str], bool]:
        """What of a listing the caller gets: all with `action` at `scope`, else what it may read.

        ARM itself lists groups and resources and leaves out the rest; the listings of the providers
        refuse instead. Raises AzureError 403 where the caller has no role at all in the scope.
        """
        caller = request.caller
        if self.access.allowed(caller.object_id, action, scope):
            return lambda _resource, _action: True
        if not self.access.sees(caller.object_id, scope):
            raise authorization_failed(caller, action, scope)
        return lambda each, read: self.access.allowed(caller.object_id, read, each.id)

    def subscriptions(self, request: ArmRequest) -> ArmResponse:
        """Those in which the caller may read anything at all."""
        oid = request.caller.object_id
        mine = [
            _show_subscription(each, self.state.tenant_id)
            for each in self.state.subscriptions.values()
            if self.access.sees(oid, f"/subscriptions/{each.id}")
        ]
        return ArmResponse(200, {"value": mine, "count": {"type": "Total", "value": len(mine)}})

    def subscription(self, request: ArmRequest) -> ArmResponse:
        found = self.state.subscriptions[request.params["subscription"].lower()]
        return ArmResponse(200, _show_subscription(found, self.state.tenant_id))


def operations(
    groups: ResourceGroups,
    running: Operations,
    access: Access,
    served: Callable[[], list[Operation]],
) -> list[Operation]:
    """All operations of Microsoft.Resources. `served`: every operation of ARM when asked."""
    handle = _Handlers(groups, running, access, Moves(groups.state, running))
    results = f"{_SUBSCRIPTION}/operationresults/{{job}}"
    made = [
        Operation("GET", "/subscriptions", handle.subscriptions, None),
        Operation("GET", _SUBSCRIPTION, handle.subscription, _READ),
        Operation("PUT", _GROUP, handle.put, f"{_GROUPS}/write"),
        Operation("PATCH", _GROUP, handle.patch, f"{_GROUPS}/write"),
        Operation("GET", _GROUP, handle.get, f"{_GROUPS}/read"),
        Operation("HEAD", _GROUP, handle.head, f"{_GROUPS}/read"),
        Operation("DELETE", _GROUP, handle.delete, f"{_GROUPS}/delete", told=True),
        Operation(
            "POST",
            f"{_GROUP}/moveResources",
            handle.move,
            f"{_GROUPS}/moveResources/action",
            _GROUP,
            told=True,
        ),
        Operation("GET", f"{_SUBSCRIPTION}/resourceGroups", handle.list, None),
        Operation("GET", results, handle.result, None),
        Operation("GET", f"{_SUBSCRIPTION}/resources", handle.resources, None),
        Operation("GET", f"{_GROUP}/resources", handle.resources, None),
        *tags.operations(groups.state),
        *providers.operations(served, groups.state),
    ]
    return [replace(operation, versions=VERSIONS) for operation in made]


def _generic(resource: Resource, *, tagged: bool) -> Json:
    """What the listing of all resources shows: no properties."""
    body: Json = {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "location": resource.location,
        **({"tags": resource.tags} if tagged else {}),
        **{key: resource.extra[key] for key in ("kind", "sku", "zones") if key in resource.extra},
    }
    return body | ({"identity": resource.identity} if resource.identity else {})


def _show_subscription(subscription: Subscription, tenant_id: str) -> Json:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant or tenant_id,
        "displayName": subscription.display_name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": tenant_id}] if subscription.tenant else [],
    }


def _type_of(resource_id: str) -> str:
    parts = resource_id.strip("/").split("/")
    if len(parts) <= 4:
        return "Microsoft.Resources/subscriptions/resourceGroups"
    return "/".join([parts[5], *parts[6::2]])
