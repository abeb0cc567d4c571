"""Apps and slots: synchronous, no ETag to heed, location by its display name (recorded).

Each has an identity of its own; a slot takes none from its app. Whatever changes an identity
restarts the app (azure-facts section 4).
"""

from collections import Counter
from dataclasses import replace

from simulator.authorization.access import Access
from simulator.operations import LongRunning, Operations
from simulator.resource_ids import parse
from simulator.state import Json, Resource, State
from simulator.times import utc_z
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources
from simulator.web.errors import exclusive_lock

#: Of all that App Service sets itself, as much as tells an app from another.
_READ_ONLY = ("name", "state", "hostNames", "defaultHostName")
_DEFAULT_KIND = "app"
_ON_CONTAINERS = "azurecontainerapps"
#: What is shown of identities that an app works with by name, where it was given none (recorded).
_REFERENCES: Json = {"keyVaultReferenceIdentity": "SystemAssigned", "functionAppConfig": None}
_PULLS: Json = {"acrUseManagedIdentityCreds": False, "acrUserManagedIdentityID": None}

SITES = Kind(
    "Microsoft.Web/sites", top_level=("kind",), read_only=_READ_ONLY, display_location=True
)
SLOTS = Kind(
    "Microsoft.Web/sites/slots", top_level=("kind",), read_only=_READ_ONLY, display_location=True
)


class Sites(TrackedResources):
    """The apps of all subscriptions, or their slots. `restarts` counts by lower-case id."""

    def __init__(self, state: State, operations: Operations, access: Access, kind: Kind) -> None:
        super().__init__(state, operations, access, kind)
        self.restarts: Counter[str] = Counter()
        self._locked: dict[str, float] = {}

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """Running at once. A slot's host name is made of its app's name and its own."""
        parsed = parse(resource_id)
        app, _, slot = (parsed.name if parsed else "").partition("/")
        host = f"{app}-{slot}" if slot else app
        return {
            "name": f"{app}({slot})" if slot else app,
            "state": "Running",
            "hostNames": [f"{host}.azurewebsites.net".lower()],
            "defaultHostName": f"{host}.azurewebsites.net".lower(),
        }

    def check(self, base: Resource, body: Json, *, created: bool) -> None:
        """Changes of the apps of one plan exclude each other."""
        super().check(base, body, created=created)
        plan = str(base.properties.get("serverFarmId", "")).lower()
        if not plan or created:
            return
        now = self.state.clock.now()
        if now < self._locked.get(plan, 0.0):
            raise exclusive_lock()
        self._locked[plan] = now + self.state.behaviour.plan_lock_seconds

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:
        """A write of the identity restarts what is there already, changed or not."""
        if before.etag and "identity" in body:
            self.restarts[after.id.lower()] += 1
        kind = after.extra.get("kind") or _DEFAULT_KIND
        modified = utc_z(self.state.clock.now()).rstrip("Z")
        shown = {"kind": kind, "lastModifiedTimeUtc": modified, **_named(after.properties)}
        return replace(
            after,
            extra={**after.extra, "kind": kind},
            properties={**after.properties, **shown},
        )

    def _finish(self, resource_id: str, etag: int, *, slow: bool) -> LongRunning | None:
        """A function app on Container Apps takes 12 to 50 s (recorded)."""
        resource = self.find(resource_id)
        kind = str(resource.extra.get("kind") or "") if resource else ""
        return super()._finish(resource_id, etag, slow=slow or kind.endswith(_ON_CONTAINERS))


def _named(given: Json) -> Json:
    """The members that name identities, with what stands there for none."""
    references = {name: given.get(name) or none for name, none in _REFERENCES.items()}
    return {**references, "siteConfig": {**_PULLS, **(given.get("siteConfig") or {})}}
