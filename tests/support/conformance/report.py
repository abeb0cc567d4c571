"""All recordings replayed, and the table of what came of it.

`python -m tests.support.conformance.report docs/dev/simulator.md` writes it into the page.
"""

import asyncio
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.conformance.compare import (
    Difference,
    body_differences,
    header_differences,
    member_paths,
)
from tests.support.conformance.differences import Reason, not_claimed, reason_of
from tests.support.conformance.recordings import Exchange, exchanges, recorded_files
from tests.support.conformance.replay import Replay

START, END = "<!-- from here on made by tests/support/conformance/report.py -->", "<!-- to here -->"


@dataclass(frozen=True)
class Outcome:
    """What one exchange came to. `left_out`: why it was not replayed, None where it was."""

    exchange: Exchange
    left_out: str | None = None
    #: What differs and passes, with why.
    passing: list[tuple[Difference, Reason]] = field(default_factory=list)
    #: What differs and does not.
    different: list[Difference] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """ "equal", "members" (equal but for those that pass), "different" or "left out"."""
        if self.left_out is not None:
            return "left out"
        if self.different:
            return "different"
        bodies = any(each.where.startswith("body") for each, _ in self.passing)
        return "members" if bodies else "equal"

    @property
    def where(self) -> str:
        """For people."""
        each = self.exchange
        return f"{each.file} #{each.index} {each.method}"


async def replayed(path: Path) -> list[Outcome]:
    """The outcome of each exchange of one recording."""
    recorded = exchanges(path)
    replay, shown = Replay(recorded), defaultdict[str, set[str]](set)
    return [await _outcome(replay, each, shown[each.path.lower()]) for each in recorded]


async def _outcome(replay: Replay, exchange: Exchange, shown: set[str]) -> Outcome:
    """`shown`: the members that the simulator answered so far about the same thing; it grows."""
    if reason := not_claimed(exchange):
        return Outcome(exchange, left_out=reason)
    try:
        answer, body = await replay.answer(exchange)
    except Exception as error:  # one exchange must not hide all others
        return Outcome(exchange, None, [], [Difference("replay", None, repr(error))])
    if answer.status != exchange.status:
        differences = [Difference("status", exchange.status, answer.status)]
    else:
        differences = [
            *header_differences(exchange.answer_headers, answer.headers),
            *body_differences(exchange.answer, body),
        ]
    if replay.makes_anew(exchange):
        shown.clear()
    told = [replace(each, shown_before=each.where in shown) for each in differences]
    shown.update(member_paths(body))
    judged = [(each, reason_of(exchange, each)) for each in told]
    passing = [(each, reason) for each, reason in judged if reason is not None]
    return Outcome(exchange, None, passing, [each for each, why in judged if why is None])


async def all_replayed() -> list[Outcome]:
    """Of every recording there is."""
    return [each for path in recorded_files() for each in await replayed(path)]


def service_of(exchange: Exchange) -> str:
    """Whose exchange it is: a namespace, or what has none."""
    if exchange.host == "graph.microsoft.com":
        return "Microsoft Graph"
    namespace = exchange.path.rpartition("/providers/")[2].partition("/")[0]
    # As its documentation writes it, however it was asked.
    return re.sub(r"^microsoft\.(.)", _capital, namespace, flags=re.I) or "resource groups"


def _capital(start: re.Match[str]) -> str:
    return f"Microsoft.{start[1].upper()}"


def markdown(outcomes: list[Outcome]) -> str:
    """The table, then why members may differ, then what differs, then what is left out."""
    by_service: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in outcomes:
        by_service[service_of(each.exchange)][each.verdict] += 1
    total: Counter[str] = sum(by_service.values(), Counter())
    rows = [_row(name, by_service[name]) for name in sorted(by_service)]
    reasons = Counter(
        why for each in outcomes for why in {reason.text for _, reason in each.passing}
    )
    left = Counter(each.left_out for each in outcomes if each.left_out)
    different = [f"- {each.where}: {each.different[0]}" for each in outcomes if each.different]
    return "\n".join(
        [
            "| Service | Replayed | Equal | Equal but for members | Different |",
            "|---|---|---|---|---|",
            *rows,
            _row("**all**", total),
            "",
            "Why something may differ, and in how many exchanges it does:",
            "",
            *(f"- {why}: {count}" for why, count in reasons.most_common()),
            "",
            "Different:",
            "",
            *(different or ["- none"]),
            "",
            "Not replayed:",
            "",
            *(f"- {why}: {count}" for why, count in sorted(left.items())),
        ]
    )


def _row(name: str, counts: Counter[str]) -> str:
    equal, members, different = (counts[each] for each in ("equal", "members", "different"))
    return f"| {name} | {equal + members + different} | {equal} | {members} | {different} |"


def page_with(text: str, table: str) -> str:
    """The page with this table in the place of the one it has."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    made = markdown(asyncio.run(all_replayed()))
    page.write_text(page_with(page.read_text("utf-8"), made), "utf-8")
