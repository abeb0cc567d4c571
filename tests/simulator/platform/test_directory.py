"""Who the directory knows, who may ask, and how its answers can mislead."""

import json
from uuid import uuid4

import pytest
import pytest_asyncio

from simulator.directory.models import Answer
from simulator.faults import Fault
from tests.support.platform.graph import MANAGED, Graph, code


@pytest_asyncio.fixture
async def graph() -> Graph:
    return Graph()


async def test_a_missing_id_is_simply_absent(graph: Graph) -> None:
    known = graph.identity().object_id
    assert await graph.ids_found([known, str(uuid4())]) == [known]
    assert await graph.ids_found([str(uuid4())]) == []


async def test_a_managed_identity_is_told_from_an_application(graph: Graph) -> None:
    identity = graph.identity()
    answer = await graph.get_by_ids([identity.object_id, graph.app.object_id])
    first, second = json.loads(answer.content)["value"]
    assert first["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert (first["servicePrincipalType"], first["alternativeNames"]) == (
        "ManagedIdentity",
        MANAGED,
    )
    assert (first["appId"], first["displayName"]) == (identity.client_id, "id")
    assert second["servicePrincipalType"] == "Application"


async def test_types_select(graph: Graph) -> None:
    identity = graph.identity().object_id
    user = graph.azure.state.add_principal("Ada", "User", ["ada@example.org"]).object_id
    group = graph.azure.state.add_principal("team", "Group").object_id
    every = [identity, user, group]
    assert await graph.ids_found(every) == every
    assert await graph.ids_found(every, []) == every
    assert await graph.ids_found(every, ["servicePrincipal"]) == [identity]
    assert await graph.ids_found(every, ["user", "group"]) == [user, group]


async def test_case_and_repetition_of_ids_do_not_matter(graph: Graph) -> None:
    known = graph.identity().object_id
    assert await graph.ids_found([known.upper(), known]) == [known]


async def test_a_deleted_principal_resolves_until_the_lag_is_over(graph: Graph) -> None:
    identity = graph.identity().object_id
    graph.azure.behaviour.directory_lag_seconds = 60.0
    graph.azure.state.delete_principal(identity)
    assert await graph.ids_found([identity]) == [identity]
    graph.azure.clock.advance(60)
    assert await graph.ids_found([identity]) == []
    assert code(await graph.ask("GET", f"/servicePrincipals/{identity}"))[0] == 404


async def test_a_new_principal_may_not_resolve_at_once(graph: Graph) -> None:
    graph.directory.behaviour.new_principal_lag_seconds = 30.0
    identity = graph.identity().object_id
    assert await graph.ids_found([identity]) == []
    graph.azure.clock.advance(30)
    assert await graph.ids_found([identity]) == [identity]


async def test_without_permission_it_is_denied(graph: Graph) -> None:
    identity = graph.identity().object_id
    graph.directory.revoke_permissions(graph.app.object_id)
    denied = (403, "Authorization_RequestDenied")
    assert code(await graph.get_by_ids([identity])) == denied
    assert code(await graph.ask("GET", f"/servicePrincipals/{identity}")) == denied
    graph.directory.grant_permission(graph.app.object_id, "User.Read.All")
    assert code(await graph.get_by_ids([identity])) == denied
    graph.directory.grant_permission(graph.app.object_id, "Application.Read.All")
    assert await graph.ids_found([identity]) == [identity]


async def test_a_token_for_arm_is_refused(graph: Graph) -> None:
    answer = await graph.ask("GET", "/users", audience="https://management.azure.com/")
    assert code(answer) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"ids": "x"}', '{"ids": []}', '{"ids": ["not a guid"]}'],
)
async def test_a_wrong_body_is_a_bad_request(graph: Graph, body: str) -> None:
    answer = await graph.ask("POST", "/directoryObjects/getByIds", body)
    assert code(answer) == (400, "Request_BadRequest")


async def test_a_thousand_ids_are_the_limit(graph: Graph) -> None:
    ids = [str(uuid4()) for _ in range(1001)]
    assert await graph.ids_found(ids[:1000]) == []
    assert code(await graph.get_by_ids(ids)) == (400, "Request_BadRequest")


async def test_answers_can_be_empty_partial_throttled_or_hide_someone(graph: Graph) -> None:
    ids = [graph.identity(str(number)).object_id for number in range(4)]
    behaviour = graph.directory.behaviour
    behaviour.answer = Answer.EMPTY
    assert await graph.ids_found(ids) == []
    behaviour.answer = Answer.HALF
    assert await graph.ids_found(ids) == [ids[0], ids[2]]
    behaviour.answer = Answer.FULL
    behaviour.hidden.add(ids[1])
    assert await graph.ids_found(ids) == [ids[0], ids[2], ids[3]]
    behaviour.throttle_next = 1
    throttled = await graph.get_by_ids(ids)
    assert throttled.status == 429
    assert "retry-after" not in throttled.headers
    assert len(await graph.ids_found(ids)) == 3


async def test_faults_strike_graph_in_its_own_words(graph: Graph) -> None:
    fault = Fault(service="graph", status=429, code="TooManyRequests", retry_after=7)
    graph.azure.faults.add(fault)
    answer = await graph.get_by_ids([graph.app.object_id])
    assert code(answer) == (429, "TooManyRequests")
    assert answer.headers["retry-after"] == "7"
    assert [call.status for call in graph.azure.services.graph.calls] == [429]


async def test_a_user_is_found_by_name(graph: Graph) -> None:
    user = graph.azure.state.add_principal("O'Neil", "User", ["o'neil@example.org"])
    path = "/users?$filter=userPrincipalName%20eq%20%27O%27%27Neil%40example.org%27"
    answer = await graph.ask("GET", path)
    assert [each["id"] for each in json.loads(answer.content)["value"]] == [user.object_id]
    assert code(await graph.ask("GET", "/users?$filter=mail%20eq%20%27x%27"))[0] == 400
