"""Histories that went wrong once, each with the promise that it is about.

Where the promise is a line of `NOT_YET`, the model must say that it is broken; take the line out,
and the history must hold.
"""

import pytest

from tests.support.histories.play import history, play
from tests.support.histories.policies import Policy, Rule
from tests.support.histories.promises import NOT_YET, Violation
from tests.support.histories.steps import (
    TERRAFORM,
    Adopt,
    Another,
    Attach,
    Detach,
    EditStamp,
    Fails,
    Fate,
    Grant,
    Graph,
    HandOver,
    Kill,
    KillIdentity,
    Late,
    LoseRow,
    LoseTable,
    Make,
    MakeIdentity,
    Missing,
    Move,
    NewPolicy,
    Pass,
    PauseWhileReading,
    PutBack,
    Quiet,
    Relearn,
    Release,
    Revoke,
    Sweep,
    Tag,
    Use,
)

SHOP, IGNORE = (("app", "shop"),), (("lanyard", "ignore"),)
TAGGED = Policy((Rule(tagged=True),))
OLD = Policy((Rule(identity="id-old"),), imds="hold")
OLD_TAKEN = Policy(OLD.rules)
NEW = Policy((Rule(identity="id-new"),), imds="hold")
TYPO = Policy((Rule(identity="id-typo"),))
OWN = Policy((Rule(identity="own", tagged=True),))
WEB, WEB_NEW = (Policy((Rule("web", each),), restart="avoid") for each in ("id-old", "id-new"))
IN_APP = Policy((Rule(groups=("rg-app",)),))
ADD_ONLY = Policy(TAGGED.rules, "add-only", grace_minutes=0)

OLD_TAGGED = Policy((Rule(identity="id-old", tagged=True),))
ADOPTED = (
    Grant("id-old", by=TERRAFORM),
    Make("vm1", SHOP, holds=("id-old",)),
    Adopt("vm1"),
)

