"""For each recording: the state it starts from, and the time that passes between its exchanges."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.support.conformance.recordings import Exchange
from tests.support.conformance.replay import SCOPE, Replay

type Prepare = Callable[[Replay, list[Exchange]], Awaitable[None]]


@dataclass(frozen=True)
class Setting:
    """`pauses`: seconds that pass before the exchange of that index.

    `newest`: recorded under the token buckets of today, so that the quota headers must be exactly
    those; older recordings carry fewer.
    """

    prepare: Prepare
    pauses: dict[int, float] = field(default_factory=dict)
    newest: bool = False


def _group_of(recorded: list[Exchange]) -> str:
    found = (re.search(r"/resource[gG]roups/([^/?]+)", each.uri) for each in recorded)
    return next(match[1] for match in found if match)


async def _group_only(replay: Replay, recorded: list[Exchange]) -> None:
    tags = recorded[0].answer.get("tags") if isinstance(recorded[0].answer, dict) else None
    replay.add_group(_group_of(recorded), tags or {})


async def _nothing(_replay: Replay, _recorded: list[Exchange]) -> None:
    """The recording makes its own group."""


async def _machine(replay: Replay, recorded: list[Exchange]) -> None:
    """The machine as first read, and every identity that any exchange names."""
    replay.azure.behaviour.operation_seconds = 5
    await _group_only(replay, [each for each in recorded if "virtualMachines" in each.uri])
    for each in recorded:
        block = (each.answer or {}).get("identity") or {}
        for resource_id, ids in (block.get("userAssignedIdentities") or {}).items():
            if ids:
                replay.add_identity(resource_id, ids["principalId"], ids["clientId"])
    replay.add_machine(recorded[0].answer)


async def _replicating(replay: Replay, recorded: list[Exchange]) -> None:
    replay.azure.behaviour.principal_replication_seconds = 13
    await _nothing(replay, recorded)


async def _assigned_before(replay: Replay, recorded: list[Exchange]) -> None:
    """The group, the user who is given the role, and the assignments that the list shows."""
    replay.add_group(_group_of(recorded), {})
    for each in recorded:
        wanted = (each.body or {}).get("properties") or {}
        if wanted.get("principalType") == "User":
            replay.add_principal(wanted["principalId"], "User")
    for each in recorded:
        if "atScope()" in each.uri:
            replay.add_assignments(each.answer["value"], besides=_assigned_name(recorded))


def _assigned_name(recorded: list[Exchange]) -> str:
    puts = (each for each in recorded if each.method == "PUT" and "roleAssignments" in each.uri)
    return next(puts).answer["name"]  # type: ignore[no-any-return]


async def _group_going(replay: Replay, recorded: list[Exchange]) -> None:
    """The deletion was asked for before the recording begins."""
    replay.azure.behaviour.group_delete_seconds = 60
    group = recorded[-1].uri.split("/resourceGroups/")[1].split("/")[0]
    replay.add_group(group, {})
    path = f"{SCOPE}/resourceGroups/{group}?api-version=2020-06-01"
    accepted = await replay.send("DELETE", path)
    assert accepted.status == 202
    replay.follow(recorded[0].uri, accepted.headers["location"])


_ATTACH_ENDS = {4: 6.0}
_DETACH_ENDS = {3: 7.0}
SETTINGS: dict[str, Setting] = {
    "identity-create-2024-11-30": Setting(_group_only, newest=True),
    "identity-create-list-associated-delete": Setting(_assigned_before),
    "identity-revoke-tokens": Setting(_group_only),
    "resource-group-delete-poll-then-identity-404": Setting(_group_going, {3: 60.0}),
    "role-assignment-create-for-user-with-graph-lookup": Setting(_assigned_before),
    "role-assignment-create-list-delete": Setting(_assigned_before, newest=True),
    "role-assignment-legacy-2018-request-charge": Setting(_assigned_before),
    "role-assignment-list-by-principal-two-scopes": Setting(_assigned_before, newest=True),
    "role-assignment-principal-not-found-then-created": Setting(_replicating, {8: 13.0}),
    "role-assignment-update-existing-put": Setting(_assigned_before),
    "vm-attach-user-assigned": Setting(_machine, _ATTACH_ENDS, newest=True),
    "vm-detach-last-user-assigned": Setting(_machine, _DETACH_ENDS, newest=True),
    "vm-detach-one-of-two-user-assigned": Setting(_machine, _DETACH_ENDS, newest=True),
    "vm-detach-system-assigned": Setting(_machine, _DETACH_ENDS, newest=True),
}

_GRAPH = "Microsoft Graph: tests/simulator/platform/test_graph_conformance.py"
#: (recording, index) → why the simulator does not answer it.
NOT_COVERED: dict[tuple[str, int], str] = {
    ("identity-create-list-associated-delete", 0): "the catalogue of a provider's operations",
    ("identity-revoke-tokens", 1): "revokeTokens: tokens of the simulator are not revoked",
    ("role-assignment-create-for-user-with-graph-lookup", 0): _GRAPH,
    ("role-assignment-create-for-user-with-graph-lookup", 3): _GRAPH,
}

#: (recording, index) → why only keys and types of the body can agree.
SHAPE_ONLY: dict[tuple[str, int], str] = {
    ("role-assignment-legacy-2018-request-charge", 0): "Reader's description was another in 2018",
}
