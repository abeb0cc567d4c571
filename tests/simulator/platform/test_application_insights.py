"""An Application Insights component: what it takes, and from whom. Microsoft's exporter is in
tests/e2e/test_telemetry.py.
"""

import gzip
import json
from typing import Any

import pytest

from simulator.azure import IN_PROCESS_URL, Azure
from simulator.transport import Answer, ask

MONITOR = "https://monitor.azure.com/"


class Workshop:
    """One component, made by ARM as a pipeline does, its owner, and an app that may write to it."""

    def __init__(self) -> None:
        self.azure = Azure(seed=3)
        state = self.azure.state
        self.scope = f"/subscriptions/{state.add_subscription('one').id}"
        self.path = f"{self.scope}/resourceGroups/rg/providers/Microsoft.Insights/components/appi"
        self.owner = state.add_principal("owner", "User")
        self.app = state.add_principal("app")
        self.azure.assign(self.owner.object_id, "Owner", self.scope)
        self.key = ""

    async def arm(self, method: str, path: str, version: str, **body: Any) -> dict[str, Any]:
        token = self.azure.tokens.issue(self.owner, "https://management.azure.com").access_token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = json.dumps(body).encode() if body else b""
        url = f"{IN_PROCESS_URL}{path}?api-version={version}"
        answer = await ask(self.azure.app, method, url, headers, content)
        found: dict[str, Any] = json.loads(answer.content)
        return found

    async def make(self) -> None:
        place = {"location": "westeurope"}
        await self.arm("PUT", self.path.partition("/providers")[0], "2024-11-01", **place)
        made = await self.arm("PUT", self.path, "2020-02-02", **place, kind="web", properties={})
        self.key = made["properties"]["InstrumentationKey"]
        self.azure.assign(self.app.object_id, "Monitoring Metrics Publisher", self.path)

    async def track(self, content: bytes, audience: str = MONITOR, **headers: str) -> Answer:
        token = self.azure.tokens.issue(self.app, audience).access_token
        url = f"{IN_PROCESS_URL}/insights/v2.1/track"
        signed = {"authorization": f"Bearer {token}", **headers}
        return await ask(self.azure.app, "POST", url, signed, content)

    def envelopes(self, *names: str, key: str = "") -> bytes:
        listed = [{"iKey": key or self.key, "data": {"baseData": {"name": name}}} for name in names]
        return json.dumps(listed).encode()

    @property
    def taken(self) -> list[str]:
        return [each.data["name"] for each in self.azure.services.components.taken]


@pytest.fixture
async def workshop() -> Workshop:
    made = Workshop()
    await made.make()
    return made


async def test_it_keeps_its_key_and_tells_where_it_takes_telemetry(workshop: Workshop) -> None:
    again = await workshop.arm(
        "PUT", workshop.path, "2020-02-02", location="westeurope", kind="web", properties={}
    )
    found = await workshop.arm("GET", workshop.path, "2020-02-02")
    address = f"InstrumentationKey={workshop.key};IngestionEndpoint={IN_PROCESS_URL}/insights/"
    for body in (again, found):
        assert body["properties"]["ConnectionString"] == address


async def test_what_is_sent_is_kept_zipped_or_not(workshop: Workshop) -> None:
    answer = await workshop.track(workshop.envelopes("a", "b"))
    assert answer.status == 200
    assert json.loads(answer.content) == {"itemsReceived": 2, "itemsAccepted": 2, "errors": []}
    zipped = gzip.compress(workshop.envelopes("c"))
    assert (await workshop.track(zipped, **{"content-encoding": "gzip"})).status == 200
    assert workshop.taken == ["a", "b", "c"]
    (caller,) = {each.caller for each in workshop.azure.services.components.taken}
    assert caller == workshop.app.object_id


async def test_an_envelope_a_line_is_taken_as_a_list_is(workshop: Workshop) -> None:
    listed = json.loads(workshop.envelopes("a", "b"))
    lines = "\n".join(json.dumps(each) for each in listed) + "\n"
    answer = await workshop.track(lines.encode(), **{"content-type": "application/json"})
    assert (answer.status, workshop.taken) == (200, ["a", "b"])


async def test_one_envelope_of_an_unknown_key_is_refused_and_the_rest_taken(
    workshop: Workshop,
) -> None:
    mixed = json.loads(workshop.envelopes("mine")) + json.loads(workshop.envelopes("x", key="no"))
    answer = await workshop.track(json.dumps(mixed).encode())
    assert answer.status == 206
    (error,) = json.loads(answer.content)["errors"]
    assert (error["index"], error["statusCode"]) == (1, 400)
    assert workshop.taken == ["mine"]


@pytest.mark.parametrize(
    ("content", "audience", "status"),
    [
        (None, "https://management.azure.com", 401),
        (b"no json", MONITOR, 400),
        (b"{}", MONITOR, 400),
        (b"[5]", MONITOR, 400),
    ],
    ids=["another audience", "no JSON", "no list", "no envelopes"],
)
async def test_is_refused(
    workshop: Workshop, content: bytes | None, audience: str, status: int
) -> None:
    sent = workshop.envelopes("a") if content is None else content
    assert (await workshop.track(sent, audience)).status == status
    assert workshop.taken == []


async def test_who_has_no_role_on_it_is_refused(workshop: Workshop) -> None:
    assignments = workshop.azure.state.role_assignments
    (given,) = (a for a in assignments.values() if a.principal_id == workshop.app.object_id)
    del assignments[given.id.lower()]
    assert (await workshop.track(workshop.envelopes("a"))).status == 403
    assert workshop.taken == []


@pytest.mark.parametrize(("local", "status"), [(True, 200), (False, 401)])
async def test_the_key_alone_will_do_unless_local_authentication_is_off(
    workshop: Workshop, local: bool, status: int
) -> None:
    await workshop.arm(
        "PUT",
        workshop.path,
        "2020-02-02",
        location="westeurope",
        kind="web",
        properties={"DisableLocalAuth": not local},
    )
    url = f"{IN_PROCESS_URL}/insights/v2.1/track"
    answer = await ask(workshop.azure.app, "POST", url, {}, workshop.envelopes("a"))
    assert (answer.status, workshop.taken) == (status, ["a"] if local else [])
