"""Of which outcomes and refusals others are notified, and in what events."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from lanyard.notices.model import (
    AccessRemoved,
    ConflictFound,
    IdentityAttached,
    Notice,
    RemovalHeld,
    RoleAssigned,
)
from lanyard.notices.of_outcomes import About, of_outcome, of_refusal
from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DeleteIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
    UpgradeInstances,
)
from lanyard.planning.orders import Kind, Refusal
from lanyard.planning.outcomes import Effects, Outcome, Removal
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.removed import (
    Became,
    Removed,
    RemovedAssignment,
    RemovedAttachment,
    RemovedIdentity,
    Taken,
)
from tests.support.examples import READER, grant, identity_id, vm_id

CAUSE = {
    "source": "event",
    "event_id": "e-1",
    "event_type": "Written",
    "correlation_id": "c-1",
    "policy": "",
}
ABOUT = About(vm_id(), CAUSE, "digest", datetime(2026, 11, 2, 9, tzinfo=UTC))
ID = identity_id()
RULES = ("web",)
ASSIGN = AssignRole(grant().scope, READER, UserAssigned(ID), grant().principal_id, RULES)
RELEASE = ReleaseGrant(grant())


def assignment(name: str) -> RemovedAssignment:
    scope = grant().scope
    id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    properties = {"scope": scope, "roleDefinitionId": f"/x/{READER}", "principalId": "p-1"}
    return RemovedAssignment({"id": id, "properties": properties})


def removal(name: str, action: Action = RELEASE, became: Became = Became.DONE) -> Removal:
    kept: Removed = assignment(name)
    return Removal(action, kept, ("no claim is left",), f"removal-{name}", became)


def lost(action: Action, kept: Removed) -> Removal:
    return Removal(action, kept, ("unwanted",), "removal-1", Became.DONE)


def notices(outcome: Outcome, effects: Effects | None = None) -> list[Notice]:
    return list(of_outcome(outcome, effects or Effects(), "d-1", ABOUT))


def names_of(found: Iterable[Notice]) -> list[str]:
    """The names of the assignments that are gone."""
    gone = [one.data.assignment for one in found if isinstance(one.data, AccessRemoved)]
    return [one.id.rpartition("/")[2] for one in gone if one is not None]


def test_a_notice_says_what_was_done_to_what_by_which_rules_and_because_of_what() -> None:
    outcome = Outcome(AttachIdentity(ID, RULES), "read back from ARM")
    (notice,) = notices(outcome, Effects(principals={UserAssigned(ID): "p-1"}))
    assert (notice.subject, notice.time, notice.id) == (vm_id().text, ABOUT.time, "d-1")
    data = notice.data
    assert isinstance(data, IdentityAttached)
    assert (data.identity.id, data.identity.principal_id) == (ID.text, "p-1")
    assert (data.rules, data.reason, data.policy) == (RULES, "read back from ARM", "digest")
    assert data.cause.model_dump() == {name: CAUSE[name] for name in CAUSE if name != "policy"}


@pytest.mark.parametrize(
    ("action", "id"),
    [
        (AttachIdentity(ID, RULES), ID.text),
        (ReattachIdentity(ID, RULES), ID.text),
        (EnableSystemIdentity(RULES), ""),
        (ReplaceIdentity(UserAssigned(ID), SystemAssigned(), RULES), ID.text),
        (ReplaceIdentity(SystemAssigned(), UserAssigned(ID), RULES), ""),
    ],
    ids=["attached", "attached again", "system-assigned", "in its place", "its place taken"],
)
def test_every_way_to_get_an_identity_is_an_attached_identity(action: Action, id: str) -> None:
    principals: dict[PrincipalRef, str] = {UserAssigned(ID): "p-user", SystemAssigned(): "p-system"}
    half = lost(action, RemovedAttachment(vm_id().text, ID.text, "p-0", Taken.REATTACH))
    (notice,) = notices(Outcome(action), Effects(principals=principals, removed=[half]))
    assert isinstance(notice.data, IdentityAttached)
    expected = "p-user" if id else "p-system"
    assert (notice.data.identity.id, notice.data.identity.principal_id) == (id, expected)


def test_a_principal_that_azure_has_not_filled_in_yet_is_empty() -> None:
    (notice,) = notices(Outcome(AttachIdentity(ID, RULES)))
    assert isinstance(notice.data, IdentityAttached)
    assert notice.data.identity.principal_id == ""


def test_a_role_assignment_that_was_made_is_named_with_its_role() -> None:
    (notice,) = notices(
        Outcome(ASSIGN), Effects(granted={ASSIGN: grant()}, made=frozenset({ASSIGN}))
    )
    assert isinstance(notice.data, RoleAssigned)
    made = notice.data.assignment
    assert (made.id, made.role, made.principal_id) == (grant().assignment_id, "Reader", "p-1")


@pytest.mark.parametrize(
    "action",
    [
        ASSIGN,
        RELEASE,
        DeleteIdentity(ID),
        CreateIdentity(ID, "westeurope", RULES),
        UpgradeInstances(),
    ],
    ids=[
        "the assignment was there already",
        "another claim keeps the assignment",
        "something else uses the identity",
        "an identity alone gives no access",
        "instances are brought up to date",
    ],
)
def test_what_changed_nobodys_access_is_no_notice(action: Action) -> None:
    assert notices(Outcome(action)) == []


@pytest.mark.parametrize("failure", [Temporary("later", 5), Permanent("never")], ids=str)
@pytest.mark.parametrize("action", [AttachIdentity(ID, RULES), ASSIGN, DetachIdentity(ID)], ids=str)
def test_what_failed_is_no_notice(action: Action, failure: Temporary | Permanent) -> None:
    assert notices(Outcome(action, failure=failure)) == []


@pytest.mark.parametrize(
    ("action", "kept"),
    [
        (DetachIdentity(ID), RemovedAttachment(vm_id().text, ID.text, "p-1")),
        (
            DeleteIdentity(ID),
            RemovedIdentity(
                id=ID.text, location="westeurope", tags={}, principal_id="p-1", client_id="c-1"
            ),
        ),
    ],
    ids=["detached", "deleted"],
)
def test_an_identity_that_is_gone_is_removed_access(action: Action, kept: Removed) -> None:
    (notice,) = notices(Outcome(action), Effects(removed=[lost(action, kept)]))
    assert isinstance(notice.data, AccessRemoved)
    assert (notice.id, notice.data.assignment) == ("removal-1", None)
    assert notice.data.identity is not None
    assert (notice.data.identity.id, notice.data.identity.principal_id) == (ID.text, "p-1")


def test_the_first_half_of_a_repair_is_no_removed_access() -> None:
    action = ReattachIdentity(ID, RULES)
    half = lost(action, RemovedAttachment(vm_id().text, ID.text, "p-0", Taken.REATTACH))
    (notice,) = notices(Outcome(action), Effects(removed=[half]))
    assert isinstance(notice.data, IdentityAttached)


def test_one_in_the_place_of_another_is_removed_access_and_an_attached_identity() -> None:
    action = ReplaceIdentity(UserAssigned(ID), SystemAssigned(), RULES)
    gone = lost(action, RemovedAttachment(vm_id().text, "", "p-0"))
    removed, attached = notices(Outcome(action), Effects(removed=[gone]))
    assert isinstance(removed.data, AccessRemoved)
    assert removed.data.identity is not None
    assert (removed.data.identity.id, removed.data.identity.principal_id) == ("", "p-0")
    assert isinstance(attached.data, IdentityAttached)


def test_a_repair_that_was_none_is_no_attached_identity() -> None:
    assert notices(Outcome(ReattachIdentity(ID, RULES), "it has its principal")) == []


def test_each_assignment_that_is_gone_is_a_notice_under_its_own_decision() -> None:
    effects = Effects(removed=[removal("a"), removal("b"), removal("x", DeleteIdentity(ID))])
    found = notices(Outcome(RELEASE, "released"), effects)
    assert names_of(found) == ["a", "b"], "those of other actions are for their outcomes"
    assert [one.id for one in found] == ["removal-a", "removal-b"]
    data = found[0].data
    assert isinstance(data, AccessRemoved)
    assert (data.evidence, data.reason) == (("no claim is left",), "released")


@pytest.mark.parametrize("became", [b for b in Became if b is not Became.DONE], ids=str)
def test_of_removals_only_what_is_certainly_gone_is_told(became: Became) -> None:
    effects = Effects(removed=[removal("a"), removal("b", became=became)])
    failure = Temporary("ARM is down", 5)
    assert names_of(notices(Outcome(RELEASE, failure=failure), effects)) == ["a"]


@pytest.mark.parametrize(
    ("kind", "event"),
    [(Kind.REMOVAL, RemovalHeld), (Kind.CONFLICT, ConflictFound)],
)
def test_what_waits_for_somebody_says_how_to_have_it_done(
    kind: Kind, event: type[RemovalHeld] | type[ConflictFound]
) -> None:
    refusal = Refusal(
        key=RELEASE.key,
        because=Because.BUDGET,
        action=str(RELEASE),
        reason="the budget is spent",
        release="release it",
        releasable=True,
        kind=kind,
    )
    (notice,) = of_refusal(refusal, "h-1", "d-1", ABOUT)
    data = notice.data
    assert isinstance(data, event)
    assert (data.held_id, data.decision_id) == ("h-1", "d-1")
    assert (data.action, data.reason) == (str(RELEASE), "the budget is spent")
    assert (data.release, data.releasable) == ("release it", True)


def test_an_addition_that_waits_is_no_notice() -> None:
    refusal = Refusal(
        key=ASSIGN.key,
        because=Because.MODE,
        action=str(ASSIGN),
        reason="mode is observe",
        release="change the mode",
        kind=Kind.ADDITION,
    )
    assert list(of_refusal(refusal, "h-1", "d-1", ABOUT)) == []
