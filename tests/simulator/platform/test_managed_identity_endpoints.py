"""The real azure-identity, sync and aio, against IMDS and the App Service endpoint over sockets."""

import asyncio
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential

from simulator.faults import Drop, Fault
from tests.support.platform.served import World, carrying

pytestmark = pytest.mark.asyncio(loop_scope="module")
VM = "Microsoft.Compute/virtualMachines"
SITE = "Microsoft.Web/sites"
SCOPE = "https://management.azure.com/.default"


async def token(**options: Any) -> str:
    async with AsyncManagedIdentityCredential(**options) as credential:
        return str((await credential.get_token(SCOPE)).token)


async def sync_token(**options: Any) -> str:
    def get() -> str:
        with ManagedIdentityCredential(**options) as credential:
            return str(credential.get_token(SCOPE).token)

    return await asyncio.to_thread(get)


def oid(world: World, access_token: str) -> str:
    return world.azure.tokens.verify(access_token)["oid"]


@pytest.fixture
def on_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    def stand_on(resource_id: str) -> None:
        monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
        monkeypatch.delenv("IDENTITY_HEADER", raising=False)
        host = world.addresses.imds(resource_id)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", host)

    return stand_on


@pytest.fixture
def in_app(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run_in(header: str) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", world.addresses.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", header)

    return run_in


async def test_a_machine_uses_its_only_identity_without_naming_it(
    world: World, on_machine: Any
) -> None:
    identity = world.add_identity("id-only")
    vm = world.add_resource(VM, "only", carrying(identity))
    on_machine(vm)
    assert oid(world, await token()) == identity[1].object_id
    assert oid(world, await sync_token()) == identity[1].object_id


async def test_a_token_names_the_identity_it_was_given_for(world: World, on_machine: Any) -> None:
    identity = world.add_identity("id-mirid")
    on_machine(world.add_resource(VM, "mirid", carrying(identity)))
    claims = world.azure.tokens.verify(await token())
    assert claims["xms_mirid"] == identity[0]
    assert claims["aud"] == "https://management.azure.com"


async def test_with_two_identities_the_caller_must_name_one(world: World, on_machine: Any) -> None:
    first, second = world.add_identity("id-first"), world.add_identity("id-second")
    on_machine(world.add_resource(VM, "two", carrying(first, second)))
    with pytest.raises(CredentialUnavailableError, match="Multiple user assigned identities"):
        await token()
    with pytest.raises(CredentialUnavailableError, match="Multiple user assigned identities"):
        await sync_token()
    expected = second[1].object_id
    by_client = {"client_id": second[1].client_id}
    assert oid(world, await token(**by_client)) == expected
    assert oid(world, await sync_token(**by_client)) == expected
    by_object = {"object_id": expected}
    assert oid(world, await token(identity_config=by_object)) == expected
    assert oid(world, await sync_token(identity_config=by_object)) == expected
    assert oid(world, await token(identity_config={"msi_res_id": second[0].upper()})) == expected
    assert oid(world, await sync_token(identity_config={"resource_id": second[0]})) == expected


async def test_the_system_assigned_identity_is_the_default(world: World, on_machine: Any) -> None:
    system = world.azure.state.add_principal("vm-system")
    identity = world.add_identity("id-beside")
    on_machine(world.add_resource(VM, "both", carrying(identity, system=system)))
    assert oid(world, await token()) == system.object_id
    assert oid(world, await token(client_id=identity[1].client_id)) == identity[1].object_id


async def test_an_identity_works_only_while_it_is_attached(world: World, on_machine: Any) -> None:
    identity, other = world.add_identity("id-elsewhere"), world.add_identity("id-attaching")
    vm = world.add_resource(VM, "attached", carrying(other))
    on_machine(vm)
    named = {"client_id": identity[1].client_id}
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await token(**named)
    block = carrying(other)
    block["userAssignedIdentities"][identity[0]] = {}  # being attached
    world.add_resource(VM, "attached", block)
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await token(**named)
    world.add_resource(VM, "attached", carrying(other, identity))
    assert oid(world, await token(**named)) == identity[1].object_id
    world.azure.state.delete_principal(identity[1].object_id)
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await token(**named)


