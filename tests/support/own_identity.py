"""A machine with an identity of its own, and what may speak against deleting that."""

from dataclasses import dataclass
from typing import Any

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import FederatedIdentityCredential

from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    IDENTITY_TYPE,
    Rules,
    begun,
    exists,
    held,
    own,
    pass_time,
    roles,
)
from tests.support.estate import Estate
from tests.support.other_subscriptions import machine_in

AT_ONCE = own(0)
DELETION = "delete identity id-vm1"
RELEASE = "unassign Reader at "
CREDENTIAL: dict[str, Any] = {
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:shop/web:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}


@dataclass(frozen=True)
class Served:
    """vm1 with an identity of its own."""

    estate: Estate
    vm: ResourceId

    @property
    def identity(self) -> str:
        """The id of its identity."""
        return self.named("id-vm1")

    def named(self, name: str) -> str:
        """The id of an identity beside it."""
        group = f"{self.estate.scope}/resourceGroups/rg-app"
        return f"{group}/providers/{IDENTITY_TYPE}/{name}"

    def block(self, name: str = "id-vm1") -> dict[str, object]:
        """What another resource is written with that has it."""
        return {
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {self.named(name): {}},
            }
        }

    async def holding(self, *told: str) -> None:
        """Identity and role stand, and both are held for this reason."""
        assert exists(self.estate, "id-vm1")
        assert "Reader" in roles(self.estate, "id-vm1")
        listed = await held(self.estate)
        assert any(action.startswith(RELEASE) for action in listed), sorted(listed)
        for action, entry in listed.items():
            if action == DELETION or action.startswith(RELEASE):
                assert not entry.refusal.releasable
                assert all(each in str(entry.refusal) for each in told), str(entry.refusal)
        assert DELETION in listed

    async def assert_gone(self) -> None:
        """Identity and role are gone, and nothing is held."""
        assert not exists(self.estate, "id-vm1")
        assert self.estate.assignments() == []
        assert await held(self.estate) == {}


async def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """It stands, with its role."""
    rules = Rules(identity=AT_ONCE, match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules)
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert roles(estate, "id-vm1") == ["Reader"]
    return Served(estate, vm)


def identities(estate: Estate) -> Any:
    """The client of an operator."""
    options = estate.azure.client_options(estate.operator)
    return ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)


async def unreadable(it: Served) -> None:
    """A machine has the identity in a subscription in which the app has no right."""
    await machine_in(
        it.estate, it.vm, it.estate.azure.state.add_subscription("other").id, **it.block()
    )


async def trust(it: Served) -> None:
    """Somebody has the identity trust another issuer."""
    client = identities(it.estate).federated_identity_credentials
    credential = FederatedIdentityCredential(**CREDENTIAL)
    await client.create_or_update("rg-app", "id-vm1", "pipeline", credential)
