"""A report as JSON: what the page, the table and the CSV are made from."""

from dataclasses import asdict
from typing import Any

from lanyard.cli.frame.held_entries import entry_as_json
from lanyard.cli.history import as_json as decision_as_json
from lanyard.cli.report.labels import FIGURES
from lanyard.cli.shown_removal import shown_removed
from lanyard.desk.report.happened import Happening, Line
from lanyard.desk.report.report import Report
from lanyard.desk.report.tally import Figures, Share

_LISTS = {
    "given": (Happening.GIVEN, Happening.SHARED),
    "held": (Happening.HELD,),
    "removed": (Happening.REMOVED, Happening.NOT_REMOVED),
    "failed": (Happening.FAILED,),
    "decided": (Happening.DECIDED,),
    "policies": (Happening.POLICY,),
    "sweeps": (Happening.SWEPT,),
}
_LINE = (
    "as `lanyard history --json` has it, with `happening`, `what`, `bySweep`, and `words` for "
    "people"
)
SHAPE = {
    "version": "`1`",
    "month": "`2026-10`, UTC",
    "since": "its first moment, ISO 8601",
    "until": "the first moment after it",
    "at": "when the report was made",
    "soFar": "whether the month is not over yet",
    "onRecord": "whether the record begins before the month is over; where not, the figures are 0 "
    "because nothing is known of it",
    "first": "the first moment on record since the month before began; null where nothing is. What "
    "is older than `records.keepDays` is forgotten",
    "figures": "; ".join(f"`{name}`: {words}" for name, words in FIGURES.items()),
    "before": "the same of the month before; null where nothing is on record of it",
    "rules[]": "`name`; of the month, what it `given`, `held`, and what of it was `removed`: role "
    "assignments and identities on resources",
    "days[]": "the same by day, up to now",
    "given[]": f"oldest first, {_LINE}: `given`, or `shared` where it was there already",
    "held[]": f"what began to wait, {_LINE}",
    "removed[]": f"what was taken away, {_LINE}: `removed`, or `notRemoved`; `became` as there",
    "failed[]": _LINE,
    "decided[]": f"by persons, {_LINE}",
    "policies[]": _LINE,
    "sweeps[]": _LINE,
    "waiting[]": "what waits at that moment, the longest first: as `lanyard held --json` has it",
    "damaged[]": "rows of the record, and of that list, that cannot be read: they are missing in "
    "the figures",
}


def report_as_json(report: Report) -> dict[str, Any]:
    """The document."""
    return {
        "version": 1,
        "month": str(report.month),
        "since": report.month.since.isoformat(),
        "until": report.month.until.isoformat(),
        "at": report.at.isoformat(),
        "soFar": report.so_far,
        "onRecord": report.on_record,
        "first": report.first.isoformat() if report.first else None,
        "figures": _figures(report.figures),
        "before": _figures(report.before) if report.before else None,
        "rules": [_share(share, "name") for share in report.rules],
        "days": [_share(share, "day") for share in report.days],
        **{name: _lines(report, happenings) for name, happenings in _LISTS.items()},
        "waiting": [entry_as_json(entry) for entry in report.waiting],
        "damaged": list(report.damaged),
    }


def _figures(figures: Figures) -> dict[str, int]:
    values = {_camel(name): value for name, value in asdict(figures).items()}
    return {name: values[name] for name in FIGURES}


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(map(str.capitalize, more))


def _share(share: Share, name: str) -> dict[str, Any]:
    return {
        name: share.name,
        "given": share.given,
        "held": share.held,
        "removed": share.removed,
    }


def _lines(report: Report, happenings: tuple[Happening, ...]) -> list[dict[str, Any]]:
    return [_line(line) for line in report.lines if line.happening in happenings]


def _line(line: Line) -> dict[str, Any]:
    decision = line.recorded.decision
    removed = decision.removed
    head = {
        "happening": line.happening.value,
        "what": line.what.value if line.what else None,
        "bySweep": line.by_sweep,
        "words": decision.action if removed is None else shown_removed(removed),
    }
    return head | decision_as_json(line.recorded, line.became)