async def test_a_deleted_machine_gives_no_tokens(world: World, on_machine: Any) -> None:
    vm = world.add_resource(VM, "gone", carrying(world.add_identity("id-gone")))
    on_machine(vm)
    await token()
    del world.azure.state.resources[vm.lower()]
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await token()
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await sync_token()


async def test_imds_asks_for_its_header_and_parameters(world: World) -> None:
    vm = world.add_resource(VM, "bare", carrying(world.add_identity("id-bare")))
    url = f"{world.addresses.imds(vm)}/metadata/identity/oauth2/token"
    good = {"api-version": "2018-02-01", "resource": "https://vault.azure.net"}
    metadata = {"Metadata": "true"}
    async with httpx.AsyncClient() as http:
        assert (await http.get(url, params=good)).status_code == 400
        no_version = await http.get(url, params={"resource": "x"}, headers=metadata)
        assert no_version.status_code == 400
        no_resource = await http.get(url, params={"api-version": "1"}, headers=metadata)
        assert no_resource.json()["error"] == "invalid_request"
        assert (await http.post(url, params=good, headers=metadata)).status_code == 405
        answer = (await http.get(url, params=good, headers=metadata)).json()
    assert answer["resource"] == "https://vault.azure.net"
    assert answer["token_type"] == "Bearer"
    assert int(answer["expires_in"]) == int(answer["expires_on"]) - int(answer["not_before"])


async def test_an_app_is_known_by_its_identity_header(world: World, in_app: Any) -> None:
    system, identity = world.azure.state.add_principal("app-system"), world.add_identity("id-app")
    site = world.add_resource(SITE, "app", carrying(identity, system=system))
    in_app(world.azure.services.identity_endpoints.identity_header(site))
    assert oid(world, await token()) == system.object_id
    assert oid(world, await sync_token()) == system.object_id
    named = {"client_id": identity[1].client_id}
    assert oid(world, await token(**named)) == identity[1].object_id
    assert oid(world, await sync_token(**named)) == identity[1].object_id
    by_id = {"mi_res_id": identity[0]}
    assert oid(world, await token(identity_config=by_id)) == identity[1].object_id


async def test_an_app_without_a_system_identity_must_name_one(world: World, in_app: Any) -> None:
    site = world.add_resource(SITE, "app2", carrying(world.add_identity("id-app2")))
    in_app(world.azure.services.identity_endpoints.identity_header(site))
    with pytest.raises(ClientAuthenticationError, match="No Managed Identity found"):
        await token()


async def test_a_wrong_header_gets_401(world: World, in_app: Any) -> None:
    in_app("made-up")
    with pytest.raises(ClientAuthenticationError):
        await token()
    async with httpx.AsyncClient() as http:
        answer = await http.get(
            world.addresses.identity_endpoint,
            params={"api-version": "2019-08-01", "resource": "https://vault.azure.net"},
            headers={"X-IDENTITY-HEADER": "made-up"},
        )
    assert answer.status_code == 401


async def test_two_apps_have_two_headers_that_stay(world: World) -> None:
    endpoints = world.azure.services.identity_endpoints
    first = endpoints.identity_header(f"{world.group}/providers/{SITE}/one")
    assert endpoints.identity_header(f"{world.group}/providers/{SITE}/ONE") == first
    assert endpoints.identity_header(f"{world.group}/providers/{SITE}/two") != first


async def test_the_operator_acts_as_a_person(world: World, in_app: Any) -> None:
    operator = world.addresses.operator
    in_app(operator.identity_header)
    claims = world.azure.tokens.verify(await token())
    assert (claims["oid"], claims["idtyp"]) == (operator.principal.object_id, "user")
    assert oid(world, await sync_token()) == operator.principal.object_id
    with pytest.raises(ClientAuthenticationError):
        await token(client_id="00000000-0000-0000-0000-000000000000")


async def test_a_sick_metadata_endpoint_is_asked_again(world: World, on_machine: Any) -> None:
    identity = world.add_identity("id-patient")
    on_machine(world.add_resource(VM, "patient", carrying(identity)))
    for fault in (Fault(service="imds", status=500), Fault(service="imds", drop=Drop.BEFORE)):
        world.azure.faults.add(fault)
        assert oid(world, await token()) == identity[1].object_id
        assert fault.hits == 1
