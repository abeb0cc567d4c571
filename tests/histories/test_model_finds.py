"""Each promise, broken on purpose: the model must say so. What Lanyard itself does amiss is a step
(`Rogue`) that its own identity takes; where that cannot break it, a part of it is put out of order.
"""

from typing import Any

import pytest

from lanyard.app.sweeping import Sweeps
from lanyard.planning import contested
from lanyard.record.held import Entry, HeldActions
from lanyard.record.kill_switch import KillSwitch
from lanyard.sweep import sweep
from lanyard.sweep.changed_grants import Changed
from lanyard.values.errors import LanyardError
from tests.support.histories.accounts import ANOTHER
from tests.support.histories.play import History, history, play
from tests.support.histories.policies import Policy, Rule
from tests.support.histories.promises import PROMISES, Violation
from tests.support.histories.steps import (
    TERRAFORM,
    Adopt,
    Another,
    Attach,
    Detach,
    Dismiss,
    EditCondition,
    EditStamp,
    Fate,
    Grant,
    HandOver,
    Kill,
    KillIdentity,
    LoseRow,
    LoseTable,
    Make,
    MakeIdentity,
    Missing,
    Move,
    NewPolicy,
    Pass,
    Pause,
    PutBack,
    Quiet,
    Relearn,
    Release,
    Revoke,
    Rogue,
    Step,
    Sweep,
    Tag,
    Use,
)
from tests.support.histories.world import World

SHOP, IGNORE = (("app", "shop"),), (("lanyard", "ignore"),)
TAGGED = Policy((Rule(tagged=True),))
OLD = Policy((Rule(identity="id-old"),))
OLD_TAGGED = Policy((Rule(identity="id-old", tagged=True),))
TYPO = Policy((Rule(identity="id-typo"),))
OWN = Policy((Rule(identity="own", tagged=True),))
CONDITIONAL = Policy((Rule(on="one"),))
OWN_EACH = Policy((Rule(identity="own"),))
WEB, WEB_NEW = (Policy((Rule("web", each),)) for each in ("id-old", "id-new"))
UNTAGGED = (Make("vm1", SHOP), Tag("vm1", fate=Fate.LOST))
DETACH = Rogue(Detach("vm1", "id-shared"))
#: The detach is on the list.
HELD = (
    Make("vm1", SHOP),
    Sweep(),
    NewPolicy(Policy(TAGGED.rules, "add-only", grace_minutes=0)),
    Tag("vm1"),
    Pass(11),
)

