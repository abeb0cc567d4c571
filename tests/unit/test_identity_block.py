"""The `identity` of a write, for services that merge it and services that replace it."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.azure.arm.identity_block import (
    MOST_AT_ONCE,
    IdentityChange,
    identity_blocks,
    wanted,
)
from lanyard.values.compute import Identity
from lanyard.values.compute_types import COMPUTE_TYPES, ComputeType, Verb, compute_type
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import ResourceId
from tests.support.examples import identity_id

A, B, C = identity_id("id-a"), identity_id("id-b"), identity_id("id-c")
SHOUTED = ResourceId.parse(A.text.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
ON = "p-system"

MERGING = ComputeType(name="merging", verb=Verb.PATCH, merges=True)
REPLACING = ComputeType(name="replacing", verb=Verb.PATCH, separator=",")
WHOLE = ComputeType(
    name="whole",
    verb=Verb.PUT,
    combined=False,
    most_user_assigned=1,
    required=True,
    reason="it has one",
)
NO_SYSTEM = ComputeType(
    name="no system", verb=Verb.PATCH, system_assigned=False, combined=False, reason="nodes only"
)


def has(*attached: ResourceId, system: str | None = None) -> Identity:
    return Identity(system, {each: f"p-{each.name}" for each in attached})


def change(
    add: tuple[ResourceId, ...] = (), remove: tuple[ResourceId, ...] = (), system: bool = False
) -> IdentityChange:
    return IdentityChange.of(add, remove, system)


def block(kinds: str, **names: object) -> dict[str, Any]:
    """`a={}` names identity a; no names at all leaves the member out."""
    ids = {identity_id(f"id-{name}").text: value for name, value in names.items()}
    return {"type": kinds, **({"userAssignedIdentities": ids} if ids else {})}


@pytest.mark.parametrize(
    ("kind", "before", "asked", "expected"),
    [
        pytest.param(
            MERGING, has(), change(add=(A,)), [block("UserAssigned", a={})], id="the first"
        ),
        pytest.param(
            MERGING,
            has(B),
            change(add=(A,)),
            [block("UserAssigned", a={})],
            id="a second, by its name alone",
        ),
        pytest.param(
            MERGING,
            has(system=ON),
            change(add=(A,)),
            [block("SystemAssigned, UserAssigned", a={})],
            id="beside the system identity",
        ),
        pytest.param(
            MERGING,
            has(A, B, system=ON),
            change(remove=(A,)),
            [block("SystemAssigned, UserAssigned", a=None)],
            id="one of two goes",
        ),
        pytest.param(
            MERGING,
            has(A, system=ON),
            change(remove=(A,)),
            [block("SystemAssigned")],
            id="the last goes, the system identity stays",
        ),
        pytest.param(MERGING, has(A), change(remove=(A,)), [block("None")], id="the last goes"),
        pytest.param(
            MERGING,
            has(A),
            change(add=(B,), remove=(A,)),
            [block("UserAssigned", b={}, a=None)],
            id="one for another",
        ),
        pytest.param(
            MERGING,
            has(A),
            change(system=True),
            [block("SystemAssigned, UserAssigned", a={})],
            id="the system identity is enabled beside one that must be named",
        ),
        pytest.param(MERGING, has(A), change(add=(SHOUTED,)), [], id="attached in other letters"),
        pytest.param(
            MERGING, has(A), change(remove=(B,)), [], id="what is not there is not removed"
        ),
        pytest.param(
            MERGING,
            has(SHOUTED, B),
            change(remove=(A,)),
            [{"type": "UserAssigned", "userAssignedIdentities": {SHOUTED.text: None}}],
            id="removed as it is spelled there",
        ),
        pytest.param(
            REPLACING,
            has(B, system=ON),
            change(add=(A,)),
            [block("SystemAssigned,UserAssigned", b={}, a={})],
            id="the full set, without the blank",
        ),
        pytest.param(
            REPLACING,
            has(A, B),
            change(remove=(A,)),
            [block("UserAssigned", b={}, a=None)],
            id="the full set, and null in case it merges",
        ),
        pytest.param(REPLACING, has(A), change(remove=(A,)), [block("None")], id="all of the set"),
        pytest.param(
            WHOLE, has(A), change(add=(B,)), [block("UserAssigned", b={})], id="the one is replaced"
        ),
        pytest.param(
            WHOLE,
            has(system=ON),
            change(add=(B,)),
            [block("UserAssigned", b={})],
            id="the one kind is replaced",
        ),
        pytest.param(
            WHOLE,
            has(A),
            change(system=True),
            [block("SystemAssigned")],
            id="the system identity takes its place",
        ),
    ],
)
def test_a_write_says_just_this(
    kind: ComputeType,
    before: Identity,
    asked: IdentityChange,
    expected: list[Mapping[str, Any]],
) -> None:
    assert identity_blocks(kind, before, asked) == expected


@pytest.mark.parametrize(
    ("kind", "before", "asked"),
    [
        pytest.param(WHOLE, has(A), change(add=(B, C)), id="two where one is held"),
        pytest.param(WHOLE, has(A), change(remove=(A,)), id="the one that is required"),
        pytest.param(WHOLE, has(), change(add=(A,), system=True), id="both kinds at once"),
        pytest.param(NO_SYSTEM, has(A), change(system=True), id="no system identity"),
        *(
            pytest.param(row, has(), change(add=(A,)), id=row.name)
            for row in COMPUTE_TYPES.values()
            if not row.attachable
        ),
    ],
)
def test_what_a_type_cannot_take_is_refused_with_its_reason(
    kind: ComputeType, before: Identity, asked: IdentityChange
) -> None:
    with pytest.raises(Permanent) as refused:
        identity_blocks(kind, before, asked)
    assert kind.reason
    assert kind.reason in str(refused.value)


@pytest.mark.parametrize("kind", [MERGING, REPLACING], ids=lambda kind: kind.name)
def test_more_than_one_write_takes_are_sent_in_several(kind: ComputeType) -> None:
    many = tuple(identity_id(f"id-{number}") for number in range(2 * MOST_AT_ONCE + 1))
    blocks = identity_blocks(kind, has(A, system=ON), change(add=many, remove=(A,)))
    assert len(blocks) == 3
    end = has(A, system=ON)
    for each in blocks:
        earlier, end = end, served(end, each, merges=kind.merges)
        assert end.system_principal_id == ON
        assert len(set(end.user_assigned) - set(earlier.user_assigned)) <= MOST_AT_ONCE
    assert set(end.user_assigned) == set(many)


def test_types_are_found_in_any_case_and_carry_what_a_person_reads() -> None:
    assert compute_type("microsoft.web/SITES") == compute_type("Microsoft.Web/sites")
    assert compute_type("Microsoft.Unknown/things") is None
    for row in COMPUTE_TYPES.values():
        limited = not (row.attachable and row.system_assigned and row.combined)
        assert bool(row.reason) == limited, row.name
        assert not row.attachable or row.api_version, row.name


def test_the_table_is_read_without_any_sdk() -> None:
    """Policies are checked in editors and pipelines, where a second of imports is felt."""
    code = (
        "import sys, lanyard.values.compute_types, lanyard.azure.arm.identity_block;"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'aiohttp')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


# A service as Azure's behave: what it makes of a write, whether it merges or replaces.


def served(before: Identity, sent: Mapping[str, Any], *, merges: bool) -> Identity:
    words = {word.strip() for word in sent["type"].split(",")}
    assert words <= {"SystemAssigned", "UserAssigned", "None"}
    system = (before.system_principal_id or "p-new") if "SystemAssigned" in words else None
    if "UserAssigned" not in words:
        assert "userAssignedIdentities" not in sent
        return Identity(system, {})
    assert sent.get("userAssignedIdentities"), "MissingIdentityIds"
    stays = dict(before.user_assigned) if merges else {}
    for text, value in sent["userAssignedIdentities"].items():
        assert value in ({}, None)
        identity = ResourceId.parse(text)
        stays.pop(identity, None)
        if value is not None:
            stays[identity] = f"p-{identity.name.lower()}"
    assert stays, "MissingIdentityIds"
    return Identity(system, stays)


IDS = [identity_id(f"id-{letter}") for letter in "abcdef"]
ANY_CASE = st.sampled_from(IDS).flatmap(
    lambda each: st.sampled_from([each, ResourceId.parse(each.text.replace("id-", "ID-"))])
)
SETS = st.lists(ANY_CASE, max_size=6).map(tuple)
STATES = st.builds(
    lambda ids, system: has(*ids, system=ON if system else None), SETS, st.booleans()
)
CHANGES = st.builds(change, SETS, SETS, st.booleans())
COMBINING = [row for row in COMPUTE_TYPES.values() if row.attachable and row.combined]


@given(st.sampled_from(COMBINING), STATES, CHANGES, st.booleans())
def test_whatever_the_service_does_with_a_write_the_wanted_set_results(
    kind: ComputeType, before: Identity, asked: IdentityChange, merges: bool
) -> None:
    merges = merges or kind.merges  # a type that is known to merge is sent the change alone
    end = before
    for each in identity_blocks(kind, before, asked):
        end = served(end, each, merges=merges)
    expected = (set(before.user_assigned) - set(asked.remove)) | set(asked.add)
    assert set(end.user_assigned) == expected
    assert set(end.user_assigned) == set(wanted(kind, before, asked).user_assigned)


@given(st.sampled_from(COMBINING), STATES, CHANGES, st.booleans())
def test_no_change_ever_drops_the_system_identity(
    kind: ComputeType, before: Identity, asked: IdentityChange, merges: bool
) -> None:
    end = before
    for each in identity_blocks(kind, before, asked):
        end = served(end, each, merges=merges or kind.merges)
        if before.system_principal_id:
            assert end.system_principal_id == before.system_principal_id
    assert (end.system_principal_id is not None) == (
        asked.enable_system or before.system_principal_id is not None
    )
