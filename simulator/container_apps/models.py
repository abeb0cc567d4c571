"""Container apps and jobs: PATCH is a JSON merge patch, a GET never gives secrets' values back.

So a PUT of what a GET answered is refused: its secrets have no values any more. `listSecrets` has
them, for whoever has the right.
"""

from dataclasses import replace

from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.identity import carried_principals
from simulator.operations import Operations
from simulator.resources import read_properties, require
from simulator.state import Json, Resource, State
from simulator.tracked.kind import WRITES, Casing, Kind, Untagged
from simulator.tracked.models import TrackedResources

#: The state while anything is at work (recorded).
_AT_WORK = "InProgress"

CONTAINER_APPS = Kind(
    "Microsoft.App/containerApps",
    top_level=("kind", "managedBy", "extendedLocation"),
    read_only=("runningStatus", "latestRevisionName", "latestReadyRevisionName"),
    lasting=(
        *("managedEnvironmentId", "environmentId", "workloadProfileName", "outboundIpAddresses"),
        *("customDomainVerificationId", "eventStreamEndpoint"),
    ),
    slow=WRITES | {"DELETE"},
    shows_state=True,
    creating=_AT_WORK,
    updating=_AT_WORK,
    display_location=True,
    untagged=Untagged.ABSENT,
    casing=Casing(path="Microsoft.App/containerapps"),
    system_data=True,
)
JOBS = Kind(
    "Microsoft.App/jobs",
    top_level=("extendedLocation",),
    lasting=("environmentId", "workloadProfileName", "outboundIpAddresses", "eventStreamEndpoint"),
    slow=WRITES | {"DELETE"},
    shows_state=True,
    creating=_AT_WORK,
    updating=_AT_WORK,
    display_location=True,
    untagged=Untagged.ABSENT,
    system_data=True,
)


class Jobs(TrackedResources):
    """The jobs of all subscriptions."""

    def __init__(self, state: State, operations: Operations, access: Access, kind: Kind) -> None:
        super().__init__(state, operations, access, kind)
        self._sent: dict[str, dict[str, Json]] = {}  # lower-case id → secret's name → as sent

    def list_secrets(self, resource_id: str) -> list[Json]:
        """With their values, or where they are. Raises AzureError 404."""
        resource = require(self.state, resource_id)
        return list(self._sent.get(resource.id.lower(), {}).values())

    def show(self, resource: Resource) -> Json:
        """An identity is always shown, and be it none: the Azure CLI counts on it."""
        return {"identity": {"type": "None"}, **super().show(resource)}

    def takes_time(self, method: str, resource: Resource) -> bool:
        """A PATCH goes on after the answer where the switch says so."""
        if method == "PATCH":
            return self.state.behaviour.container_app_patch_waits
        return super().takes_time(method, resource)

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """Each secret that is sent brings its value, or says where it is."""
        wanting = [
            str(secret.get("name"))
            for secret in _secrets(read_properties(body))
            if not secret.get("value")
            and not (secret.get("keyVaultUrl") and secret.get("identity"))
        ]
        if wanting:
            raise _secret_invalid(wanting)
        known = self._sent.get(base.id.lower(), {}) if base.etag else {}
        sent = {str(each.get("name")) for each in _secrets(read_properties(body))}
        for registry in _listed(read_properties(body), "registries"):
            reference = registry.get("passwordSecretRef")
            if reference and str(reference) not in sent | known.keys():
                raise _password_not_found(str(reference), str(registry.get("server")))

    def properties(self, base: Resource, sent: Json, *, merge: bool) -> Json:
        """Without the values of secrets."""
        properties = super().properties(base, sent, merge=merge)
        if secrets := _secrets(properties):
            shown = [{k: v for k, v in each.items() if k != "value"} for each in secrets]
            properties["configuration"] = {**properties["configuration"], "secrets": shown}
        return properties

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:
        """Keeps the values of the secrets that there are now, apart from what is shown."""
        key = after.id.lower()
        known = self._sent.get(key, {}) if before.etag else {}
        known = known | {str(each.get("name")): each for each in _secrets(read_properties(body))}
        names = [str(each.get("name")) for each in _secrets(after.properties)]
        self._sent[key] = {name: known[name] for name in names if name in known}
        return after


class ContainerApps(Jobs):
    """The container apps of all subscriptions: as jobs, and with revisions."""

    def not_found_error(self, resource_id: str) -> AzureError:
        """As the service itself says it (recorded after a deletion)."""
        name = resource_id.rpartition("/")[2]
        return AzureError(
            404, "ContainerAppNotFound", f"The container app '{name}' does not exist."
        )

    def completed(self, resource: Resource) -> None:
        """Running as soon as it is there."""
        running = {**resource.properties, "runningStatus": "Running"}
        self.store(replace(resource, properties=running))

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:
        """A new template makes a new revision; a new identity does where the switch says so (U)."""
        after = super().written(before, after, body)
        last = before.properties.get("latestRevisionName", "--0")
        if before.etag and not self._makes_revision(before, after):
            return after
        revision = f"{after.name}--{int(last.rpartition('--')[2]) + 1:07d}"
        own = {"latestRevisionName": revision, "latestReadyRevisionName": revision}
        return replace(after, properties={**after.properties, **own})

    def _makes_revision(self, before: Resource, after: Resource) -> bool:
        if before.properties.get("template") != after.properties.get("template"):
            return True
        changed = carried_principals(before.identity) != carried_principals(after.identity)
        return changed and self.state.behaviour.container_app_identity_makes_revision


def _secrets(properties: Json) -> list[Json]:
    """What is empty of a secret is as if it were not there."""
    listed = _listed(properties, "secrets")
    return [{k: v for k, v in each.items() if v != ""} for each in listed]


def _listed(properties: Json, name: str) -> list[Json]:
    """The objects of a list in the configuration."""
    configuration = properties.get("configuration")
    found = configuration.get(name) if isinstance(configuration, dict) else None
    listed = found if isinstance(found, list) else []
    return [each for each in listed if isinstance(each, dict)]


def _password_not_found(reference: str, server: str) -> AzureError:
    """400 to a registry whose password is no secret of the app (recorded)."""
    return AzureError(
        400,
        "ContainerAppRegistriesPasswordSecretRefNotFound",
        f"PasswordSecretRef '{reference}' defined for registry server '{server}' not found.",
    )


def _secret_invalid(names: list[str]) -> AzureError:
    """In the words that issues of azure-container-apps quote; for jobs an assumption."""
    listed = ", ".join(names)
    return AzureError(
        400,
        "ContainerAppSecretInvalid",
        f"Invalid Request: Container app secret(s) with name(s) '{listed}' are invalid: value or "
        "keyVaultUrl and identity should be provided.",
    )
