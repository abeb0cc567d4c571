"""The simulator answers recorded requests as Azure did: every recording there is, the state that it
needs read off it alone.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.conformance.compare import Difference, body_differences, header_differences
from tests.support.conformance.differences import NOT_CLAIMED, REASONS, reason_of
from tests.support.conformance.recordings import FOLDERS, exchanges, recorded_files
from tests.support.conformance.replay import Replay
from tests.support.conformance.report import (
    END,
    START,
    Outcome,
    all_replayed,
    markdown,
    page_with,
    replayed,
)

pytestmark = pytest.mark.skipif(
    not all(each.is_dir() for each in FOLDERS), reason="recordings absent"
)

PAGE = Path(__file__).parents[3] / "docs" / "dev" / "simulator.md"


def recording(name: str) -> Path:
    (found,) = (each for each in recorded_files() if each.stem == name)
    return found


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return asyncio.run(all_replayed())


def test_it_answers_as_recorded(outcomes: list[Outcome]) -> None:
    claimed = [each for each in outcomes if each.left_out is None]
    alike = [each for each in claimed if not each.different]
    told = "\n".join(f"{each.where}: {each.different[0]}" for each in claimed if each.different)
    assert len(alike) / len(claimed) >= 0.95, told


def test_the_page_shows_what_came_of_it(outcomes: list[Outcome]) -> None:
    text = PAGE.read_text("utf-8")
    assert START in text
    assert END in text
    assert page_with(text, markdown(outcomes)) == text, "make it anew: see report.py"


def test_each_reason_is_needed(outcomes: list[Outcome]) -> None:
    used = {reason.text for each in outcomes for _, reason in each.passing}
    assert used == {each.text for each in REASONS}
    left_out = {each.left_out for each in outcomes if each.left_out is not None}
    assert left_out == set(NOT_CLAIMED.values())


@pytest.mark.parametrize(
    ("member", "value"),
    [("location", "elsewhere"), ("type", "Microsoft.Other/things"), ("tags", {"a": "b"})],
)
async def test_what_steers_a_client_never_passes(member: str, value: object) -> None:
    recorded = exchanges(recording("identity-create-2024-11-30"))
    replay = Replay(recorded)
    for exchange in recorded:
        _, body = await replay.answer(exchange)
        found = list(body_differences(exchange.answer, {**body, member: value}))
        assert {reason_of(exchange, each) for each in found} == {None}


async def test_a_state_and_an_identity_never_pass() -> None:
    exchange = exchanges(recording("vm-attach-user-assigned"))[2]
    shown = exchange.answer
    properties = {**shown["properties"], "provisioningState": "Succeeded"}
    for ours in ({**shown, "properties": properties}, {**shown, "identity": {"type": "None"}}):
        found = list(body_differences(shown, ours))
        assert found
        assert {reason_of(exchange, each) for each in found} == {None}


@pytest.mark.parametrize(
    ("difference", "why_it_would_hide_something"),
    [
        (Difference("body value[]", "3 rows", "0 rows"), "a list that finds nothing"),
        (Difference("body properties.sku", "Standard", None, shown_before=True), "it lost it"),
        (Difference("body properties.who", {"principalId": "1"}, None), "whose access"),
        (Difference("body properties.size", 3, 0), "a value that was never sent empty"),
        (Difference("body properties.list", {}, []), "another kind of thing"),
    ],
)
async def test_no_reason_is_wide_enough(
    difference: Difference, why_it_would_hide_something: str
) -> None:
    exchange = exchanges(recording("identity-get"))[0]
    assert reason_of(exchange, difference) is None, why_it_would_hide_something


async def test_a_link_that_is_missing_never_passes() -> None:
    exchange = exchanges(recording("vm-attach-user-assigned"))[2]
    kept = {k: v for k, v in exchange.answer_headers.items() if k != "azure-asyncoperation"}
    (found,) = header_differences(exchange.answer_headers, kept)
    assert reason_of(exchange, found) is None


async def test_another_status_is_different(tmp_path: Path) -> None:
    text = recording("storage-404").read_text("utf-8").replace('"status": 404', '"status": 410')
    altered = tmp_path / "storage-404.json"
    altered.write_text(text, "utf-8")
    (outcome,) = await replayed(altered)
    assert outcome.verdict == "different"
    assert replace(outcome, different=[]).verdict == "equal"