BROKEN = {
    "theirs": history(Make("vm1"), Attach("vm1", "id-new"), Rogue(Detach("vm1", "id-new"))),
    "needed": history(Make("vm1"), DETACH),
    "given": history(Make("vm1"), Rogue(Attach("vm1", "id-new"))),
    "reported": history(Make("vm1"), Sweep(), NewPolicy(TAGGED), DETACH),
    "16.1 make before break": history(
        Make("vm1"), NewPolicy(TYPO), Rogue(Detach("vm1", "id-old")), policy=OLD
    ),
    "16.2 gone": history(Make("vm1"), Missing("vm1"), Tag("vm1", SHOP), DETACH),
    "16.3 grace": history(*UNTAGGED, Pass(9), DETACH, policy=TAGGED),
    "16.3 own identity": history(*UNTAGGED, Pass(60), Rogue(KillIdentity("own:vm1")), policy=OWN),
    "16.4 used elsewhere": history(
        Make("web1"),
        Use("web1", "id-old"),
        NewPolicy(WEB_NEW),
        Pass(11),
        Rogue(Detach("web1", "id-old")),
        policy=WEB,
    ),
    "16.5 exclude": history(Make("vm1"), Tag("vm1", IGNORE, fate=Fate.LOST), Pass(11), DETACH),
    "16.6 budget": history(
        *UNTAGGED,
        Rogue(Revoke("id-shared")),
        Rogue(Revoke("id-shared", "reader")),
        policy=Policy((Rule(roles=("blobs", "reader"), tagged=True),), per_hour=1),
    ),
    "16.6 every removal": history(
        *UNTAGGED, Rogue(Revoke("id-shared")), DETACH, policy=Policy(TAGGED.rules, per_hour=1)
    ),
    "16.6 percent": history(
        Make("vm1"),
        *[Rogue(Detach("vm1", "id-shared")), Rogue(Attach("vm1", "id-shared"))] * 11,
        policy=Policy(percent=10),
    ),
    "16.6 mode": history(*UNTAGGED, Pass(11), DETACH, policy=Policy(TAGGED.rules, "add-only")),
    "16.6 pause": history(*UNTAGGED, Pause(), DETACH, policy=TAGGED),
    "16.7 dismissal": history(*HELD, Dismiss(), DETACH, policy=TAGGED),
    "27.1 observed": history(
        Make("vm1"),
        Rogue(Attach("vm1", "id-new")),
        policy=Policy((Rule(identity="id-new", how="observe"),)),
    ),
    "27.1 given by": history(
        *UNTAGGED, Pass(11), DETACH, policy=Policy((Rule(tagged=True, how="add-only"),))
    ),
    "27.2 released": history(
        Grant("id-old", by=TERRAFORM),
        Make("vm1", holds=("id-old",)),
        Adopt("vm1"),
        Adopt("vm1", back=True),
        Rogue(Revoke("id-old", fate=Fate.LOST)),
        policy=OLD,
    ),
    "17.1 edited": history(Make("vm1"), EditStamp("id-shared"), Rogue(Revoke("id-shared"))),
    "17.1 attached again": history(
        *UNTAGGED,
        Pass(6),
        Detach("vm1", "id-shared"),
        Attach("vm1", "id-shared"),
        DETACH,
        policy=TAGGED,
    ),
    "17.1 made again": history(
        Make("vm1", SHOP),
        KillIdentity("own:vm1", fate=Fate.LOST),
        MakeIdentity("own:vm1", fate=Fate.LOST),
        Rogue(KillIdentity("own:vm1")),
        policy=OWN,
    ),
    "17.2 read before write": history(
        Make("vm1"), EditStamp("id-shared"), Rogue(EditStamp("id-shared"))
    ),
    "17.3 unseen": history(
        Make("vm1"),
        Make("vm2", fate=Fate.LOST),
        Attach("vm2", "id-shared", fate=Fate.LOST),
        Rogue(Revoke("id-shared", fate=Fate.LOST)),
    ),
    "17.1 handed over": history(
        Make("vm1"), HandOver("id-shared"), Rogue(Revoke("id-shared", fate=Fate.LOST))
    ),
    "17.1 two installations": history(
        Make("vm1"), Another(), Rogue(Revoke("id-shared", fate=Fate.LOST), by=ANOTHER)
    ),
    "17.3 relearning": history(Make("vm1"), LoseRow(), Rogue(Revoke("id-shared"))),
    "17.3 put back": history(
        Make("vm1"), Attach("vm1", "id-new"), Pass(6), PutBack(2), Rogue(Detach("vm1", "id-new"))
    ),
    "17.3 graces": history(*UNTAGGED, LoseRow(), Pass(9), DETACH, policy=TAGGED),
    "17.6 moved": history(Make("vm1"), Move("vm1"), Rogue(Detach("vm1@shop", "id-shared"))),
    "17.4 in use": history(
        *UNTAGGED, Attach("vm2", "own:vm1"), Rogue(KillIdentity("own:vm1")), policy=OWN
    ),
    "17.4 gone": history(
        Make("vm1", SHOP), Kill("vm1", fate=Fate.LOST), Rogue(KillIdentity("own:vm1")), policy=OWN
    ),
    "18.1 made for it": history(
        MakeIdentity("own:vm1"), Make("vm1"), Rogue(Attach("vm1", "own:vm1")), policy=OWN_EACH
    ),
    "18.2 one condition": history(
        Make("vm1"), Rogue(EditCondition("id-shared", "two")), policy=CONDITIONAL
    ),
    "18.3 privileged": history(Make("vm1"), Rogue(Grant("id-shared", "rights"))),
    "18.5 tags": history(Rogue(MakeIdentity("own:vm1"))),
}


def only(promise: str) -> frozenset[str]:
    """All promises but one."""
    return frozenset(PROMISES) - {promise}


@pytest.mark.parametrize("promise", sorted(BROKEN))
def test_a_broken_promise_is_found(promise: str) -> None:
    with pytest.raises(Violation) as found:
        play(BROKEN[promise], off=only(promise))
    assert found.value.promises == {promise}


#: Each in another way than above.
ALSO_BROKEN = {
    "a role that nobody needs goes before a sweep": (
        "17.3 relearning",
        history(
            Make("vm1"),
            Kill("vm1", fate=Fate.LOST),
            LoseTable(),
            Rogue(Revoke("id-shared", fate=Fate.LOST)),
        ),
    ),
    "tables without the last sweep are taken for those of now": (
        "17.3 relearning",
        history(
            Make("vm1"),
            Kill("vm1", fate=Fate.LOST),
            Pass(30),
            Sweep(),
            PutBack(),
            Rogue(Revoke("id-shared", fate=Fate.LOST)),
        ),
    ),
    "what a person attached again is taken by old tables": (
        "17.3 put back",
        history(
            *UNTAGGED,
            Pass(6),
            Detach("vm1", "id-shared", fate=Fate.LOST),
            Attach("vm1", "id-shared", fate=Fate.LOST),
            PutBack(3),
            DETACH,
            policy=TAGGED,
        ),
    ),
    "what is needed goes by old tables": (
        "17.3 put back",
        history(Make("vm1"), Make("vm2"), Pass(6), PutBack(2), Rogue(Revoke("id-shared"))),
    ),
    "a moved machine's access goes early": (
        "17.6 moved",
        history(
            Make("vm1"),
            Move("vm1", fate=Fate.LOST),
            Rogue(Detach("vm1@shop", "id-shared")),
            policy=Policy((Rule(groups=("rg-app",)),)),
        ),
    ),
    "the identity that a moved machine still has goes": (
        "17.6 moved",
        history(
            Make("vm1", SHOP),
            Move("vm1", fate=Fate.LOST),
            Rogue(KillIdentity("own:vm1")),
            policy=OWN,
        ),
    ),
    "what is released from adoption is detached": (
        "27.2 released",
        history(
            Make("vm1", SHOP, holds=("id-old",)),
            Adopt("vm1"),
            Adopt("vm1", back=True),
            Tag("vm1", fate=Fate.LOST),
            Pass(11),
            Rogue(Detach("vm1", "id-old")),
            policy=OLD_TAGGED,
        ),
    ),
    "what was not adopted is taken": (
        "theirs",
        history(
            Make("vm1", SHOP, holds=("id-old",)),
            Tag("vm1", fate=Fate.LOST),
            Pass(11),
            Rogue(Detach("vm1", "id-old")),
            policy=OLD_TAGGED,
        ),
    ),
    "one takes what the other attached": (
        "17.1 two installations",
        history(
            Another(),
            Make("vm1"),
            Rogue(Detach("vm1", "id-shared", fate=Fate.LOST), by=ANOTHER),
        ),
    ),
}


