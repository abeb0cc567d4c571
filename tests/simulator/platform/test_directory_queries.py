"""What the Azure CLI asks Graph: service principals by name, who is signed in, its audience."""

import json
from urllib.parse import quote

import pytest

from simulator.azure import Azure
from simulator.state import Principal
from simulator.transport import Answer, ask


class Graph:
    """A caller with the permission to read."""

    def __init__(self) -> None:
        self.azure = Azure()
        self.app = self.azure.state.add_principal("caller")
        self.azure.services.directory.grant_permission(self.app.object_id)

    async def get(
        self, path: str, who: Principal | None = None, audience: str = "https://graph.microsoft.com"
    ) -> Answer:
        token = self.azure.tokens.issue(who or self.app, audience).access_token
        url = f"https://graph.local/graph/{path}"
        return await ask(self.azure.app, "GET", url, {"authorization": f"Bearer {token}"}, b"")

    async def found(self, clause: str) -> list[str]:
        answer = await self.get(f"v1.0/servicePrincipals?$filter={quote(clause)}")
        assert answer.status == 200, answer.content
        return [each["displayName"] for each in json.loads(answer.content)["value"]]


@pytest.fixture
async def graph() -> Graph:
    return Graph()


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.content)["error"]["code"]


async def test_service_principals_are_found_by_client_id_and_by_name(graph: Graph) -> None:
    shop = graph.azure.state.add_principal("id-Shop")
    graph.azure.state.add_principal("id-shop-two")
    graph.azure.state.add_principal("id-shop", "User")
    assert await graph.found(f"servicePrincipalNames/any(c:c eq '{shop.client_id}')") == ["id-Shop"]
    assert await graph.found(f"appId eq '{shop.client_id.upper()}'") == ["id-Shop"]
    assert await graph.found("displayName eq 'ID-SHOP'") == ["id-Shop"]
    assert await graph.found("startswith(displayName,'id-shop')") == ["id-Shop", "id-shop-two"]
    assert await graph.found(f"servicePrincipalNames/any(c:c eq '{shop.object_id}')") == []


async def test_a_deleted_service_principal_is_not_found(graph: Graph) -> None:
    shop = graph.azure.state.add_principal("id-shop")
    graph.azure.state.delete_principal(shop.object_id)
    assert await graph.found("displayName eq 'id-shop'") == []


async def test_all_service_principals_are_listed_without_a_filter(graph: Graph) -> None:
    listed = json.loads((await graph.get("v1.0/servicePrincipals")).content)["value"]
    assert [each["id"] for each in listed] == [graph.app.object_id]


async def test_another_filter_is_refused(graph: Graph) -> None:
    answer = await graph.get("v1.0/servicePrincipals?$filter=endswith(displayName,'x')")
    assert code(answer) == (400, "Request_BadRequest")


async def test_me_is_the_signed_in_user_and_nobody_for_an_application(graph: Graph) -> None:
    person = graph.azure.state.add_principal("Operator", "User", ["operator@example.org"])
    answer = await graph.get("v1.0/me", person)
    assert json.loads(answer.content)["userPrincipalName"] == "operator@example.org"
    assert code(await graph.get("v1.0/me")) == (400, "BadRequest")


async def test_an_unknown_path_gets_graphs_own_error(graph: Graph) -> None:
    assert code(await graph.get("v1.0/groups")) == (400, "BadRequest")
    assert code(await graph.get("beta/me")) == (400, "BadRequest")


async def test_the_address_of_this_graph_is_an_audience(graph: Graph) -> None:
    own = await graph.get("v1.0/servicePrincipals", audience="https://graph.local/graph/")
    assert own.status == 200
    other = await graph.get("v1.0/servicePrincipals", audience="https://graph.local/blob")
    assert code(other) == (401, "InvalidAuthenticationTokenAudience")


async def test_users_are_found_by_the_start_of_their_name(graph: Graph) -> None:
    graph.azure.state.add_principal("Ann", "User")
    graph.azure.state.add_principal("Bob", "User")
    for clause in ("startswith(displayName,'an')", "displayName eq 'ANN'"):
        answer = await graph.get(f"v1.0/users?$filter={quote(clause)}")
        assert [each["displayName"] for each in json.loads(answer.content)["value"]] == ["Ann"]


async def test_an_application_is_found_by_its_address(graph: Graph) -> None:
    graph.azure.state.add_principal("shop").addresses.append("api://shop")
    assert await graph.found("servicePrincipalNames/any(c:c eq 'api://SHOP')") == ["shop"]
