"""Resource groups. Deleting one takes time and takes what is inside along."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from simulator.behaviour import GroupDeletion
from simulator.operations import LongRunning, Operations
from simulator.resource_ids import group_id
from simulator.resources import (
    GROUP_TYPE,
    group_being_deleted,
    group_not_found,
    read_location,
    read_tags,
    remove,
    tracked,
)
from simulator.state import Json, Resource, State


@dataclass(frozen=True)
class ResourceGroups:
    """The resource groups of all subscriptions."""

    state: State
    operations: Operations

    def put(self, subscription: str, group: str, body: Json) -> tuple[Resource, bool]:
        """Create, or replace the tags. Returns the group and whether it is new."""
        key = group_id(subscription, group).lower()
        location = read_location(body)
        if existing := self.state.resources.get(key):
            _check_alive(existing)
            extra = {**existing.extra, **_kept(body)}
            updated = replace(existing, tags=read_tags(body), extra=extra)
            self.state.resources[key] = updated
            return updated, False
        made = Resource(
            id=group_id(subscription, group),
            type=GROUP_TYPE,
            name=group,
            location=location,
            tags=read_tags(body),
            properties={},
            extra=_kept(body),
            created_at=self.state.clock.now(),
        )
        self.state.resources[key] = made
        self.state.deleted_groups.discard(key)
        return made, True

    def patch(self, subscription: str, group: str, body: Json) -> Resource:
        """Replace the tags where the body has any."""
        found = self.get(subscription, group)
        _check_alive(found)
        if "tags" in body:
            found = replace(found, tags=read_tags(body))
            self.state.resources[found.id.lower()] = found
        return found

    def get(self, subscription: str, group: str) -> Resource:
        """The group. Raises AzureError 404 `ResourceGroupNotFound`."""
        found = self.find(subscription, group)
        if found is None:
            raise group_not_found(group)
        return found

    def find(self, subscription: str, group: str) -> Resource | None:
        """The group, None where there is none."""
        return self.state.resources.get(group_id(subscription, group).lower())

    def list_in(self, subscription: str) -> Iterator[Resource]:
        """Those of a subscription."""
        prefix = f"/subscriptions/{subscription}/resourcegroups/".lower()
        for key, resource in self.state.resources.items():
            if key.startswith(prefix) and resource.type == GROUP_TYPE:
                yield resource

    def delete(self, subscription: str, group: str, gone: Callable[[str], None]) -> LongRunning:
        """Start the deletion. `gone` is told each id whose deletion raises an event."""
        found = self.get(subscription, group)
        if found.provisioning_state != "Deleting":
            found = replace(found, provisioning_state="Deleting")
            self.state.resources[found.id.lower()] = found
        seconds = self.state.behaviour.group_delete_seconds
        return self.operations.start(seconds, lambda: self._gone(found, gone))

    def _gone(self, group: Resource, gone: Callable[[str], None]) -> None:
        if self.state.resources.get(group.id.lower()) is not group:
            return  # a deletion that this one joined has ended already
        contents = [resource.id for resource in tracked(self.state, group.id)]
        remove(self.state, group.id)
        self.state.deleted_groups.add(group.id.lower())
        events = self.state.behaviour.group_deletion_events
        if events is not GroupDeletion.GROUP_ONLY:
            for resource_id in contents:
                gone(resource_id)
        if events is not GroupDeletion.EACH:
            gone(group.id)


def _kept(body: Json) -> Json:
    """What is shown as it was sent: tags too, where they are `{}` and not left out (recorded)."""
    managed = {"managedBy": body["managedBy"]} if "managedBy" in body else {}
    return {**managed, **({"tags": {}} if body.get("tags") == {} else {})}


def _check_alive(group: Resource) -> None:
    if group.provisioning_state == "Deleting":
        raise group_being_deleted(group.name)


def show(group: Resource) -> Json:
    """The group as ARM answers it."""
    tags = {"tags": group.tags} if group.tags else {}
    return {
        "id": group.id,
        "name": group.name,
        "type": group.type,
        "location": group.location,
        **group.extra,
        **tags,
        "properties": {"provisioningState": group.provisioning_state},
    }
