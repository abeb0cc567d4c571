"""One recording played against one simulator, which starts in the state that it implies."""

import json
from typing import Any

from simulator.azure import Azure
from simulator.event_grid.models import EventSubscription
from simulator.state import Principal, Subscription
from simulator.transport import Answer, ask
from tests.support.conformance import seeds
from tests.support.conformance.prelude import SUBSCRIPTION, Prelude
from tests.support.conformance.recordings import Exchange

_ARM = "https://management.azure.com"
_SCOPE = f"/subscriptions/{SUBSCRIPTION}"


class Replay:
    """Sends recorded requests, with what the simulator named differently put in its place."""

    def __init__(self, recorded: list[Exchange]) -> None:
        self.azure = Azure()
        self.azure.services.event_grid.validate = _welcome
        state = self.azure.state
        state.subscriptions[SUBSCRIPTION] = Subscription(SUBSCRIPTION, "Recorded")
        self.caller = state.add_principal("recorder", "User", names=seeds.recorder(recorded))
        # The recordings do not show the caller's own right: lists are compared without it.
        self._rights = self.azure.assign(self.caller.object_id, "Owner", _SCOPE)
        self._prelude = Prelude(self.azure, recorded, self.caller)
        #: Whether what has the id from an exchange on is another than before.
        self.makes_anew = self._prelude.makes_anew
        self._given: dict[str, str] = {}
        self._links: dict[str, str] = {}

    async def answer(self, exchange: Exchange) -> tuple[Answer, Any]:
        """The simulator's answer to a recorded request, and its body."""
        caller = self._prelude.before(exchange)
        answer = await self._send(exchange, caller)
        ours = json.loads(answer.content) if answer.content else None
        self._learn(exchange.answer, ours)
        for name in ("azure-asyncoperation", "location"):
            if name in exchange.answer_headers and name in answer.headers:
                self._links[_plain(exchange.answer_headers[name])] = answer.headers[name]
        if isinstance(ours, dict) and isinstance(ours.get("value"), list):
            ours["value"] = [each for each in ours["value"] if not self._is_own(each)]
        return answer, ours

    async def _send(self, exchange: Exchange, caller: Principal) -> Answer:
        graph = exchange.host == "graph.microsoft.com"
        audience = "https://graph.microsoft.com" if graph else _ARM
        token = self.azure.tokens.issue(caller, audience).access_token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        target = ("/graph" if graph else "") + self._in_our_words(exchange.target)
        url = self._links.get(_plain(exchange.uri)) or f"{_ARM}{target}"
        content = b""
        if exchange.body is not None:
            content = self._in_our_words(json.dumps(exchange.body)).encode()
        return await ask(self.azure.app, exchange.method, url, headers, content)

    def _is_own(self, row: Any) -> bool:
        return isinstance(row, dict) and row.get("name") == self._rights.name

    def _in_our_words(self, text: str) -> str:
        for theirs, ours in self._given.items():
            text = text.replace(theirs, ours)
        return text

    def _learn(self, theirs: Any, ours: Any) -> None:
        """Ids of new principals differ: later requests name ours."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in ("principalId", "clientId", "tenantId"):
                self._note(theirs.get(key), ours.get(key))
            for key in theirs.keys() & ours.keys():
                self._learn(theirs[key], ours[key])

    def _note(self, theirs: object, ours: object) -> None:
        if isinstance(theirs, str) and isinstance(ours, str) and theirs not in (ours, SUBSCRIPTION):
            self._given[theirs] = ours


async def _welcome(_subscription: EventSubscription) -> None:
    """Every endpoint of a recording was there."""


def _plain(url: str) -> str:
    """Without what differs between a link and the request that follows it: its signature."""
    path, _, query = url.partition("?")
    kept = [each for each in query.split("&") if each.startswith("monitor")]
    return "?".join([path.replace(":443/", "/", 1).removeprefix(_ARM), *kept])
