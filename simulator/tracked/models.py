"""Resources that are put, patched and deleted: their identities, states and ETags.

A service makes a `Kind` and, where values do not say it, a subclass that overrides the hooks at the
end of `TrackedResources`.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from simulator.arm.messages import Caller
from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.managed_identity.attach import Attacher
from simulator.operations import LongRunning, Operations
from simulator.resource_groups.providers import LOCATIONS
from simulator.resource_ids import parse
from simulator.resources import (
    check_location,
    inside,
    not_found,
    read_location,
    read_properties,
    read_tags,
    remove,
    render,
    require,
)
from simulator.state import Json, Resource, State
from simulator.times import utc_z
from simulator.tracked import errors
from simulator.tracked.conditions import UNCONDITIONAL, Conditions
from simulator.tracked.kind import Casing, Kind, Untagged

_ENDED = frozenset({"Succeeded", "Failed", "Canceled"})
#: How services write a location that write it for people.
_DISPLAY: Mapping[str, str] = {"global": "Global", **LOCATIONS}


@dataclass(frozen=True)
class Written:
    """A write; `work` is None where it ended with the answer. `resource` is as answered."""

    resource: Resource
    work: LongRunning | None
    created: bool


@dataclass(frozen=True)
class Deleted:
    """A deletion; `work` is None where it ended with the answer."""

    resource: Resource
    work: LongRunning | None


class TrackedResources:
    """All resources of one type."""

    def __init__(self, state: State, operations: Operations, access: Access, kind: Kind) -> None:
        self.state = state
        self.operations = operations
        self.kind = kind
        self.attacher = Attacher(state, access, f"{kind.type}/write", kind.rules)

    def put(
        self, resource_id: str, body: Json, caller: Caller, conditions: Conditions = UNCONDITIONAL
    ) -> Written:
        """Create, or replace properties and tags. A body without `identity` keeps the identity."""
        existing = self.find(resource_id)
        self._check_conditions(existing, conditions)
        if existing is not None:
            return self._update(existing, body, caller, "PUT")
        self._check_parent(resource_id)
        return self._write(self._new(resource_id, body), body, caller, "PUT", created=True)

    def patch(
        self, resource_id: str, body: Json, caller: Caller, conditions: Conditions = UNCONDITIONAL
    ) -> Written:
        """Merge; tags are replaced as a whole."""
        existing = require(self.state, resource_id)
        self._check_conditions(existing, conditions)
        if self.kind.patches_tags_only:
            body = {"tags": body["tags"]} if "tags" in body else {}
        return self._update(existing, body, caller, "PATCH")

    def delete(self, resource_id: str, conditions: Conditions = UNCONDITIONAL) -> Deleted | None:
        """Delete, or join the deletion under way. None where there is no such resource."""
        resource = self.find(resource_id)
        if resource is None:
            return None
        self._check_conditions(resource, conditions)
        if not self.takes_time("DELETE", resource):
            remove(self.state, resource.id)
            return Deleted(resource, None)
        deleting = replace(resource, provisioning_state="Deleting")
        self.store(deleting)
        work = self._start(deleting.id, lambda: self._gone(deleting.id))
        return Deleted(deleting, work)

    def find(self, resource_id: str) -> Resource | None:
        """The resource, None where there is none."""
        return self.state.resources.get(resource_id.lower())

    def require(self, resource_id: str) -> Resource:
        """The resource. Raises AzureError 404: ARM's, or by a switch the service's own."""
        found = self.find(resource_id)
        if found is None and self.state.behaviour.services_answer_not_found:
            raise self.not_found_error(resource_id)
        if found is None:
            raise not_found(resource_id, self.kind.casing.registered)
        return found

    def list_in(self, scope: str) -> list[Resource]:
        """Those of this type below a subscription, a resource group or a parent."""
        return list(inside(self.state, scope, self.kind.type))

    def etag(self, resource: Resource) -> str:
        """Quoted, as in body and header."""
        return f'"{resource.etag}"'

    def show(self, resource: Resource) -> Json:
        """The resource as ARM answers it."""
        body = render(resource)
        if not self.kind.located:
            del body["location"], body["tags"]
        elif self.kind.display_location:
            body["location"] = _DISPLAY.get(resource.location, resource.location)
        if self.kind.etag_member:
            body[self.kind.etag_member] = self.etag(resource)
        if self.kind.system_data and resource.system_data is not None:
            body["systemData"] = resource.system_data
        return self._cased(body)

    def _cased(self, body: Json) -> Json:
        """Tags, type and id as the service writes them."""
        casing = self.kind.casing
        if not body.get("tags", True) and self.kind.untagged is not Untagged.EMPTY:
            body["tags"] = None
            if self.kind.untagged is Untagged.ABSENT:
                del body["tags"]
        body["type"] = casing.type or body["type"]
        body["id"] = written_id(body["id"], self.kind.type, casing)
        return body

    def store(self, resource: Resource) -> None:
        """Put it in the place of what had its id."""
        self.state.resources[resource.id.lower()] = resource

    def _update(self, existing: Resource, body: Json, caller: Caller, method: str) -> Written:
        self._check_writable(existing)
        if self.kind.located:
            check_location(existing, body)
        return self._write(existing, body, caller, method, created=False)

    def _new(self, resource_id: str, body: Json) -> Resource:
        parsed = parse(resource_id)
        return Resource(
            id=resource_id,
            type=self.kind.type,
            name=parsed.name if parsed else "",
            location=read_location(body) if self.kind.located else "",
            tags={},
            properties=self.born(resource_id, body),
            created_at=self.state.clock.now(),
            shows_state=self.kind.shows_state,
            graph_table=self.kind.graph_table,
            etag=0,
        )

    def _write(
        self, base: Resource, body: Json, caller: Caller, method: str, *, created: bool
    ) -> Written:
        merge = method == "PATCH"
        wanted = self.attacher.plan(base.id, base.identity, body, caller, merge=merge)
        self.check(base, body, created=created)
        written = replace(
            base,
            tags=read_tags(body) if "tags" in body or not merge else base.tags,
            properties=self.properties(base, read_properties(body), merge=merge),
            extra=base.extra | {key: body[key] for key in self.kind.top_level if key in body},
            etag=base.etag + 1,
        )
        slow = self.takes_time(method, written)
        running = self.kind.creating if created else self.at_work(base, written)
        written = replace(written, provisioning_state=running if slow else "Succeeded")
        identity = self.attacher.accepted(base.id, _principal_name(base.id), base.identity, wanted)
        changed = self._signed(replace(written, identity=identity), caller)
        self.store(self.written(base, changed, body))
        stored = self.state.resources[written.id.lower()]
        work = self._finish(stored.id, stored.etag, slow=slow)
        return Written(self.state.resources[written.id.lower()], work, created)

    def _signed(self, resource: Resource, caller: Caller) -> Resource:
        """With who wrote it, where its type shows that."""
        if not self.kind.system_data:
            return resource
        now = utc_z(self.state.clock.now())
        person = caller.claims.get("upn")
        by = {"By": person or caller.client_id, "ByType": "User" if person else "Application"}
        last = {f"lastModified{key}": value for key, value in by.items()} | {"lastModifiedAt": now}
        first = resource.system_data or {f"created{k}": v for k, v in by.items()} | {
            "createdAt": now
        }
        return replace(resource, system_data={**first, **last})

    def _finish(self, resource_id: str, etag: int, *, slow: bool) -> LongRunning | None:
        def finish() -> None:
            current = self.find(resource_id)
            # A later write or a deletion that is under way ends in this one's place.
            if current is None or current.etag != etag or current.provisioning_state == "Deleting":
                return
            identity = self.attacher.completed(current.identity)
            done = replace(current, identity=identity, provisioning_state="Succeeded")
            self.store(done)
            self.completed(done)

        if slow:
            return self._start(resource_id, finish)
        finish()
        return None

    def _start(self, resource_id: str, finish: Callable[[], None]) -> LongRunning:
        seconds = self.state.behaviour.operation_seconds
        return self.operations.start(seconds, finish, subject=resource_id)

    def _gone(self, resource_id: str) -> None:
        current = self.find(resource_id)
        # Not where another deletion was quicker, or the resource was made anew since.
        if current is not None and current.provisioning_state == "Deleting":
            remove(self.state, current.id)

    def _check_conditions(self, existing: Resource | None, conditions: Conditions) -> None:
        if self.kind.etag_member:
            conditions.check(self.etag(existing) if existing else None)

    def _check_parent(self, resource_id: str) -> None:
        parent = resource_id.rsplit("/", 2)[0]
        if self.kind.type.count("/") > 1 and parent.lower() not in self.state.resources:
            raise errors.parent_not_found(self.kind.type, parent)

    def _check_writable(self, resource: Resource) -> None:
        if resource.provisioning_state == "Deleting":
            raise self.deleting_error(resource)
        busy = resource.provisioning_state not in _ENDED
        if busy and self.state.behaviour.conflict_while_updating:
            raise self.busy_error(resource)

    # Hooks: what a service overrides.

    def takes_time(self, method: str, resource: Resource) -> bool:  # noqa: ARG002
        """Whether the work of a method on it goes on after the answer."""
        return method in self.kind.slow

    def at_work(self, before: Resource, after: Resource) -> str:  # noqa: ARG002
        """The state while a change is under way."""
        return self.kind.updating

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """The read-only properties of a new resource."""
        return {}

    def check(self, base: Resource, body: Json, *, created: bool) -> None:
        """Refuse a body by an AzureError, before anything has changed."""

    def properties(self, base: Resource, sent: Json, *, merge: bool) -> Json:
        """What the properties become."""
        kept = (*self.kind.read_only, *self.kind.lasting)
        own = {k: v for k, v in base.properties.items() if k in kept}
        set_by_service = (*self.kind.read_only, "provisioningState")
        empty = {k for k in self.kind.lasting if sent.get(k) in (None, "", {})}
        lasting = {k for k in empty if base.properties.get(k)}
        free = {k: v for k, v in sent.items() if k not in set_by_service and k not in lasting}
        return merged(base.properties, free) if merge else {**own, **free}

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:  # noqa: ARG002
        """What is stored of a write; the ETag of `before` is 0 where it is new."""
        return after

    def completed(self, resource: Resource) -> None:
        """What happens beside, once a write has ended."""

    def deleting_error(self, resource: Resource) -> AzureError:
        """To a write during a deletion."""
        return errors.being_deleted(resource)

    def not_found_error(self, resource_id: str) -> AzureError:
        """The service's own 404, where ARM leaves it to the service."""
        return not_found(resource_id)

    def has_etag_header(self, resource: Resource) -> bool:  # noqa: ARG002
        """Whether its ETag is in the header alone."""
        return self.kind.etag_header

    def busy_error(self, resource: Resource) -> AzureError:
        """To a write during another one, where `conflict_while_updating` is on."""
        return errors.in_progress(resource)


def written_id(resource_id: str, kind: str, casing: Casing) -> str:
    """An id as its service writes it."""
    before, _, rest = resource_id.partition("/providers/")
    if casing.group:
        parts = before.split("/")
        before = "/".join([*parts[:3], casing.group, *parts[4:]])
    namespace_and_type = "/".join(kind.split("/")[:2])
    if casing.path and rest.lower().startswith(f"{namespace_and_type}/".lower()):
        rest = casing.path + rest[len(namespace_and_type) :]
    return f"{before}/providers/{rest}"


def merged(old: Json, new: Mapping[str, object]) -> Json:
    """`new` merged into `old` as by a PATCH: objects member by member, lists as a whole."""
    result = copy.deepcopy(old)
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        elif value is not None:
            result[key] = copy.deepcopy(value)
    return result


def _principal_name(resource_id: str) -> str:
    """A system-assigned principal's display name: "app1", or "app1/slots/staging"."""
    return resource_id.rpartition("/providers/")[2].split("/", 2)[-1]
