"""Apps and slots: synchronous, no ETag to heed, location by its display name (recorded).

Each has an identity of its own; a slot takes none from its app. Whatever changes an identity
restarts the app (azure-facts section 4).
"""

from collections import Counter
from dataclasses import replace

from simulator.authorization.access import Access
from simulator.operations import Operations
from simulator.resource_ids import parse
from simulator.resources import read_properties
from simulator.state import Json, Resource, State
from simulator.times import utc_z
from simulator.tracked.kind import WRITES, Kind, Untagged
from simulator.tracked.models import TrackedResources
from simulator.web.errors import plan_locked

#: Of all that App Service sets itself, as much as tells an app from another.
_READ_ONLY = ("name", "state", "hostNames", "defaultHostName")
_DEFAULT_KIND = "app"
_ON_CONTAINERS = "azurecontainerapps"
#: What is shown of identities that an app works with by name, where it was given none (recorded).
_REFERENCES: Json = {"keyVaultReferenceIdentity": "SystemAssigned", "functionAppConfig": None}
_PULLS: Json = {"acrUseManagedIdentityCreds": False, "acrUserManagedIdentityID": None}

#: The members of `siteConfig` that an app shows; all others are null there (recorded).
_CONFIGURED = frozenset(
    {
        *_PULLS,
        "alwaysOn",
        "functionAppScaleLimit",
        "http20Enabled",
        "linuxFxVersion",
        "minimumElasticInstanceCount",
        "numberOfWorkers",
    }
)

SITES = Kind(
    "Microsoft.Web/sites",
    top_level=("kind",),
    read_only=_READ_ONLY,
    display_location=True,
    etag_header=True,
    untagged=Untagged.ABSENT,
)
SLOTS = replace(SITES, type="Microsoft.Web/sites/slots")


class Sites(TrackedResources):
    """The apps of all subscriptions, or their slots. `restarts` counts by lower-case id."""

    def __init__(self, state: State, operations: Operations, access: Access, kind: Kind) -> None:
        super().__init__(state, operations, access, kind)
        self.restarts: Counter[str] = Counter()
        # Until when, by the plan's lower-case id; the app's without one.
        self._locked: dict[str, float] = {}

    def etag(self, resource: Resource) -> str:
        """A moment in hexadecimal (recorded)."""
        return f'"1D{resource.etag:013X}"'

    def has_etag_header(self, resource: Resource) -> bool:
        """Not where the app runs on Container Apps (recorded)."""
        return not on_container_apps(resource)

    def takes_time(self, method: str, resource: Resource) -> bool:
        """A write of an app on Container Apps does (recorded: 12 to 50 s)."""
        return method in WRITES and on_container_apps(resource)

    def show(self, resource: Resource) -> Json:
        """Of its configuration only what is not below `config/web` (recorded)."""
        body = super().show(resource)
        configured = body["properties"].get("siteConfig") or {}
        shown = {key: value for key, value in configured.items() if key in _CONFIGURED}
        return {**body, "properties": {**body["properties"], "siteConfig": shown}}

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
        """One app of a plan after the other, where the switch says so."""
        super().check(base, body, created=created)
        plan = base.properties.get("serverFarmId") or read_properties(body).get("serverFarmId")
        key = _plan_id(base.id, str(plan)).lower() if plan else base.id.lower()
        now = self.state.clock.now()
        if now < self._locked.get(key, now):
            raise plan_locked()
        self._locked[key] = now + self.state.behaviour.app_service_plan_lock_seconds

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:
        """A write of the identity restarts what is there already, changed or not."""
        if before.etag and "identity" in body:
            self.restarts[after.id.lower()] += 1
        kind = after.extra.get("kind") or _DEFAULT_KIND
        after = replace(after, extra={**after.extra, "kind": kind})
        modified = utc_z(self.state.clock.now()).rstrip("Z")
        shown = {"kind": kind, "lastModifiedTimeUtc": modified, **_named(after)}
        if plan := after.properties.get("serverFarmId"):
            shown["serverFarmId"] = _plan_id(after.id, str(plan))
        return replace(
            after,
            properties={**after.properties, **shown},
        )


def on_container_apps(site: Resource) -> bool:
    """Whether an app runs in an environment of Container Apps, by its kind."""
    return str(site.extra.get("kind", "")).lower().endswith(_ON_CONTAINERS)


def _plan_id(site_id: str, plan: str) -> str:
    """A plan of the app's own resource group may be given by its name alone (recorded)."""
    group = site_id.partition("/providers/")[0]
    return plan if "/" in plan else f"{group}/providers/Microsoft.Web/serverfarms/{plan}"


def _named(site: Resource) -> Json:
    """The members that name identities, with what stands there for none."""
    given = site.properties
    references = {name: given.get(name) or none for name, none in _REFERENCES.items()}
    if on_container_apps(site):
        references["keyVaultReferenceIdentity"] = given.get("keyVaultReferenceIdentity")
    return {**references, "siteConfig": {**_PULLS, **(given.get("siteConfig") or {})}}
