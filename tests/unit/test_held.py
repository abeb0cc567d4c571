"""What a person answered about a held action, and how long it holds."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lanyard.planning.actions import AssignRole
from lanyard.planning.orders import Refusal
from lanyard.record.held import RELEASE_LASTS, Answer, Entry, HeldActions, orders
from lanyard.values.compute import UserAssigned
from lanyard.values.compute_types import IDENTITY_TYPE
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from tests.support.examples import vm_id
from tests.support.memory_table import MemoryTable

KEYS = ("detach", "release", "delete")
WEEK = RELEASE_LASTS.total_seconds()
VM = vm_id()


def refusal(key: str, reason: str = "mode is add-only") -> Refusal:
    return Refusal(
        key=key,
        because=Because.MODE,
        action=key,
        reason=reason,
        release="release it",
        releasable=True,
    )


class Listed:
    """The list, and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.table = MemoryTable()
        self.held = HeldActions(self.table, lambda: self.now)

    async def entry(self, key: str) -> Entry | None:
        return (await self.held.of(VM)).get(key)

    async def answer(self, key: str) -> Answer | None:
        entry = await self.entry(key)
        return None if entry is None else entry.answer


async def listed(answer: Answer) -> Listed:
    """One entry with this answer."""
    made = Listed()
    (entry,) = await made.held.update(VM, [refusal("detach")])
    if answer is Answer.RELEASED:
        await made.held.release(entry.id, "ann")
    elif answer is Answer.DISMISSED:
        await made.held.dismiss(entry.id, "ann")
    return made


@pytest.mark.parametrize("answer", [Answer.RELEASED, Answer.DISMISSED])
async def test_an_answer_stays_while_its_action_is_allowed_and_does_not_succeed(
    answer: Answer,
) -> None:
    made = await listed(answer)
    await made.held.update(VM, [], unfinished={"detach"})
    assert await made.answer("detach") is answer
    await made.held.update(VM, [])
    assert await made.entry("detach") is None


async def test_what_nobody_answered_goes_once_it_is_no_longer_held() -> None:
    made = await listed(Answer.NONE)
    await made.held.update(VM, [], unfinished={"detach"})
    assert await made.entry("detach") is None


@pytest.mark.parametrize(
    ("answer", "after"), [(Answer.RELEASED, Answer.NONE), (Answer.DISMISSED, Answer.DISMISSED)]
)
async def test_a_release_lapses_after_a_week_and_a_dismissal_does_not(
    answer: Answer, after: Answer
) -> None:
    made = await listed(answer)
    made.now += WEEK - 1
    assert await made.answer("detach") is answer
    made.now += 1
    assert await made.answer("detach") is after
    lapsed = [entry async for entry in made.held.all()]
    assert [e.answer for e in lapsed] == [after]
    await made.held.update(VM, [refusal("detach", "another reason")])
    assert await made.answer("detach") is after


async def test_a_release_that_lapsed_is_none_for_the_guard() -> None:
    made = await listed(Answer.RELEASED)
    assert orders(None, (await made.held.of(VM)).values()).released == {"detach"}
    made.now += WEEK
    assert orders(None, (await made.held.of(VM)).values()).released == frozenset()


async def test_who_releases_again_has_another_week() -> None:
    made = await listed(Answer.RELEASED)
    made.now += WEEK - 1
    entry = await made.entry("detach")
    assert entry is not None
    await made.held.release(entry.id, "bob")
    made.now += WEEK - 1
    again = await made.entry("detach")
    assert again is not None
    assert (again.answer, again.by) == (Answer.RELEASED, "bob")