KNOWN = {
    "case_A01": ("16.1 make before break", history(Make("vm1"), NewPolicy(NEW), policy=OLD)),
    "what is due went unheard before a role's hour came": (
        "16.1 make before break",
        history(
            Make("vm1", SHOP),
            NewPolicy(Policy((Rule(identity="own"),), per_hour=1, grace_minutes=0)),
            Tag("vm1", SHOP),
            NewPolicy(Policy(per_hour=1, grace_minutes=0)),
            NewPolicy(Policy(per_hour=1, grace_minutes=0)),
            NewPolicy(Policy((Rule(identity="own"),), per_hour=1, grace_minutes=0)),
            KillIdentity("own:vm1", Fate.LOST),
            policy=Policy(per_hour=1, grace_minutes=0),
        ),
    ),
    "what stood for the other installation, too, is given again by its next sweep": (
        "17.3 drift",
        history(
            Make("vm1", SHOP),
            LoseTable(),
            Kill("vm2"),
            Another(),
            NewPolicy(Policy()),
            policy=OLD_TAKEN,
        ),
    ),
    "the last role goes while the one that waits for its identity could not use it": (
        "17.3 unseen",
        history(
            Make("vm1", SHOP),
            Fails("write", how="423"),
            Make("vm2", SHOP),
            Tag("vm1"),
            policy=TAGGED,
        ),
    ),
    "the role of a moved machine goes while the one in its place waits for its identity": (
        "17.6 moved",
        history(
            Make("vm1", SHOP), Move("vm1"), Fails("write", how="423"), Pass(11), Make("vm1", SHOP)
        ),
    ),
    "a role that is due was taken in the time of a detach": (
        "16.1 make before break",
        history(
            Make("vm1", SHOP),
            NewPolicy(Policy((Rule(identity="own"),))),
            Sweep(),
            Revoke("own:vm1"),
        ),
    ),
    "case_A02": ("16.1 make before break", history(Make("vm1"), NewPolicy(TYPO), policy=OLD)),
    "case_A03": (
        "16.1 make before break",
        history(
            Make("web1"),
            NewPolicy(WEB_NEW),
            Tag("web1"),
            policy=Policy(WEB.rules, restart="accept"),
        ),
    ),
    "case_A24": (
        "16.2 gone",
        history(Make("vm1", SHOP), Missing("vm1"), Tag("vm1", SHOP), policy=OWN),
    ),
    "a_delete_event_of_the_life_before": (
        "16.2 gone",
        history(
            Make("vm1", SHOP),
            Kill("vm1", Fate.LATE),
            Make("vm1", SHOP),
            Missing("vm1"),
            Late(),
            policy=OWN,
        ),
    ),
    "case_A25": (
        "16.3 grace",
        history(Make("vm1", SHOP), Tag("vm1"), Pass(2), Tag("vm1", SHOP), policy=TAGGED),
    ),
    "a_replaced_machine": (
        "16.3 grace",
        history(Make("vm1", SHOP), Kill("vm1"), Pass(5), Make("vm1", SHOP), policy=TAGGED),
    ),
    "case_A25_own": (
        "16.3 own identity",
        history(Make("vm1", SHOP), Tag("vm1"), Pass(2), Tag("vm1", SHOP), policy=OWN),
    ),
    "case_A27": (
        "16.4 used elsewhere",
        history(
            Make("web1"),
            Use("web1", "id-old"),
            NewPolicy(Policy(WEB_NEW.rules)),
            policy=Policy(WEB.rules),
        ),
    ),
    "case_A28": ("16.5 exclude", history(Make("vm1"), Tag("vm1", IGNORE))),
    "case_A05": (
        "16.6 every removal",
        history(
            Make("vm1"),
            Make("vm2"),
            Sweep(),
            NewPolicy(Policy((Rule(groups=("rg-typo",)),), per_hour=1)),
        ),
    ),
    "case_A06": (
        "16.6 pause",
        history(
            Make("vm1", SHOP),
            PauseWhileReading(),
            Tag("vm1"),
            policy=Policy(TAGGED.rules, grace_minutes=0),
        ),
    ),
    "case_A17": (
        "16.7 release",
        history(
            Make("vm1", SHOP),
            Sweep(),
            NewPolicy(ADD_ONLY),
            Sweep(),
            Tag("vm1"),
            Pass(11),
            Fails("write"),
            Fails("revoke"),
            Release(0),
            Release(1),
            policy=TAGGED,
        ),
    ),
    "case_A07": (
        "17.1 attached again",
        history(
            Make("vm1", SHOP),
            Detach("vm1", "id-shared", fate=Fate.LOST),
            Tag("vm1"),
            Pass(60),
            Attach("vm1", "id-shared"),
            policy=TAGGED,
        ),
    ),
    "case_A08": (
        "17.1 attached again",
        history(
            Make("vm1", SHOP),
            Kill("vm1", Fate.LOST),
            Make("vm1", holds=("id-old",)),
            policy=Policy((Rule(identity="id-old", tagged=True),)),
        ),
    ),
    "case_A09": (
        "17.2 read before write",
        history(Make("vm1"), EditStamp("id-shared"), Kill("vm1"), Pass(11), Make("vm2")),
    ),
    "case_A10": (
        "17.4 gone",
        history(
            Make("vm1", SHOP),
            Make("vm2"),
            Graph(lag_minutes=2),
            Attach("vm2", "own:vm1", fate=Fate.LOST),
            Kill("vm1"),
            policy=OWN,
        ),
    ),
    "case_A12": (
        "17.1 made again",
        history(
            Make("vm1", SHOP),
            KillIdentity("own:vm1", fate=Fate.LOST),
            MakeIdentity("own:vm1", fate=Fate.LOST),
            Kill("vm1"),
            policy=OWN,
        ),
    ),
    "case_B05": (
        "17.5 watched",
        history(
            Grant("id-old", by="Terraform"),
            Make("vm1"),
            Revoke("id-old", by="Terraform"),
            policy=OLD,
        ),
    ),
    "case_A15": (
        "17.1 two installations",
        history(Make("vm1"), Another(), Sweep(), NewPolicy(Policy(())), Pass(61)),
    ),
    "case_A15_own": (
        "17.1 two installations",
        history(Make("vm1", SHOP), Another(), Sweep(), NewPolicy(Policy(())), policy=OWN),
    ),
    "case_A15_both_lose_it": (
        "17.1 two installations",
        history(Another(), Make("vm1", SHOP), Sweep(), Kill("vm1"), Sweep(), policy=OWN),
    ),
    "attached_by_two_at_once": (
        "17.1 two installations",
        history(
            Another(),
            Make("vm1", SHOP),
            Tag("vm1"),
            Pass(61),
            policy=Policy((Rule(identity="id-old", tagged=True),)),
        ),
    ),
    "handed_over": (
        "17.1 handed over",
        history(Make("vm1"), HandOver("id-shared"), Sweep(), Kill("vm1"), Pass(61)),
    ),
    "handed_over_and_back": (
        "17.5 watched",
        history(Make("vm1"), HandOver("id-shared"), Sweep(), HandOver("id-shared", back=True)),
    ),
    "case_A22": (
        "17.3 relearning",
        history(Make("vm1"), LoseTable(), Tag("vm1"), Kill("vm1"), Pass(20)),
    ),
    "case_A22_put_back": (
        "17.3 relearning",
        history(Make("vm1"), Sweep(), Pass(30), Sweep(), Kill("vm1"), PutBack(2), Pass(20)),
    ),
    "case_A22_as_it_was": (
        "17.3 as it was",
        history(Make("vm1", SHOP), Make("web1", SHOP), Quiet(), Relearn(), policy=OWN),
    ),
    "case_A23": (
        "needed",
        history(Make("vm1"), Make("vm2"), LoseRow("grants"), Kill("vm1"), Pass(61)),
    ),
    "case_B15": ("nobody", history(Make("vm1"), LoseRow(), Kill("vm1", fate=Fate.LOST))),
    "lost_with_what_was_to_go": (
        "17.3 left over",
        history(Make("vm1"), LoseTable(), Kill("vm1")),
    ),
    "lost_grants": ("17.3 left over", history(Make("vm1"), LoseTable("grants"), Kill("vm1"))),
    "a_lost_record_of_an_own_identity": (
        "17.3 known again",
        history(Make("vm1", SHOP), LoseRow(), Sweep(), Kill("vm1"), policy=OWN),
    ),
    "a_lost_list_of_what_is_held": (
        "17.3 list",
        history(
            Make("vm1", SHOP),
            Sweep(),
            NewPolicy(ADD_ONLY),
            Tag("vm1"),
            Pass(11),
            LoseTable("held"),
            policy=TAGGED,
        ),
    ),
    "put_back_to_when_it_had_attached_it": (
        "17.3 put back",
        history(
            Make("vm1", SHOP),
            Pass(6),
            Detach("vm1", "id-shared", fate=Fate.LOST),
            Tag("vm1"),
            Attach("vm1", "id-shared"),
            Pass(6),
            PutBack(4),
            Pass(61),
            policy=TAGGED,
        ),
    ),
    "put_back_to_an_earlier_grace": (
        "17.3 graces",
        history(
            Make("vm1", SHOP),
            Tag("vm1"),
            Tag("vm1", SHOP),
            Pass(61),
            PutBack(2),
            Tag("vm1"),
            policy=TAGGED,
        ),
    ),
    "case_B12": ("17.6 moved", history(Make("vm1"), Move("vm1"), policy=IN_APP)),
    "case_B12_no_event": (
        "17.6 moved",
        history(Make("vm1"), Move("vm1", fate=Fate.LOST), policy=IN_APP),
    ),
    "case_B12_site": (
        "17.6 moved",
        history(
            Make("web1"),
            Make("web1/staging"),
            Move("web1"),
            policy=Policy((Rule("web", groups=("rg-app",)),)),
        ),
    ),
    "case_B17": (
        "17.6 moved",
        history(Make("vm1"), Move("vm1"), policy=Policy((Rule(identity="own"),))),
    ),
    "case_B17_remade_at_once": (
        "17.6 moved",
        history(
            Make("vm1", SHOP),
            Move("vm1"),
            Make("vm1", SHOP),
            policy=Policy((Rule(identity="own"),)),
        ),
    ),
    "moved_and_remade_at_once": (
        "17.6 moved",
        history(Make("vm1", SHOP), Move("vm1"), Make("vm1", SHOP), policy=Policy(grace_minutes=0)),
    ),
    "moved_while_the_listing_lags": (
        "17.6 moved",
        history(
            Make("vm1", SHOP),
            NewPolicy(Policy((Rule(identity="own"),))),
            HandOver("id-shared"),
            Graph(lag_minutes=2),
            Make("vm1", SHOP),
            Kill("vm2"),
            Move("vm1"),
        ),
    ),
    "moved_there_and_back": (
        "needed",
        history(Make("vm1"), Move("vm1"), Pass(5), Move("vm1@shop"), policy=IN_APP),
    ),
    "detached_beside_a_dead_reference": (
        "nobody",
        history(
            Make("vm1"),
            NewPolicy(Policy((Rule(identity="own"),))),
            Attach("vm1", "id-old"),
            NewPolicy(Policy()),
            KillIdentity("id-old"),
        ),
    ),
    "repaired_in_a_mode_that_only_adds": (
        "16.6 repair",
        history(Make("vm1"), KillIdentity("id-shared"), Sweep(), policy=Policy(mode="add-only")),
    ),
    "a_dead_reference_that_stays": (
        "due",
        history(
            Make("vm1"),
            NewPolicy(Policy((Rule(identity="own"),), "add-only")),
            KillIdentity("id-shared"),
            policy=Policy(mode="add-only"),
        ),
    ),
    "swapped_to_an_identity_that_is_gone": (
        "16.1 make before break",
        history(
            Make("vm1"),
            NewPolicy(Policy((Rule(identity="id-new"),))),
            Sweep(),
            NewPolicy(Policy()),
            NewPolicy(Policy((Rule(identity="id-new"),))),
            KillIdentity("id-new", fate=Fate.LOST),
        ),
    ),
    "an_own_identity_by_old_tables": (
        "17.3 left over",
        history(
            Make("vm2", SHOP),
            NewPolicy(Policy((Rule(identity="own"),))),
            Pass(11),
            PutBack(),
            NewPolicy(Policy()),
        ),
    ),
    "made_again_and_excluded": (
        "nobody",
        history(
            Make("vm1", SHOP),
            Kill("vm1"),
            Make("vm1", IGNORE),
            policy=Policy((Rule(), Rule(identity="own"))),
        ),
    ),
    "excluded_before_its_identity_was_attached": (
        "nobody",
        history(
            Make("vm1", SHOP),
            NewPolicy(Policy()),
            Fails("write"),
            Release(),
            Tag("vm1", SHOP),
            Tag("vm1", IGNORE),
            policy=Policy((Rule(identity="own"),)),
        ),
    ),
    "revoked_by_old_tables_and_given_since": (
        "17.6 moved",
        history(
            Make("vm1", SHOP),
            Move("vm1"),
            Pass(11),
            Tag("vm1@shop", SHOP),
            Make("vm1", IGNORE),
            Tag("vm1", SHOP),
            Pass(11),
            PutBack(3),
            NewPolicy(Policy((Rule(identity="own"),))),
        ),
    ),
    "an_identity_that_died_after_the_tables_were_lost": (
        "17.3 left over",
        history(
            Make("vm1", SHOP),
            LoseTable(),
            KillIdentity("id-old"),
            Sweep(),
            policy=Policy((Rule(), Rule(identity="id-old"))),
        ),
    ),
    "attached_after_the_tables_were_put_back": (
        "17.3 left over",
        history(
            Make("vm2", SHOP),
            Pass(11),
            Sweep(),
            PutBack(2),
            Make("vm1", SHOP),
            NewPolicy(Policy()),
            policy=Policy((Rule(identity="id-old"), Rule())),
        ),
    ),
    "an_own_identity_whose_row_was_lost_before_the_policy_let_it_go": (
        "17.3 as it was",
        history(
            Make("vm1", SHOP),
            LoseRow(),
            NewPolicy(Policy()),
            Quiet(),
            Relearn(),
            policy=Policy((Rule(identity="own"),)),
        ),
    ),
    "released_after_the_tables_were_put_back": (
        "16.7 release",
        history(
            Make("vm1", SHOP),
            Move("vm1"),
            Pass(11),
            Tag("vm1@shop", SHOP),
            Tag("vm1"),
            Tag("vm1", SHOP),
            Pass(11),
            PutBack(),
            Tag("vm1", SHOP),
            Fails("write"),
            Release(),
            PauseWhileReading(),
            policy=Policy((Rule(), Rule(scope="resource")), per_hour=1),
        ),
    ),
    "adopted_it_goes_as_what_lanyard_gave": (
        "nobody",
        history(*ADOPTED, Tag("vm1"), policy=OLD_TAGGED),
    ),
    "adopted_by_another_policy_it_goes_in_its_time": (
        "16.3 grace",
        history(
            *ADOPTED,
            NewPolicy(Policy(OLD_TAGGED.rules, per_hour=1)),
            Tag("vm1"),
            Pass(11),
            policy=OLD_TAGGED,
        ),
    ),
    "adopted_and_edited_it_is_theirs": (
        "17.1 edited",
        history(*ADOPTED, EditStamp("id-old"), Kill("vm1"), policy=OLD_TAGGED),
    ),
    "adopted_and_handed_over_it_is_theirs": (
        "17.1 handed over",
        history(*ADOPTED, HandOver("id-old"), Sweep(), Tag("vm1"), policy=OLD_TAGGED),
    ),
    "adopted_and_released_it_is_theirs": (
        "27.2 released",
        history(*ADOPTED, Adopt("vm1", back=True), Tag("vm1"), policy=OLD_TAGGED),
    ),
    "what Lanyard made for the machine is adopted from nobody while its record is lost": (
        "27.2 released",
        history(
            Make("vm1", SHOP),
            LoseTable(),
            HandOver("own:vm1"),
            Adopt("vm1"),
            Adopt("vm1", back=True),
            NewPolicy(Policy()),
            policy=Policy((Rule(identity="own"),)),
        ),
    ),
    "adopted_before_the_tables_were_lost": (
        "17.3 left over",
        history(*ADOPTED, LoseTable(), Sweep(), Tag("vm1"), policy=OLD_TAGGED),
    ),
    "adopted_since_the_tables_were_copied": (
        "17.3 put back",
        history(*ADOPTED, Pass(6), PutBack(2), Tag("vm1"), policy=OLD_TAGGED),
    ),
    "adopted_on_a_machine_that_moves": (
        "17.6 moved",
        history(*ADOPTED, Move("vm1"), Pass(11), Tag("vm1@shop"), policy=OLD_TAGGED),
    ),
    "what one machine finds to be another owner's is listed for all that have it": (
        "17.5 watched",
        history(
            Make("vm2", SHOP),
            Another(),
            Sweep(),
            HandOver("id-shared"),
            Make("vm1", SHOP),
            policy=Policy((Rule(on="one"), Rule(roles=("reader",)))),
        ),
    ),
    "held_by_a_sweep_alone": (
        "held",
        history(Make("vm1", fate=Fate.LOST), policy=Policy(mode="observe")),
    ),
}


@pytest.mark.parametrize("case", KNOWN)
def test_known(case: str) -> None:
    promise, told = KNOWN[case]
    if promise in NOT_YET:
        with pytest.raises(Violation) as found:
            play(told, off=NOT_YET - {promise})
        assert promise in found.value.promises
    else:
        play(told)
