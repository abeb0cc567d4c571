"""What is held, as every command shows it: why it is not done, and what has it done."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lanyard.cli.frame.times import shown_time
from lanyard.planning.actions import Given, given_by
from lanyard.record.held import Entry
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId

ENTRY_SHAPE = {
    "id": "what `lanyard release` and `dismiss` take",
    "resource": "id of the resource, or of the subscription of an orphan",
    "about": "the principal or grant of an orphan that no resource shows; else empty",
    "key": "the action's own: no other action on the resource has it",
    "because": "why, as programs go by it: `mode`, `paused`, `budget` and so on",
    "action": "what is not done, in words",
    "reason": "why it is not",
    "release": "what would release it",
    "releasable": "whether `lanyard release` is enough",
    "since": "since when, ISO 8601, UTC",
    "answer": 'what a person decided: `""`, `released`, `dismissed`',
    "by": "who that was",
    "why": "why they did, in their words; may be empty",
    "until": "when a dismissal ends, ISO 8601, UTC; null for no end",
}


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """An entry of the list."""
    refusal = entry.refusal
    return {
        "id": entry.id,
        "resource": str(entry.resource),
        "about": entry.principal,
        "key": refusal.key,
        "because": refusal.because.value,
        "action": refusal.action,
        "reason": refusal.reason,
        "release": refusal.release,
        "releasable": refusal.releasable,
        "since": entry.since.isoformat(),
        "answer": entry.answer.value,
        "by": entry.by,
        "why": entry.why,
        "until": entry.until.isoformat() if entry.until is not None else None,
    }


def naming(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The same; what waits for a change of identity that is held, too, with the command that has
    that one done, or else with what would.
    """
    changes: dict[tuple[ResourceId, str], list[Entry]] = {}
    for entry in entries:
        if _is_identity_change(entry):
            changes.setdefault((entry.resource, entry.principal), []).append(entry)
    for entry in entries:
        found = changes.get((entry.resource, entry.principal), ())
        if entry.refusal.because is Because.IDENTITY_WAITS and found:
            ways = "; ".join(dict.fromkeys(map(_way_out, found)))
            yield replace(entry, refusal=replace(entry.refusal, release=ways))
        else:
            yield entry


def _is_identity_change(entry: Entry) -> bool:
    waits = entry.refusal.because is Because.IDENTITY_WAITS
    return not waits and given_by(entry.refusal.key) is Given.ATTACHMENT


def shown_reasons(entry: Entry) -> Iterator[str]:
    """Why it is held and what has it done, a line each, as `lanyard plan` shows them."""
    yield f"held: {entry.refusal.reason}"
    yield f"to release it: {_way_out(entry)}"


def in_words(entry: Entry) -> str:
    """The same within a sentence."""
    return f"{entry.refusal.reason}; to release it: {_way_out(entry)}"


def shown_answer(entry: Entry) -> str:
    """What a person decided about it, who, until when and why; "" where nobody has."""
    return f"{entry.answer.value} by {entry.by}{up_to(entry)}" if entry.answer else ""


def up_to(entry: Entry) -> str:
    """Until when a decision about it holds, and why."""
    end = f" until {shown_time(entry.until)}" if entry.until is not None else ""
    return f"{end}: {entry.why}" if entry.why else end


def _way_out(entry: Entry) -> str:
    refusal = entry.refusal
    return f"lanyard release {entry.id}" if refusal.releasable else refusal.release