@settings(max_examples=60)
@given(steps=st.integers(0, 6), still_held=st.booleans())
def test_an_answer_given_while_a_reconcile_brings_the_list_up_to_date_is_not_lost(
    steps: int, still_held: bool
) -> None:
    async def side_by_side() -> Answer | None:
        made = await listed(Answer.NONE)
        entry = await made.entry("detach")
        assert entry is not None

        async def answer() -> bool:
            for _ in range(steps):
                await asyncio.sleep(0)
            try:
                await made.held.release(entry.id, "ann")
            except (Permanent, Temporary):
                return False  # they are told: it is no longer held, or changing
            return True

        refusals = [refusal("detach", "another reason")] if still_held else []
        answered, _ = await asyncio.gather(answer(), made.held.update(VM, refusals))
        found = await made.answer("detach")
        return found if answered else Answer.RELEASED

    assert asyncio.run(side_by_side()) is Answer.RELEASED


class Answers(RuleBasedStateMachine):
    """Reconciles, persons and time in any order, against a model of what a person may expect."""

    def __init__(self) -> None:
        super().__init__()
        self.made = Listed()
        self.expected: dict[str, tuple[Answer, float]] = {}

    def _standing(self, key: str) -> Answer:
        answer, since = self.expected[key]
        old = answer is Answer.RELEASED and self.made.now - since >= WEEK
        return Answer.NONE if old else answer

    @rule(
        held=st.sets(st.sampled_from(KEYS)),
        unfinished=st.sets(st.sampled_from(KEYS)),
        reason=st.sampled_from(["mode is add-only", "paused by ann"]),
    )
    def reconcile(self, held: set[str], unfinished: set[str], reason: str) -> None:
        refusals = [refusal(key, reason) for key in sorted(held)]
        asyncio.run(self.made.held.update(VM, refusals, unfinished=unfinished))
        for key in set(self.expected) - held:
            if self._standing(key) is Answer.NONE or key not in unfinished:
                del self.expected[key]
        for key in held:
            self.expected.setdefault(key, (Answer.NONE, 0.0))

    @rule(key=st.sampled_from(KEYS), answer=st.sampled_from([Answer.RELEASED, Answer.DISMISSED]))
    def answer(self, key: str, answer: Answer) -> None:
        entry = asyncio.run(self.made.entry(key))
        if entry is not None:
            give = self.made.held.release
            if answer is Answer.DISMISSED:
                give = self.made.held.dismiss
            asyncio.run(give(entry.id, "ann"))
            self.expected[key] = (answer, self.made.now)

    @rule(days=st.sampled_from([1, 3, 7]))
    def wait(self, days: int) -> None:
        self.made.now += timedelta(days=days).total_seconds()

    @invariant()
    def each_entry_has_the_answer_that_stands(self) -> None:
        found = asyncio.run(self.made.held.of(VM))
        assert {key: e.answer for key, e in found.items()} == {
            key: self._standing(key) for key in self.expected
        }


TestAnswers = Answers.TestCase
TestAnswers.settings = settings(max_examples=40, stateful_step_count=20)


@pytest.mark.parametrize("answer", [Answer.DISMISSED, Answer.RELEASED])
async def test_what_was_dismissed_before_its_identity_existed_stays_dismissed(
    answer: Answer,
) -> None:
    """A release counts for no identity that is made under the name later."""
    made = await listed(answer)
    known = replace(refusal("detach of a principal"), key_before="detach")
    fresh = await made.held.update(VM, [known])
    dismissed = answer is Answer.DISMISSED
    assert await made.answer(known.key) is (answer if dismissed else Answer.NONE)
    assert await made.entry("detach") is None
    assert [entry.refusal.key for entry in fresh] == ([] if dismissed else [known.key])


def test_an_assignment_names_the_key_that_it_had_without_a_principal() -> None:
    to = UserAssigned(ResourceId.parse(f"{VM.resource_group_id}/providers/{IDENTITY_TYPE}/one"))
    before = AssignRole(VM.resource_group_id, "role", to, None, ("rule",), "condition")
    known = replace(before, principal_id="11111111-1111-1111-1111-111111111111")
    assert known.key != before.key == known.key_before
