"""Current and desired in, actions out: a row of the truth table each."""

import uuid
from dataclasses import replace
from typing import TypeAliasType, get_args

import pytest

from lanyard.planning.actions import (
    ORDER,
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    Removal,
    RemoveOrphans,
    ReplaceIdentity,
    UpgradeInstances,
)
from lanyard.planning.desired import NOTHING, Desired, WantedGrant, WantedIdentity
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.values.compute import (
    ComputeResource,
    Identity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.grants import NAME_SPACES, Grant
from lanyard.values.resource_id import ResourceId
from tests.support.examples import (
    GROUP,
    MEMBERSHIP,
    READER,
    grant,
    identity_id,
    of_another_kind,
    vm,
)

APP = identity_id("id-app")
OTHER = identity_id("id-other")


def wants_identity(*, create: bool = False) -> Desired:
    return Desired(identities={APP: WantedIdentity(APP, "westeurope" if create else None, ("r",))})


def wants_grant() -> Desired:
    return Desired(
        identities={APP: WantedIdentity(APP, None, ("r",))},
        grants=(WantedGrant(GROUP, READER, UserAssigned(APP), ("r",)),),
    )


def actions(desired: Desired, actual: Actual, owned: Owned | None = None) -> tuple[Action, ...]:
    return plan(desired, actual, owned or Owned()).actions


def alive(resource: ComputeResource) -> Actual:
    return Actual(resource, {UserAssigned(APP): "p-1"})


def kinds_of(alias: TypeAliasType | type) -> set[type]:
    """The classes that a union of actions comes to."""
    if isinstance(alias, TypeAliasType):
        return {kind for part in get_args(alias.__value__) for kind in kinds_of(part)}
    return {alias}


def test_every_kind_of_action_has_its_place_in_the_order_removals_after_what_gives() -> None:
    assert len(ORDER) == len(set(ORDER))
    assert set(ORDER) == kinds_of(Action)
    gives = [ORDER.index(kind) for kind in (CreateIdentity, AttachIdentity, AssignRole)]
    assert max(gives) < min(ORDER.index(kind) for kind in kinds_of(Removal))


def test_a_wanted_identity_that_is_absent_is_attached() -> None:
    assert actions(wants_identity(), alive(vm())) == (AttachIdentity(APP, ("r",)),)


def test_a_wanted_identity_that_is_there_needs_nothing() -> None:
    assert actions(wants_identity(), alive(vm(attached={APP: "p-1"}))) == ()


def test_an_identity_is_the_same_in_any_case() -> None:
    shouted = identity_id("ID-APP", GROUP.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert actions(wants_identity(), alive(vm(attached={shouted: "p-1"}))) == ()


def test_an_identity_that_we_attached_and_nobody_wants_is_detached() -> None:
    owned = Owned(attachments=frozenset({APP}))
    assert actions(NOTHING, alive(vm(attached={APP: "p-1"})), owned) == (DetachIdentity(APP),)


def test_someone_elses_identity_is_left_alone() -> None:
    assert actions(NOTHING, alive(vm(attached={OTHER: "p-2"}))) == ()


def test_an_identity_of_ours_that_someone_took_away_is_not_detached_again() -> None:
    assert actions(NOTHING, alive(vm()), Owned(attachments=frozenset({APP}))) == ()


def test_a_missing_identity_is_created_attached_and_granted_in_this_order() -> None:
    desired = Desired(
        identities=wants_identity(create=True).identities, grants=wants_grant().grants
    )
    assert actions(desired, Actual(vm())) == (
        CreateIdentity(APP, "westeurope", ("r",)),
        AttachIdentity(APP, ("r",)),
        AssignRole(GROUP, READER, UserAssigned(APP), None, ("r",)),
    )


def test_an_identity_that_must_exist_and_does_not_blocks_only_itself() -> None:
    desired = Desired(
        identities=wants_grant().identities, system=("s",), grants=wants_grant().grants
    )
    result = plan(desired, Actual(vm()), Owned())
    assert result.actions == (EnableSystemIdentity(("s",)),)
    assert [blocked.id for blocked in result.blocked] == [APP]


def test_a_wanted_grant_is_assigned_to_the_principal_behind_the_identity() -> None:
    actual = alive(vm(attached={APP: "p-1"}))
    assert actions(wants_grant(), actual) == (
        AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",)),
    )


def test_a_claimed_grant_needs_nothing_in_any_case() -> None:
    owned = Owned(grants=frozenset({Grant(GROUP.upper(), READER, "p-1")}))
    assert actions(wants_grant(), alive(vm(attached={APP: "p-1"})), owned) == ()


def test_a_grant_of_another_kind_stands_for_no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAME_SPACES, MEMBERSHIP, uuid.uuid4())
    owned = Owned(grants=frozenset({of_another_kind(grant())}))
    assert actions(wants_grant(), alive(vm(attached={APP: "p-1"})), owned) == (
        AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",)),
        ReleaseGrant(of_another_kind(grant())),
    )


def test_a_pending_grant_is_assigned_again() -> None:
    owned = Owned(pending=frozenset({grant()}))
    assert actions(wants_grant(), alive(vm(attached={APP: "p-1"})), owned) == (
        AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",)),
    )


def test_a_grant_that_no_rule_wants_is_released() -> None:
    owned = Owned(grants=frozenset({grant()}))
    assert actions(NOTHING, alive(vm()), owned) == (ReleaseGrant(grant()),)


def test_a_recreated_identity_gets_a_new_grant_before_the_old_one_is_released() -> None:
    owned = Owned(grants=frozenset({grant("p-old")}))
    assert actions(wants_grant(), alive(vm(attached={APP: "p-1"})), owned) == (
        AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",)),
        ReleaseGrant(grant("p-old")),
    )


def test_the_system_identity_is_enabled_and_granted_to() -> None:
    desired = Desired(system=("s",), grants=(WantedGrant(GROUP, READER, SystemAssigned(), ("s",)),))
    assert actions(desired, Actual(vm())) == (
        EnableSystemIdentity(("s",)),
        AssignRole(GROUP, READER, SystemAssigned(), None, ("s",)),
    )
    on = Actual(vm(system="p-sys"), {SystemAssigned(): "p-sys"})
    assert actions(desired, on) == (AssignRole(GROUP, READER, SystemAssigned(), "p-sys", ("s",)),)


def test_the_second_half_of_a_repair_is_an_attachment_that_says_so() -> None:
    owned = Owned(in_repair=frozenset({APP}))
    (action,) = actions(wants_identity(), alive(vm()), owned)
    assert action == AttachIdentity(APP, ("r",))
    assert isinstance(action, AttachIdentity)
    assert action.in_repair


def test_what_somebody_else_attached_comes_back_although_no_rule_asks_for_it_any_more() -> None:
    theirs = Owned(in_repair=frozenset({APP}))
    assert actions(NOTHING, alive(vm()), theirs) == (AttachIdentity(APP, ()),)
    ours = replace(theirs, attachments=frozenset({APP}))
    assert actions(NOTHING, alive(vm()), ours) == ()
    assert actions(NOTHING, alive(vm(attached={APP: "p-1"})), theirs) == ()


CLUSTER = ResourceId.parse(f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks")


@pytest.mark.parametrize(
    ("identity", "old"),
    [
        (Identity("p-sys"), SystemAssigned()),
        (Identity(None, {OTHER: "p-2"}), UserAssigned(OTHER)),
    ],
    ids=["system", "user-assigned"],
)
def test_of_a_type_that_holds_one_identity_what_is_wanted_replaces_what_is_there(
    identity: Identity, old: PrincipalRef
) -> None:
    cluster = ComputeResource(id=CLUSTER, location="westeurope", tags={}, identity=identity)
    owned = Owned(attachments=frozenset({OTHER}))
    replaced = ReplaceIdentity(UserAssigned(APP), old, ("r",))
    assert actions(wants_identity(), alive(cluster), owned) == (replaced,)


def test_and_one_that_has_none_gets_its_first() -> None:
    cluster = ComputeResource(id=CLUSTER, location="westeurope", tags={}, identity=Identity())
    assert actions(wants_identity(), alive(cluster)) == (AttachIdentity(APP, ("r",)),)
    enabled = Desired(system=("s",))
    assert actions(enabled, alive(cluster)) == (EnableSystemIdentity(("s",)),)
    attached = replace(cluster, identity=Identity(None, {OTHER: "p-2"}))
    replaced = ReplaceIdentity(SystemAssigned(), UserAssigned(OTHER), ("s",))
    assert actions(enabled, alive(attached)) == (replaced,)


def test_a_gone_resource_releases_what_it_claimed_and_its_own_principal_is_looked_after() -> None:
    owned = Owned(
        attachments=frozenset({APP}),
        grants=frozenset({grant()}),
        pending=frozenset({grant("p-2")}),
        system_principals=frozenset({"p-sys"}),
    )
    assert set(actions(NOTHING, Actual(None), owned)) == {
        ReleaseGrant(grant()),
        ReleaseGrant(grant("p-2")),
        RemoveOrphans("p-sys"),
    }


def test_a_recreated_resource_leaves_its_first_principal_to_be_looked_after() -> None:
    actual = Actual(vm(system="p-new"), {SystemAssigned(): "p-new"})
    owned = Owned(system_principals=frozenset({"p-old", "p-new"}))
    assert actions(NOTHING, actual, owned) == (RemoveOrphans("p-old"),)


def test_an_identity_that_was_recreated_under_its_name_is_attached_again() -> None:
    dead = alive(vm(attached={APP: "p-dead"}))
    assert actions(wants_identity(), dead) == (ReattachIdentity(APP, ("r",)),)


def test_an_identity_whose_principal_azure_has_not_filled_in_is_left_alone() -> None:
    assert actions(wants_identity(), alive(vm(attached={APP: None}))) == ()


def test_a_changed_condition_is_assigned_and_the_grant_is_not_released() -> None:
    desired = Desired(
        identities=wants_identity().identities,
        grants=(WantedGrant(GROUP, READER, UserAssigned(APP), ("r",), "new condition"),),
    )
    owned = Owned(grants=frozenset({grant()}))
    assert actions(desired, alive(vm(attached={APP: "p-1"})), owned) == (
        AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",), "new condition"),
    )


@pytest.mark.parametrize("condition", [None, "the one", "the other", "neither"])
@pytest.mark.parametrize("stands", ["nothing", "as recorded", "in question", "taken away"])
def test_beside_a_contradiction_only_what_stood_is_given_and_as_it_stood(
    stands: str, condition: str | None
) -> None:
    wanted = replace(wants_grant().grants[0], condition="the one", contradicted=True)
    desired = replace(wants_grant(), grants=(wanted,))
    stood = replace(grant(), condition=condition)
    before = {
        "nothing": Owned(),
        "as recorded": Owned(grants=frozenset({stood})),
        # What was intended before the contradiction may have been given.
        "in question": Owned(
            grants=frozenset({stood}), pending=frozenset({replace(stood, condition="the one")})
        ),
        "taken away": Owned(pending=frozenset({stood})),
    }
    again = AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",), condition)
    found = actions(desired, alive(vm(attached={APP: "p-1"})), before[stands])
    assert found == ((again,) if stands in ("in question", "taken away") else ())


@pytest.mark.parametrize("condition", [None, "the one", "the other"])
def test_beside_a_contradiction_what_was_only_intended_is_not_given(condition: str | None) -> None:
    wanted = replace(wants_grant().grants[0], condition="the one", contradicted=True)
    desired = replace(wants_grant(), grants=(wanted,))
    intended, other = replace(grant(), condition=condition), replace(grant(), scope=f"{GROUP}-2")
    owned = Owned(pending=frozenset({intended, other}))
    found = owned.without_intended(desired.contradicted({UserAssigned(APP): "p-1"}), frozenset())
    there = alive(vm(attached={APP: "p-1"}))
    # The claim stays for whichever of the two rules is left; what nobody wants is given up.
    assert actions(desired, there, found) == (ReleaseGrant(other),)
    had = owned.without_intended(frozenset({grant().key}), frozenset({intended}))
    assert had == owned


def test_a_grant_on_two_conditions_is_one_assignment_and_released_once() -> None:
    confirmed = grant()
    unconfirmed = replace(confirmed, condition="@Resource[x] exists")
    owned = Owned(grants=frozenset({confirmed}), pending=frozenset({unconfirmed}))
    assert actions(NOTHING, alive(vm()), owned) == (ReleaseGrant(confirmed),)


def test_instances_are_brought_up_to_date_where_the_rule_asks_and_only_after_a_change() -> None:
    asks = replace(wants_identity(), upgrade_instances=True)
    manual = replace(vm(), manual_upgrade=True)
    attached = replace(vm(attached={APP: "p-1"}), manual_upgrade=True)
    changed = (AttachIdentity(APP, ("r",)), UpgradeInstances())
    assert actions(asks, alive(manual)) == changed
    assert actions(wants_identity(), alive(manual)) == changed[:1]
    assert actions(asks, alive(vm())) == changed[:1]
    assert actions(asks, alive(attached)) == ()
    lagging = Owned(instances_lag=True)
    (upgrade,) = actions(asks, alive(attached), lagging)
    assert upgrade == UpgradeInstances()
    assert isinstance(upgrade, UpgradeInstances)
    assert upgrade.lagging
    assert actions(asks, alive(vm(attached={APP: "p-1"})), lagging) == ()


def test_what_would_be_taken_waits_for_instances_that_may_lack_what_is_wanted() -> None:
    """Whether a rule has them upgraded or not; where nothing is wanted, they lack nothing."""
    old = identity_id("id-old")
    manual = replace(vm(attached={APP: "p-1", old: "p-2"}), manual_upgrade=True)
    wants, takes = wants_identity(), Owned(attachments=frozenset({old}))
    lagging = replace(takes, instances_lag=True)
    assert actions(wants, alive(manual), takes) == (DetachIdentity(old),)
    assert actions(wants, alive(manual), lagging) == (DetachIdentity(old), UpgradeInstances())
    assert actions(NOTHING, alive(manual), lagging) == (DetachIdentity(old),)
    assert actions(wants, alive(manual), replace(lagging, attachments=frozenset())) == ()
