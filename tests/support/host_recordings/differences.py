"""Every difference between our Functions host and the real one that passes, with its reason; and
what is not replayed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.host_recordings.rows import Row


@dataclass(frozen=True)
class Reason:
    """`fits`: the rows that it is about."""

    text: str
    fits: Callable[[Row], bool]


def _request(row: Row) -> Row:
    found: Row = row["request"]
    return found


def _dialect(row: Row) -> bool:
    """Taken there, though it is no JSON."""
    body = _request(row).get("body")
    if body is None or row["response"]["status"] != 202:
        return False
    try:
        json.loads(body, strict=False)
    except ValueError:
        return True
    return False


#: Of requests to the webhook.
WEBHOOK_NOT_REPLAYED = (
    Reason(
        "a function of .NET, with bindings that Python has not",
        lambda row: (
            "functionName=" in _request(row)["query"]
            and any(
                f"functionName={name}" in _request(row)["query"]
                for name in ("Str", "JArr", "Eg", "CEvent", "Slow")
            )
        ),
    ),
    Reason(
        "a host in Europe/Berlin: Azure's are in UTC",
        lambda row: "time zone Europe/Berlin" in row["name"],
    ),
    Reason(
        "the recording leaves the body out",
        lambda row: "body_bytes" in _request(row),
    ),
)
WEBHOOK = (
    Reason(
        "Newtonsoft reads comments, single quotes and the like; Event Grid sends JSON",
        _dialect,
    ),
    Reason(
        "UTF-16 without a mark and without a charset is garbage there, and refused here",
        lambda row: row["name"] == "utf-16 without BOM, no charset",
    ),
)

#: Of stories of a queue.
QUEUE_NOT_REPLAYED = (
    Reason(
        "the recording cuts the text short",
        lambda row: "…[" in str(row["observed"].get("stored", "")),
    ),
    Reason(
        "the queue's service refuses it before the host sees it",
        lambda row: row["name"] == "message: stored text of 70000",
    ),
    Reason(
        "options that host.json gives: read with the settings, in their own test",
        lambda row: row["name"].startswith("option"),
    ),
    Reason(
        "of Azurite or of a process: in the tests of the running host",
        lambda row: (
            row["name"]
            in (
                "all messages: afterwards",
                "polling of an empty queue, run 1",
                "polling of an empty queue, run 2",
                "the trigger's queue does not exist",
                "the queue is deleted while two messages are being processed",
                "StopAsync without a limit",
                "the host is killed in the middle of a message",
                "a function writes to a queue that triggers another function of the same host",
                "1200 messages of 3000 ms each",
                "output binding",
            )
        ),
    ),
)
#: Of timers.
TIMERS_NOT_REPLAYED = (
    Reason(
        "a time span for a schedule: none of the app is one",
        lambda row: row["name"] == "timer 00:00:05",
    ),
)
#: Of schedules.
SCHEDULES = (
    Reason(
        "backward ranges, shortened names and steps of 0 are taken there, and other blanks and "
        "digits here: no schedule of the app has any",
        lambda row: "ours_error" in row or "error" in row,
    ),
    Reason(
        "NCrontab 3.3.2 forgets to go back to the first second; 3.4.0 does not",
        lambda row: "next_ncrontab_3_4_0" in row,
    ),
)


def reason_of(reasons: tuple[Reason, ...], row: Row) -> Reason | None:
    """Why a row may differ, or is left out; None where it may not."""
    return next((each for each in reasons if each.fits(row)), None)
