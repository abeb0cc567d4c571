"""When everything is asked about an identity that is to go: twice right before, some time apart."""

from hypothesis import given
from hypothesis import strategies as st

from lanyard.planning.actions import Action, DeleteIdentity, ReleaseGrant
from lanyard.planning.deletion import clear, first_look_in, second_look_in, used
from lanyard.planning.life import LISTING_LAG
from lanyard.values.grants import Grant
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId

IDENTITY = ResourceId.parse(
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/id-vm1"
)
DELETION = DeleteIdentity(IDENTITY)
RELEASE = ReleaseGrant(Grant("/subscriptions/s", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "p"))
FRESH = Dedicated("p", 0.0)
START = 1_800_000_000.0

actions = st.sampled_from((DELETION, RELEASE))


def looks_of(action: Action, due: float, start: float = START) -> list[float]:
    """When everything is asked, for what is due at a moment: from the first look until it goes."""
    own, now, asked = FRESH, start, list[float]()
    while True:
        left = max(due - now, 0.0)
        if left and (first := first_look_in(own, action, left, now)) > 0:
            now += first
            continue
        own = clear(own, [action], now)
        asked.append(now)
        left = max(left, second_look_in(own, action, now))
        if not left:
            return asked
        now += left


@given(actions, st.floats(0.0, 3 * 86400.0))
def test_what_is_due_goes_by_the_second_look_five_minutes_after_the_first(
    action: Action, after: float
) -> None:
    asked = looks_of(action, START + after)
    assert len(asked) == 2
    assert asked[1] - asked[0] >= LISTING_LAG - 1e-3
    assert asked[1] <= START + max(after, LISTING_LAG) + 1e-3
    assert asked[0] >= START + after - LISTING_LAG - 1e-3


@given(actions)
def test_a_use_that_is_seen_starts_anew(action: Action) -> None:
    own = clear(FRESH, [action], START)
    assert second_look_in(own, action, START + LISTING_LAG) == 0
    assert second_look_in(used(own), action, START + LISTING_LAG) == LISTING_LAG


def test_the_looks_before_its_roles_go_are_none_before_itself() -> None:
    own = clear(FRESH, [RELEASE], START)
    assert second_look_in(own, DELETION, START + LISTING_LAG) == LISTING_LAG


def test_a_first_look_counts_for_ten_minutes() -> None:
    own = clear(FRESH, [DELETION], START)
    assert second_look_in(own, DELETION, START + 2 * LISTING_LAG - 1) == 0
    late = START + 2 * LISTING_LAG
    assert second_look_in(own, DELETION, late) == LISTING_LAG
    assert second_look_in(clear(own, [DELETION], late), DELETION, late + LISTING_LAG) == 0
