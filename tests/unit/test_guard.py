from dataclasses import replace

import pytest

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    RemoveOrphans,
    ReplaceIdentity,
    UpgradeInstances,
)
from lanyard.planning.desired import NOTHING, Desired, Kept, Unfulfillable, WantedIdentity
from lanyard.planning.guard import guard
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Situation, Verdict
from lanyard.policy import Mode, Policy
from lanyard.policy.document import Privileged, PrivilegedRole
from lanyard.values.compute import ComputeResource, Identity, SystemAssigned, UserAssigned
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Because
from lanyard.values.permissions import Definition, Permission, RoleDefinition, Unknown
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import role_id
from tests.support.examples import GROUP, READER, grant, identity_id, vm

APP = identity_id("id-app")
DEFAULT = identity_id("id-default")
ATTACH = AttachIdentity(APP, ("r",))
ASSIGN = AssignRole(GROUP, READER, UserAssigned(APP), "p-1", ("r",))
REMOVALS: tuple[Action, ...] = (
    DetachIdentity(APP),
    ReleaseGrant(grant()),
    RemoveOrphans("p-sys"),
)

CUSTOM = "cccccccc-0000-0000-0000-000000000001"
HARMLESS = "dddddddd-0000-0000-0000-000000000001"
_ROLES: dict[str, Definition] = {
    CUSTOM: RoleDefinition(
        CUSTOM, "Custom", (Permission(("Microsoft.Authorization/roleDefinitions/write",)),)
    ),
    HARMLESS: RoleDefinition(HARMLESS, "Harmless", (Permission(("*/read",)),)),
    "missing": Unknown.MISSING,
}
ROLES = {(role, ""): definition for role, definition in _ROLES.items()}


def judge(
    *actions: Action,
    mode: Mode = Mode.FULL,
    resource: ComputeResource | None = None,
    desired: Desired = NOTHING,
    privileged: Privileged | None = None,
) -> Verdict:
    policy = Policy(version=1, mode=mode, privileged=privileged or Privileged())
    return guard(Plan(actions), Situation(policy, desired, resource or vm(), roles=ROLES))


def test_full_mode_allows_everything() -> None:
    assert judge(ATTACH, ASSIGN, *REMOVALS).allowed == (ATTACH, ASSIGN, *REMOVALS)


def test_observe_mode_holds_everything_and_says_how_to_go_on() -> None:
    verdict = judge(ATTACH, *REMOVALS, mode=Mode.OBSERVE)
    assert verdict.allowed == ()
    assert [held.action for held in verdict.held] == [ATTACH, *REMOVALS]
    assert {held.reason for held in verdict.held} == {"mode is observe"}
    assert all("mode: full" in held.release for held in verdict.held)


def test_add_only_mode_holds_removals() -> None:
    verdict = judge(ATTACH, ASSIGN, *REMOVALS, mode=Mode.ADD_ONLY)
    assert verdict.allowed == (ATTACH, ASSIGN)
    assert [held.action for held in verdict.held] == [*REMOVALS]


def test_a_second_identity_beside_an_imds_default_is_held_with_all_that_serves_it() -> None:
    only_one = vm(attached={DEFAULT: "p-0"})
    create = CreateIdentity(APP, "westeurope", ("r",))
    verdict = judge(create, ATTACH, ASSIGN, resource=only_one)
    assert verdict.allowed == ()
    assert [held.action for held in verdict.held] == [create, ATTACH, ASSIGN]
    assert "IMDS" in verdict.held[1].reason
    assert "imdsDefault: accept" in verdict.held[1].release


def test_a_system_identity_beside_an_imds_default_is_held_too() -> None:
    enable = EnableSystemIdentity(("r",))
    assign = AssignRole(GROUP, READER, SystemAssigned(), None, ("r",))
    verdict = judge(enable, assign, resource=vm(attached={DEFAULT: "p-0"}))
    assert [held.action for held in verdict.held] == [enable, assign]


def test_what_the_machine_had_before_its_repair_was_cut_off_is_no_second_one() -> None:
    again = AttachIdentity(APP, ("r",), in_repair=True)
    verdict = judge(again, resource=vm(attached={DEFAULT: "p-0"}))
    assert verdict.allowed == (again,)


def test_the_rule_can_accept_the_change_of_the_imds_default() -> None:
    accepted = Desired(imds_default_accepted=True)
    verdict = judge(ATTACH, resource=vm(attached={DEFAULT: "p-0"}), desired=accepted)
    assert verdict.allowed == (ATTACH,)


def test_a_machine_whose_imds_default_does_not_change_gets_its_identity() -> None:
    none = vm()
    system = vm(system="p-sys", attached={DEFAULT: "p-0"})
    several = vm(attached={DEFAULT: "p-0", identity_id("id-2"): "p-2"})
    for resource in (none, system, several):
        assert judge(ATTACH, resource=resource).allowed == (ATTACH,)


