"""A report as CSV, a line for each line of the record: for spreadsheets and for who keeps it."""

import csv
import io
import re
from typing import Any

from lanyard.values.resource_id import last_name
from lanyard.values.shown import shown

type Json = dict[str, Any]

_HEADS = ("id", "at", "happening", "what", "resource", "action", "outcome", "reason", "assignment",
          "rules", "policy", "by", "event", "evidence")  # fmt: skip
_LISTS = ("given", "held", "removed", "failed", "decided", "policies", "sweeps")
# A spreadsheet takes what begins so for a formula, in wide characters, too; one that parts cells at
# semicolons, what follows these (OWASP, "CSV Injection").
_FORMULA = re.compile(r"(^|;\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\t\r])")


def as_csv(document: Json) -> str:
    """The text of the file, lines by time."""
    lines = [line for name in _LISTS for line in document[name]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEADS)
    writer.writerows(map(_cells, sorted(lines, key=lambda line: (line["at"], line["id"]))))
    return text.getvalue()


def _cells(line: Json) -> list[str]:
    raw = (line["removed"] or {}).get("raw", {})
    cells = line | {
        "outcome": line["became"] or line["outcome"],
        "assignment": line["grant"] or last_name(str(raw.get("id", ""))),
        "rules": "; ".join(line["rules"]),
        "event": line["cause"].get("eventId", ""),
        "evidence": "; ".join(line["evidence"]),
    }
    return [_harmless(str(cells[head] or "")) for head in _HEADS]


def _harmless(text: str) -> str:
    return shown(_FORMULA.sub(r"\1'", text))