@pytest.mark.parametrize("case", ALSO_BROKEN)
def test_it_is_found_in_other_ways_too(case: str) -> None:
    promise, told = ALSO_BROKEN[case]
    with pytest.raises(Violation) as found:
        play(told, off=only(promise))
    assert found.value.promises == {promise}


@pytest.mark.parametrize("gone", [Detach("vm1", "id-new"), Revoke("id-new", by=TERRAFORM)])
def test_an_estate_that_is_not_as_it_was_is_found(
    monkeypatch: pytest.MonkeyPatch, gone: Step
) -> None:
    sweep = World.sweep

    async def takes(world: World) -> LanyardError | None:
        if world.model.circumstances.lost:
            await gone.act(world)
        return await sweep(world)

    monkeypatch.setattr(World, "sweep", takes)
    given = Make("vm1"), Attach("vm1", "id-new"), Grant("id-new", by=TERRAFORM)
    with pytest.raises(Violation) as found:
        play(history(*given, Quiet(), Relearn()), off=only("17.3 as it was"))
    assert found.value.promises == {"17.3 as it was"}


async def nothing(*_arguments: Any, **_more: Any) -> None:
    """In place of what is out of order."""


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        ("due", history(Make("vm1", fate=Fate.LOST))),
        ("nobody", history(Make("vm1"), Kill("vm1", fate=Fate.LOST))),
        ("17.3 drift", history(Make("vm1", fate=Fate.LOST), LoseTable())),
        (
            "17.3 list",
            history(Make("vm1", fate=Fate.LOST), LoseTable(), policy=Policy(mode="observe")),
        ),
        (
            "17.3 known again",
            history(Make("vm1", SHOP), LoseRow(), Sweep(), Kill("vm1"), policy=OWN),
        ),
        ("17.3 left over", history(Make("vm1"), Kill("vm1", fate=Fate.LOST), LoseTable())),
        ("17.6 moved", history(Make("vm1"), Move("vm1", fate=Fate.LOST), policy=OWN_EACH)),
        ("18.2 drift", history(Make("vm1"), EditCondition("id-shared"), policy=CONDITIONAL)),
    ],
)
def test_a_sweep_that_does_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, promise: str, told: History
) -> None:
    monkeypatch.setattr(Sweeps, "run", nothing)
    with pytest.raises(Violation) as found:
        play(told, off=only(promise))
    assert found.value.promises == {promise}


def test_a_grant_of_another_owner_that_nobody_watches_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unchanged(*_arguments: Any) -> Changed:
        return Changed()

    monkeypatch.setattr(sweep, "changed_grants", unchanged)
    given = Make("vm1", fate=Fate.LOST), Grant("id-old", by="Terraform"), Sweep()
    told = history(*given, Revoke("id-old", by="Terraform"), policy=OLD)
    with pytest.raises(Violation) as found:
        play(told, off=only("17.5 watched"))
    assert found.value.promises == {"17.5 watched"}


def test_a_conflict_that_nobody_began_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contested, "MOST_REPAIRS", 0)
    given = Make("vm1"), Detach("vm1", "id-shared"), Sweep(), Detach("vm1", "id-shared")
    with pytest.raises(Violation) as found:
        play(history(*given), off=only("18.4 taken away"))
    assert found.value.promises == {"18.4 taken away"}


def test_a_release_that_is_forgotten_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgotten(_held: HeldActions, entry: Entry, *_answer: str) -> Entry:
        return entry

    monkeypatch.setattr(HeldActions, "_answer", forgotten)
    with pytest.raises(Violation) as found:
        play(history(*HELD, Release(), policy=TAGGED), off=only("16.7 release"))
    assert found.value.promises == {"16.7 release"}


def test_a_pause_that_nobody_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KillSwitch, "read", nothing)
    told = history(Make("vm1", SHOP), Pause(), Tag("vm1"), Quiet(), policy=TAGGED)
    with pytest.raises(Violation) as found:
        play(told, off=only("16.6 pause"))
    assert found.value.promises == {"16.6 pause"}