def assign(role: str, scope: str = GROUP) -> AssignRole:
    return AssignRole(scope, role, UserAssigned(APP), "p-1", ("r",))


SUBSCRIPTION_SCOPE = GROUP.partition("/resourceGroups")[0]


@pytest.mark.parametrize(
    ("role", "scope", "held"),
    [
        ("Owner", GROUP, True),
        ("User Access Administrator", GROUP, True),
        ("Role Based Access Control Administrator", vm().id.text, True),
        ("Contributor", SUBSCRIPTION_SCOPE, True),
        ("Contributor", GROUP, False),
        ("Reader", SUBSCRIPTION_SCOPE, False),
        (CUSTOM, GROUP, True),
        (HARMLESS, GROUP, False),
    ],
)
def test_a_role_that_could_give_itself_more_is_held(role: str, scope: str, held: bool) -> None:
    action = assign(role_id(role) or "", scope)
    verdict = judge(action)
    assert [entry.action for entry in verdict.held] == ([action] if held else [])
    if held:
        assert "privileged.allow" in verdict.held[0].release


@pytest.mark.parametrize(
    ("allowed", "scope", "held"),
    [
        ("Owner", GROUP.lower(), False),
        ("owner", SUBSCRIPTION_SCOPE + "/resourceGroups/rg-*", False),
        ("Owner", GROUP + "-other", True),
        ("Owner", vm().id.text, True),
        ("Contributor", GROUP, True),
    ],
)
def test_a_privileged_role_is_granted_where_the_policy_names_it(
    allowed: str, scope: str, held: bool
) -> None:
    privileged = Privileged(allow=[PrivilegedRole(role=allowed, scopes=[scope])])
    verdict = judge(assign(role_id("Owner") or ""), privileged=privileged)
    assert bool(verdict.held) is held


def resource(type_name: str, identity: Identity | None = None) -> ComputeResource:
    parts = type_name.split("/")
    names = "/".join(f"{kind}/x" for kind in parts[1:])
    text = f"{GROUP}/providers/{parts[0]}/{names}"
    return ComputeResource(
        id=ResourceId.parse(text), location="westeurope", tags={}, identity=identity or Identity()
    )


def test_a_restart_is_held_where_a_rule_avoids_it_and_only_where_there_is_one() -> None:
    avoid = Desired(restart_accepted=False)
    site = resource("Microsoft.Web/sites")
    held = judge(ATTACH, ASSIGN, resource=site, desired=avoid).held
    assert [entry.action for entry in held] == [ATTACH, ASSIGN]
    assert "restart: accept" in held[0].release
    assert not judge(ATTACH, resource=site).held
    assert not judge(ATTACH, resource=vm(), desired=avoid).held


def test_the_one_identity_of_a_cluster_is_replaced_only_where_a_rule_accepts_it() -> None:
    cluster = resource("Microsoft.ContainerService/managedClusters", Identity("p-sys"))
    (held,) = judge(ATTACH, resource=cluster).held
    assert "replace: accept" in held.release
    assert not judge(ATTACH, resource=cluster, desired=Desired(replace_accepted=True)).held


REPLACE = ReplaceIdentity(UserAssigned(APP), UserAssigned(DEFAULT), ("r",))
CLUSTER = "Microsoft.ContainerService/managedClusters"
WANTED = Desired(
    identities={APP: WantedIdentity(APP, None, ("r",))},
    replace_accepted=True,
)


def test_what_takes_the_place_of_another_one_is_allowed_where_nothing_speaks_against_it() -> None:
    cluster = resource(CLUSTER, Identity(None, {DEFAULT: "p-2"}))
    assert judge(ASSIGN, REPLACE, resource=cluster, desired=WANTED).allowed == (ASSIGN, REPLACE)


def test_what_takes_the_place_of_another_one_takes_something_away() -> None:
    cluster = resource(CLUSTER, Identity(None, {DEFAULT: "p-2"}))
    verdict = judge(ASSIGN, REPLACE, mode=Mode.ADD_ONLY, resource=cluster, desired=WANTED)
    assert [held.because for held in verdict.held] == [Because.IDENTITY_WAITS, Because.MODE]


def test_all_roles_of_an_identity_wait_with_a_replacement_that_waits_for_one() -> None:
    cluster = resource(CLUSTER, Identity(None, {DEFAULT: "p-2"}))
    owner = replace(ASSIGN, role_id=role_id("Owner") or "")
    verdict = judge(ASSIGN, owner, REPLACE, resource=cluster, desired=WANTED)
    because = {held.action: held.because for held in verdict.held}
    assert because == {
        ASSIGN: Because.IDENTITY_WAITS,
        owner: Because.PRIVILEGED,
        REPLACE: Because.WAITS,
    }


def test_while_it_is_held_the_roles_of_what_is_there_stay() -> None:
    cluster = resource(CLUSTER, Identity(None, {DEFAULT: grant().principal_id}))
    release = ReleaseGrant(grant())
    verdict = judge(REPLACE, release, resource=cluster)
    assert [held.because for held in verdict.held] == [Because.REPLACEMENT, Because.WAITS]


