from lanyard.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReleaseGrant,
    RemoveOrphans,
)
from lanyard.desired import NOTHING, Desired
from lanyard.guard import Situation, Verdict, guard
from lanyard.model import ComputeResource, SystemAssigned, UserAssigned
from lanyard.plan import Plan
from lanyard.policy import Mode, Policy
from lanyard.policy.document import Privileged
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

CUSTOM = frozenset({"cccccccc-0000-0000-0000-000000000001"})


def judge(
    *actions: Action,
    mode: Mode = Mode.FULL,
    resource: ComputeResource | None = None,
    desired: Desired = NOTHING,
    privileged: Privileged | None = None,
) -> Verdict:
    policy = Policy(version=1, mode=mode, privileged=privileged or Privileged())
    return guard(Plan(actions), Situation(policy, desired, resource or vm(), CUSTOM))


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
