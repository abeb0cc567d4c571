"""Who uses an identity, as the adapters ask it of Azure: exactly, and never of a part."""

import asyncio
from typing import Any

import pytest

from lanyard.desk.rights import rights
from lanyard.policy.load import parse_policy
from lanyard.values.errors import NotYet, Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import ResourceGraphAnswer
from simulator.transport import InProcessTransport
from tests.support.any_resource import client
from tests.support.cases import create, identity_id, make_identity
from tests.support.compute_examples import POOL, SITE, SLOT, Example
from tests.support.estate import Estate

FEDERATED = {
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:shop/web:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}


@pytest.fixture
async def estate() -> Estate:
    made = Estate()
    await made.create_groups()
    return made


def having(*identities: str) -> dict[str, object]:
    block = {"type": "UserAssigned", "userAssignedIdentities": {each: {} for each in identities}}
    return {"identity": block}


async def made(estate: Estate, name: str) -> ResourceId:
    return ResourceId.parse(await make_identity(estate, name))


@pytest.mark.parametrize("longer", ["id-web10", "id-web1-db", "id-web1_", "xid-web1"])
async def test_case_A13_a_longer_name_is_no_user(estate: Estate, longer: str) -> None:
    identity, other = await made(estate, "id-web1"), await made(estate, longer)
    await estate.create_vm("web10", **having(other.text))
    assert await estate.services.index.resources_with(identity) == []
    machine = await estate.create_vm("web1", **having(identity.text.upper(), other.text))
    assert await estate.services.index.resources_with(identity) == [machine.text]


@pytest.mark.parametrize("example", [SITE, SLOT, POOL], ids=str)
async def test_a_user_of_any_type_is_found(estate: Estate, example: Example) -> None:
    identity = await made(estate, "id-web1")
    user = await create(estate, example, **having(identity.text))
    assert await estate.services.index.resources_with(identity) == [user.text]
    assert await estate.services.identities.associated(identity) == 1


async def test_many_who_ask_at_once_share_queries(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = estate.services.index
    identities = [await made(estate, f"id-{number:02}") for number in range(30)]
    principals = [await estate.services.identities.principal(each) or "" for each in identities]
    machines = [
        await estate.create_vm(f"vm{number:02}", **having(each.text))
        for number, each in enumerate(identities)
    ]
    answer = InProcessTransport.send

    async def later(self: InProcessTransport, request: Any, **options: Any) -> Any:
        await asyncio.sleep(0)  # others ask meanwhile
        return await answer(self, request, **options)

    monkeypatch.setattr(InProcessTransport, "send", later)
    estate.azure.calls.clear()
    rows, users, named, shown = await asyncio.gather(
        asyncio.gather(*(index.showing(each) for each in principals)),
        asyncio.gather(*(index.resources_with(each) for each in identities)),
        asyncio.gather(*(index.named(each.type, each.names) for each in machines)),
        asyncio.gather(*(index.shows(each) for each in machines)),
    )
    # 120 questions of one table and 60 of the other one, these as the first are answered.
    assert len(estate.azure.calls) <= (120 + 60) / 6
    pairs = zip(identities, machines, strict=True)
    assert [[each.id for each in found] for found in rows] == [
        sorted([identity.text, machine.text]) for identity, machine in pairs
    ]
    assert users == [[machine.text] for machine in machines]
    assert [[each.id for each in found] for found in named] == [[each.text] for each in machines]
    assert shown == [True] * 30


async def test_a_listing_without_the_identity_itself_is_not_whole(estate: Estate) -> None:
    identity = await made(estate, "id-web1")
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    with pytest.raises(Temporary, match="no row of id-web1 itself"):
        await estate.services.index.resources_with(identity)


async def test_who_shows_a_principal_is_read_whole(estate: Estate) -> None:
    identity = await made(estate, "id-web1")
    machine = await estate.create_vm("web1", **having(identity.text), tags={"env": "prod"})
    principal = await estate.services.identities.principal(identity)
    assert principal is not None
    own, user = sorted(
        await estate.services.index.showing(principal), key=lambda found: bool(found.compute)
    )
    assert (own.own_principal, own.compute) == (principal, None)
    assert user.compute is not None
    assert user.compute.id == machine
    assert user.compute.identity.user_assigned == {identity: principal}
    assert user.tags == {"env": "prod"}


async def test_what_has_a_name_is_found_wherever_it_is(estate: Estate) -> None:
    machine = await estate.create_vm("Web1")
    await estate.create_vm("otherweb1")
    index = estate.services.index
    found = await index.named("microsoft.compute/virtualmachines", "wEB1")
    assert [each.compute and each.compute.id for each in found] == [machine]
    slot = await create(estate, SLOT)
    assert [each.id for each in await index.named(slot.type, slot.names)] == [slot.text]
    assert await index.named("Microsoft.Web/sites", "web1") == []


async def test_the_names_of_federated_credentials_are_listed(estate: Estate) -> None:
    identity = await made(estate, "id-web1")
    assert await estate.services.identities.federated(identity) == []
    estate.azure.behaviour.page_size = 1
    for name in ("pod", "pipeline"):
        await client(estate).resources.begin_create_or_update_by_id(
            f"{identity}/federatedIdentityCredentials/{name}",
            {"properties": {**FEDERATED, "subject": name}},
            api_version="2024-11-30",
        )
    assert await estate.services.identities.federated(identity) == ["pod", "pipeline"]


async def test_too_many_questions_wait_and_a_missing_right_is_an_answer(estate: Estate) -> None:
    identity = await made(estate, "id-web1")
    estate.azure.behaviour.throttling = True
    identities = estate.services.identities
    assert await identities.associated(identity) == 0
    with pytest.raises(NotYet, match="once a second"):
        await identities.associated(identity)
    estate.azure.clock.advance(1)
    for assignment in list(estate.azure.state.role_assignments.values()):
        if assignment.principal_id == estate.app.object_id:
            del estate.azure.state.role_assignments[assignment.id.lower()]
    estate.azure.assign(estate.app.object_id, "Reader", estate.scope)
    with pytest.raises(Permanent) as refused:
        await identities.associated(identity)
    assert refused.value.code == "AuthorizationFailed"
    assert await identities.federated(identity) == []


async def test_an_identity_is_made_with_the_tags_that_it_is_to_have(estate: Estate) -> None:
    identity = ResourceId.parse(identity_id(estate.subscription, "id-web1"))
    made = [
        await estate.services.identities.create(identity, "westeurope", {"of": "web1"})
        for _ in range(2)
    ]
    details = await estate.services.identities.details(identity)
    assert details is not None
    assert details.tags == {"of": "web1"}
    assert made == [(details.principal_id, True), (details.principal_id, False)]


OWN = '{name: "id-{resource.name}", per: resource}'
SHARED = '{name: "id-{location}", resourceGroup: rg}'


@pytest.mark.parametrize(
    ("mode", "spec", "asks"),
    [("full", OWN, True), ("add-only", OWN, False), ("full", SHARED, False)],
)
def test_who_deletes_identities_may_ask_who_uses_them(mode: str, spec: str, asks: bool) -> None:
    text = f"""
version: 1
mode: {mode}
identities: {{main: {spec}}}
rules:
  - name: machines
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [main]
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: main}}]
"""
    needed = rights(parse_policy("lanyard.yaml", text))
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action"
    assert (action in needed.identity_actions) == asks