def test_two_that_want_to_be_the_one_identity_are_a_conflict() -> None:
    cluster = resource(CLUSTER, Identity("p-sys"))
    other = WantedIdentity(DEFAULT, None, ("another",))
    both = replace(WANTED, identities={**WANTED.identities, DEFAULT: other})
    first = ReplaceIdentity(UserAssigned(APP), SystemAssigned(), ("r",))
    (held,) = judge(first, resource=cluster, desired=both).held
    assert (held.because, held.releasable) == (Because.CONFLICT, False)
    assert "'another'" in held.reason
    assert "'r'" in held.reason


def test_one_that_an_exclude_may_keep_is_not_replaced() -> None:
    """What the excluding rule would give cannot be filled in: it may be this one."""
    unfilled = Unfulfillable("excludes", ("identity", "x"), "identity 'x'", "too long")
    desired = replace(WANTED, kept=Kept(unfilled=(unfilled,)))
    for identity in (Identity(None, {DEFAULT: "p-2"}), Identity("p-sys")):
        old = UserAssigned(DEFAULT) if identity.user_assigned else SystemAssigned()
        action = ReplaceIdentity(UserAssigned(APP), old, ("r",))
        (held,) = judge(action, resource=resource(CLUSTER, identity), desired=desired).held
        assert held.because is Because.CONFLICT
        assert "'excludes'" in held.reason


def test_a_cluster_cannot_be_left_without_an_identity() -> None:
    cluster = resource("Microsoft.ContainerService/managedClusters", Identity(None, {APP: "p-1"}))
    for action in (DetachIdentity(APP), ReattachIdentity(APP, ("r",))):
        (held,) = judge(action, resource=cluster).held
        assert "attach another" in held.release


@pytest.mark.parametrize(
    "type_name",
    ["Microsoft.ContainerInstance/containerGroups", "Microsoft.HybridCompute/machines"],
)
def test_a_type_that_is_only_reported_is_held_with_the_reason(type_name: str) -> None:
    kind = compute_type(type_name)
    assert kind
    (held, dependent) = judge(ATTACH, ASSIGN, resource=resource(type_name)).held
    assert held.reason == kind.reason
    assert dependent.action == ASSIGN


def test_the_imds_trap_is_for_what_has_imds() -> None:
    site = resource("Microsoft.Web/sites", Identity(None, {DEFAULT: "p-0"}))
    assert judge(ATTACH, resource=site).allowed == (ATTACH,)
    scale_set = resource(
        "Microsoft.Compute/virtualMachineScaleSets", Identity(None, {DEFAULT: "p-0"})
    )
    assert judge(ATTACH, resource=scale_set).held


UPGRADE, LAGGING = UpgradeInstances(), UpgradeInstances(lagging=True)
DETACH = DetachIdentity(DEFAULT)
UPGRADES = Desired(upgrade_instances=True, imds_default_accepted=True)


def because(verdict: Verdict) -> dict[Action, Because]:
    return {held.action: held.because for held in verdict.held}


def test_what_is_taken_waits_for_instances_that_no_rule_has_upgraded() -> None:
    accepts = replace(UPGRADES, upgrade_instances=False)
    verdict = judge(ATTACH, DETACH, UPGRADE, desired=accepts)
    assert verdict.allowed == (ATTACH,)
    assert because(verdict) == {DETACH: Because.WAITS, UPGRADE: Because.INSTANCES}
    assert judge(ATTACH, DETACH, UPGRADE, desired=UPGRADES).held == ()


def test_instances_that_lag_count_whatever_else_is_held() -> None:
    default = vm(attached={DEFAULT: "p-0"})
    for upgrade, why in ((UPGRADE, Because.IDENTITY_WAITS), (LAGGING, Because.INSTANCES)):
        verdict = judge(ATTACH, DETACH, upgrade, resource=default)
        assert because(verdict) == {
            ATTACH: Because.IMDS_DEFAULT,
            DETACH: Because.WAITS,
            upgrade: why,
        }


def test_instances_are_upgraded_for_no_write_that_is_held() -> None:
    """Nor for a detach that waits for something else."""
    held = replace(UPGRADES, imds_default_accepted=False)
    default = vm(attached={DEFAULT: "p-0"})
    assert judge(ATTACH, DETACH, UPGRADE, resource=default, desired=held).allowed == ()
    owner = assign(role_id("Owner") or "")
    verdict = judge(owner, DETACH, UPGRADE, desired=UPGRADES)
    assert because(verdict) == {
        owner: Because.PRIVILEGED,
        DETACH: Because.WAITS,
        UPGRADE: Because.IDENTITY_WAITS,
    }
    assert judge(owner, DETACH, LAGGING, desired=UPGRADES).allowed == (LAGGING,)
