"""Deleted principals: seen for 30 days, restored by who may, gone for good afterwards."""

import json

import pytest_asyncio

from simulator.directory.models import Answer
from simulator.directory.recycle_bin import RETENTION
from tests.support.platform.graph import Graph, code

SERVICE_PRINCIPALS = "/directory/deletedItems/microsoft.graph.servicePrincipal"
MISSING = (404, "Request_ResourceNotFound")


@pytest_asyncio.fixture
async def graph() -> Graph:
    return Graph()


def item(object_id: str) -> str:
    return f"/directory/deletedItems/{object_id}"


async def listed(graph: Graph, path: str = SERVICE_PRINCIPALS) -> list[str]:
    answer = await graph.ask("GET", path)
    assert answer.status == 200
    return [each["id"] for each in json.loads(answer.content)["value"]]


async def test_a_deleted_principal_is_in_the_recycle_bin_alone(graph: Graph) -> None:
    identity = graph.identity().object_id
    assert code(await graph.ask("GET", item(identity))) == MISSING
    graph.azure.state.delete_principal(identity)
    assert await graph.ids_found([identity]) == []
    assert await listed(graph) == [identity]
    shown = json.loads((await graph.ask("GET", item(identity.upper()))).content)
    assert shown["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert shown["servicePrincipalType"] == "ManagedIdentity"
    assert shown["deletedDateTime"] == "2026-11-02T09:00:00Z"


async def test_it_arrives_there_when_the_directory_lets_go_of_it(graph: Graph) -> None:
    graph.azure.behaviour.directory_lag_seconds = 60.0
    identity = graph.identity().object_id
    graph.azure.state.delete_principal(identity)
    assert code(await graph.ask("GET", item(identity))) == MISSING
    graph.azure.clock.advance(60)
    assert (await graph.ask("GET", item(identity))).status == 200
    assert await graph.ids_found([identity]) == []


async def test_after_thirty_days_nothing_is_known_of_it(graph: Graph) -> None:
    identity = graph.identity().object_id
    graph.azure.state.delete_principal(identity)
    graph.azure.clock.advance(RETENTION - 1)
    assert await listed(graph) == [identity]
    graph.azure.clock.advance(1)
    assert await listed(graph) == []
    assert code(await graph.ask("GET", item(identity))) == MISSING


async def test_managed_identities_may_be_deleted_for_good_at_once(graph: Graph) -> None:
    graph.directory.behaviour.recycles_managed_identities = False
    identity = graph.identity().object_id
    application = graph.azure.state.add_principal("application").object_id
    for each in (identity, application):
        graph.azure.state.delete_principal(each)
    assert await listed(graph) == [application]
    assert code(await graph.ask("GET", item(identity))) == MISSING


async def test_an_application_is_restored_under_its_id_and_with_its_assignments(
    graph: Graph,
) -> None:
    application = graph.azure.state.add_principal("application").object_id
    made = graph.azure.assign(application, "Reader", "/")
    graph.azure.state.delete_principal(application)
    graph.directory.grant_permission(graph.app.object_id, "Application.ReadWrite.All")
    restored = await graph.ask("POST", f"{item(application)}/restore")
    assert restored.status == 200
    assert json.loads(restored.content)["deletedDateTime"] is None
    assert await graph.ids_found([application]) == [application]
    assert await listed(graph) == []
    assert graph.azure.access.assignments_of(application) == [made]


async def test_a_managed_identity_is_not_restored(graph: Graph) -> None:
    identity = graph.identity().object_id
    graph.azure.state.delete_principal(identity)
    graph.directory.grant_permission(graph.app.object_id, "Application.ReadWrite.All")
    refused = await graph.ask("POST", f"{item(identity)}/restore")
    assert code(refused) == (400, "Request_BadRequest")
    assert await listed(graph) == [identity]


async def test_what_is_purged_is_gone(graph: Graph) -> None:
    application = graph.azure.state.add_principal("application").object_id
    graph.azure.state.delete_principal(application)
    graph.directory.grant_permission(graph.app.object_id, "Directory.ReadWrite.All")
    assert (await graph.ask("DELETE", item(application))).status == 204
    assert await listed(graph) == []
    assert code(await graph.ask("DELETE", item(application))) == MISSING


async def test_reading_and_restoring_need_their_permissions(graph: Graph) -> None:
    application = graph.azure.state.add_principal("application").object_id
    graph.azure.state.delete_principal(application)
    denied = (403, "Authorization_RequestDenied")
    assert code(await graph.ask("POST", f"{item(application)}/restore")) == denied
    assert code(await graph.ask("DELETE", item(application))) == denied
    graph.directory.revoke_permissions(graph.app.object_id)
    assert code(await graph.ask("GET", item(application))) == denied
    assert code(await graph.ask("GET", SERVICE_PRINCIPALS)) == denied


async def test_lists_may_be_empty_or_half(graph: Graph) -> None:
    ids = [graph.identity(str(number)).object_id for number in range(4)]
    for each in ids[:2]:
        graph.azure.state.delete_principal(each)
    graph.directory.behaviour.answer = Answer.HALF
    assert await listed(graph) == ids[:1]
    graph.directory.behaviour.answer = Answer.EMPTY
    assert await listed(graph) == []
    assert await listed(graph, "/servicePrincipals") == []


async def test_users_have_a_list_of_their_own_and_other_types_none(graph: Graph) -> None:
    user = graph.azure.state.add_principal("Ada", "User", ["ada@example.org"]).object_id
    graph.azure.state.delete_principal(user)
    assert await listed(graph, "/directory/deletedItems/microsoft.graph.user") == [user]
    assert await listed(graph) == []
    other = await graph.ask("GET", "/directory/deletedItems/microsoft.graph.device")
    assert code(other) == (400, "Request_BadRequest")


async def test_a_canary_may_be_withdrawn(graph: Graph) -> None:
    canary, other = graph.identity("canary").object_id, graph.identity("other").object_id
    graph.directory.behaviour.hidden.add(canary)
    assert await graph.ids_found([canary, other]) == [other]
    assert code(await graph.ask("GET", item(canary))) == MISSING
