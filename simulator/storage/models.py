"""Storage accounts as ARM keeps them: just enough for a blob service to belong to someone."""

import re
from dataclasses import replace

from simulator.errors import AzureError
from simulator.resource_ids import group_id
from simulator.resources import inside, read_location, read_tags, remove
from simulator.state import Json, Resource, State

TYPE = "Microsoft.Storage/storageAccounts"


class StorageAccounts:
    """The accounts of all subscriptions. Their names are unique."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._by_name: dict[str, Resource] = {}  # each blob request asks by name
        state.resources.observe(self._watch)

    def put(self, resource_id: str, name: str, body: Json) -> Resource:
        """Create or update. Raises AzureError 400 or 409."""
        taken = self.by_name(name)
        own = taken is not None and taken.id.lower() == resource_id.lower()
        if not own and (refusal := self.refusal_of_name(name)):
            raise refusal
        account = self._new(resource_id, name, body)
        if taken is not None:
            account = replace(account, id=taken.id, created_at=taken.created_at)
        self.state.resources[resource_id.lower()] = account
        return account

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

    def delete(self, resource_id: str) -> bool:
        """Remove it with its data. Returns whether it was there."""
        if resource_id.lower() not in self.state.resources:
            return False
        remove(self.state, resource_id)
        return True

    def list(self, subscription: str, group: str | None) -> list[Resource]:
        """Of a resource group, or of a whole subscription."""
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        return list(inside(self.state, scope, TYPE))

    def _new(self, resource_id: str, name: str, body: Json) -> Resource:
        properties = {**(body.get("properties") or {}), "provisioningState": "Succeeded"}
        extra: Json = {key: body[key] for key in ("sku", "kind") if key in body}
        return Resource(
            id=resource_id,
            type=TYPE,
            name=name,
            location=read_location(body),
            tags=read_tags(body),
            properties=properties,
            extra=extra,
            created_at=self.state.clock.now(),
        )

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
