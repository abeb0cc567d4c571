"""The classification of orphans, fact by fact."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lanyard.planning.actions import (
    ReleaseGrant,
    Removal,
    RemoveOrphans,
    RemoveUnknown,
    RevokeUnclaimed,
)
from lanyard.planning.orders import Pause, Paused
from lanyard.planning.orphans import Facts, Orphan, OrphanKind, orphan, suspects
from lanyard.policy.load import parse_policy
from lanyard.values.grants import Grant, Standing, State
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import ResourceId

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
GONE = "aaaaaaaa-0000-0000-0000-000000000001"
VM = ResourceId.parse(
    f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
)
OTHER = ResourceId.parse(f"{VM}2")
GRANT = Grant(SUBSCRIPTION, READER, GONE)
FULL = "version: 1\nmode: full\n"
ALL = FULL + "orphans: {remove: all}\n"


def listed(assignment_id: str = "/x/foreign", kind: str = "ServicePrincipal") -> ListedAssignment:
    return ListedAssignment(
        id=assignment_id,
        scope=SUBSCRIPTION,
        role_id=READER,
        principal_id=GONE,
        principal_type=kind,
        description="",
        created="",
    )


FOREIGN = Facts(
    unknown=frozenset({GONE}),
    owners={},
    standing={},
    stamped=frozenset(),
    missing=frozenset(),
    recorded=frozenset(),
)


def ours(*claimants: ResourceId, kept: bool = False, mine: bool = True) -> Facts:
    """Lanyard's own assignment of a principal that is alive."""
    standing = Standing(GRANT, State.ACTIVE, claimants, kept, mine)
    return Facts(
        unknown=frozenset(),
        owners={},
        standing={GRANT.name: standing},
        stamped=frozenset({GRANT.assignment_id.lower()}),
        missing=frozenset({VM}),
        recorded=frozenset(),
    )


def dismissed(facts: Facts, removal: Removal) -> Facts:
    return replace(facts, dismissed={removal.key: "ann"})


def found(facts: Facts, policy: str = ALL) -> list[Orphan]:
    """Of our own assignment where it is on record, and else of a foreign one."""
    assignment = listed(GRANT.assignment_id) if facts.stamped else listed()
    one = orphan(assignment, facts, parse_policy("lanyard.yaml", policy))
    return [one] if one is not None else []


def kinds(facts: Facts, policy: str = ALL) -> list[OrphanKind]:
    return [orphan.kind for orphan in found(facts, policy)]


def test_one_that_the_directory_does_not_know_and_nobody_saw_is_unknown() -> None:
    assert kinds(FOREIGN) == [OrphanKind.UNKNOWN]
    assert kinds(replace(FOREIGN, owners={GONE: VM})) == [OrphanKind.DEPARTED]


@pytest.mark.parametrize("kind", ["User", "Group", "ForeignGroup", "Device", ""])
def test_only_service_principals_are_suspects(kind: str) -> None:
    assert suspects([listed(kind=kind)], frozenset()) == frozenset()
    assert suspects([listed()], frozenset()) == {GONE}


def test_what_a_resource_shows_or_the_directory_knows_is_no_orphan() -> None:
    assert suspects([listed()], frozenset({GONE})) == frozenset()
    assert kinds(replace(FOREIGN, unknown=frozenset())) == []


def test_our_grant_is_unclaimed_when_all_its_claimants_are_missing() -> None:
    assert kinds(ours(VM)) == [OrphanKind.UNCLAIMED]
    assert kinds(ours()) == [OrphanKind.UNCLAIMED]
    assert kinds(ours(VM, OTHER)) == []
    assert kinds(ours(VM, kept=True)) == []


def test_a_grant_that_someone_elses_assignment_serves_is_not_ours() -> None:
    assert kinds(ours(VM, mine=False)) == []


def test_what_a_person_put_back_is_no_orphan_whatever_its_name() -> None:
    standing = Standing(GRANT, State.ACTIVE, (), True, False)
    kept = replace(FOREIGN, standing={GRANT.name: standing})
    assert kinds(kept) == []


@pytest.mark.parametrize(
    ("facts", "policy", "reason"),
    [
        (FOREIGN, FULL, "never saw it alive"),
        (FOREIGN, ALL.replace("full", "observe"), "mode is observe"),
        (FOREIGN, ALL.replace("full", "add-only"), "mode is add-only"),
        (ours(VM), FULL.replace("full", "observe"), "mode is observe"),
        (dismissed(FOREIGN, RemoveUnknown(GONE)), ALL, "dismissed by ann"),
        (dismissed(ours(VM), ReleaseGrant(GRANT)), ALL, "dismissed by ann"),
        (dismissed(ours(), RevokeUnclaimed(GRANT)), ALL, "dismissed by ann"),
        (
            dismissed(replace(FOREIGN, owners={GONE: VM}), RemoveOrphans(GONE)),
            ALL,
            "dismissed by ann",
        ),
    ],
)
def test_why_an_orphan_is_not_removed_is_told(facts: Facts, policy: str, reason: str) -> None:
    (orphan,) = found(facts, policy)
    assert reason in orphan.held


def test_a_pause_holds_every_kind() -> None:
    pause = Pause(Paused.REMOVALS, "ann", datetime(2026, 1, 1, tzinfo=UTC), "audit")
    for facts in (FOREIGN, replace(FOREIGN, owners={GONE: VM}), ours(VM)):
        (orphan,) = found(replace(facts, pause=pause))
        assert "paused by ann" in orphan.held
        assert found(facts)[0].held == ""


def test_every_orphan_has_its_evidence() -> None:
    for facts in (FOREIGN, replace(FOREIGN, owners={GONE: VM}), ours(VM), ours()):
        (orphan,) = found(facts)
        assert len(orphan.evidence) >= 2


def test_what_a_record_claims_goes_by_the_plan_of_its_resource() -> None:
    """Its claim may be on its way out, or lost: held, dismissed or in use, the plan knows."""
    facts = ours()
    assert kinds(facts) == [OrphanKind.UNCLAIMED]
    assert found(replace(facts, recorded=frozenset({GRANT.name}))) == []
