"""Web and function apps: synchronous, no ETag; an identity PATCH merges as a machine's does."""

from dataclasses import dataclass, replace

from simulator.arm.messages import Caller
from simulator.managed_identity.attach import Attacher
from simulator.resource_ids import group_id
from simulator.resources import (
    check_location,
    inside,
    read_location,
    read_properties,
    read_tags,
    remove,
    render,
    require,
)
from simulator.state import Json, Resource, State

TYPE = "Microsoft.Web/sites"
_DEFAULT_KIND = "app"


@dataclass(frozen=True)
class Sites:
    """The apps of all subscriptions."""

    state: State
    attacher: Attacher

    def put(self, resource_id: str, body: Json, caller: Caller) -> Resource:
        """Create or replace. A body without `identity` keeps the identity."""
        existing = self.state.resources.get(resource_id.lower())
        if existing is not None:
            return self._write(existing, body, caller, merge=False)
        name = resource_id.rsplit("/", 1)[-1]
        site = Resource(
            id=resource_id,
            type=TYPE,
            name=name,
            location=read_location(body),
            tags={},
            properties={
                "state": "Running",
                "enabled": True,
                "defaultHostName": f"{name}.azurewebsites.net",
            },
            extra={"kind": body.get("kind") or _DEFAULT_KIND},
            created_at=self.state.clock.now(),
        )
        return self._write(site, body, caller, merge=False)

    def patch(self, resource_id: str, body: Json, caller: Caller) -> Resource:
        """Merge into the app."""
        return self._write(require(self.state, resource_id), body, caller, merge=True)

    def delete(self, resource_id: str) -> bool:
        """Remove it with its system-assigned principal. Returns whether it was there."""
        if resource_id.lower() not in self.state.resources:
            return False
        remove(self.state, resource_id)
        return True

    def list_in(self, subscription: str, group: str | None) -> list[Resource]:
        """Of a resource group, or of a whole subscription."""
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        return list(inside(self.state, scope, TYPE))

    def _write(self, site: Resource, body: Json, caller: Caller, *, merge: bool) -> Resource:
        check_location(site, body)
        wanted = self.attacher.plan(site.id, site.identity, body, caller, merge=merge)
        accepted = self.attacher.accepted(site.id, site.name, site.identity, wanted)
        written = replace(
            site,
            tags=read_tags(body) if "tags" in body or not merge else site.tags,
            properties={**site.properties, **read_properties(body)},
            identity=self.attacher.completed(accepted),
            etag=site.etag + 1,
        )
        self.state.resources[site.id.lower()] = written
        return written


def show(site: Resource) -> Json:
    """The app as ARM answers it."""
    return render(site)
