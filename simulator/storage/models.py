"""Storage accounts as ARM keeps them: just enough for a blob service to belong to someone."""

import re

from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.operations import Operations
from simulator.state import Json, Resource, State
from simulator.times import utc_z
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources

ACCOUNTS = Kind(
    "Microsoft.Storage/storageAccounts",
    top_level=("sku", "kind", "extendedLocation"),
    read_only=("creationTime", "primaryLocation", "statusOfPrimary", "primaryEndpoints"),
    shows_state=True,
)
TYPE = ACCOUNTS.type


class StorageAccounts(TrackedResources):
    """The accounts of all subscriptions. Their names are unique."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, ACCOUNTS)
        self._by_name: dict[str, Resource] = {}  # each blob request asks by name
        state.resources.observe(self._watch)

    def takes_time(self, method: str, resource: Resource) -> bool:
        """Only its creation does (recorded)."""
        return method == "PUT" and resource.etag == 1

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """When and where it was made."""
        return {
            "creationTime": utc_z(self.state.clock.now()),
            "primaryLocation": str(body["location"]).replace(" ", "").lower(),
            "statusOfPrimary": "available",
        }

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """A new one has a name that nobody has."""
        if created and (refusal := self.refusal_of_name(base.name)):
            raise refusal

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:  # noqa: ARG002
        """The sku's name says its tier, too."""
        sku = after.extra.get("sku")
        if isinstance(sku, dict) and isinstance(sku.get("name"), str):
            after.extra["sku"] = {**sku, "tier": sku["name"].partition("_")[0]}
        return after

    def refusal_of_name(self, name: str) -> AzureError | None:
        """Why no new account can have this name, if so: 400 for its form, 409 where it is taken."""
        if not re.fullmatch("[a-z0-9]{3,24}", name):
            return _invalid_name(name)
        if self.by_name(name) is None:
            return None
        return AzureError(
            409,
            "StorageAccountAlreadyTaken",
            f"The storage account named {name} is already taken.",
        )

    def by_name(self, name: str) -> Resource | None:
        """The account of that name, wherever it is."""
        return self._by_name.get(name.lower())

    def _watch(self, _key: str, before: Resource | None, after: Resource | None) -> None:
        if before is not None and before.type.lower() == TYPE.lower():
            del self._by_name[before.name.lower()]
        if after is not None and after.type.lower() == TYPE.lower():
            self._by_name[after.name.lower()] = after


def _invalid_name(name: str) -> AzureError:
    return AzureError(
        400,
        "AccountNameInvalid",
        f"{name} is not a valid storage account name. Storage account name must be between 3 "
        "and 24 characters in length and use numbers and lower-case letters only.",
    )
