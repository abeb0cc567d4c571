"""The report: Markdown and JSON that can be put on an issue, without ids, names and secrets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prove.journal import Entry, Journal, State
from prove.questions import QUESTIONS
from prove.steps import Step

_HIDDEN = (
    (re.compile(r"https?://[^\s'\"<>]+"), "<address>"),
    (re.compile(r"(?<![\w.])/(?:subscriptions|providers)/[^\s'\",;<>]+"), "<id>"),
    (re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<person>"),
    (re.compile(r"\b[\w-]+\.(?:partner\.)?onmicrosoft\.\w+"), "<tenant>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "<address>"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "<token>"),
)
# Texts of Azure can be long, and name what nobody foresaw.
_MOST = 400


def scrubbed(text: str, names: Iterable[str] = ()) -> str:
    """A text without what looks like an id, an address, a person or a token, or is in `names`."""
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(re.escape(name), "<name>", text, flags=re.IGNORECASE)
    return " ".join(text.split())[:_MOST]


def names_in(journal: Journal) -> set[str]:
    """The names and ids that the proof knows of, wherever they may turn up."""
    app = journal.values.get("app") or {}
    return {str(value).rpartition("/")[2] for value in app.values()} | {journal.suffix}


def as_json(journal: Journal, steps: Sequence[Step], version: str, cloud: str) -> dict[str, Any]:
    """The report as a document. `version`: of Lanyard; `cloud`: its name, or which Azure it was."""
    names = names_in(journal)
    return {
        "version": version,
        "cloud": cloud,
        "region": journal.location,
        "nothingStays": not any(each.stays for each in journal.entries.values()),
        "answers": [
            {
                "question": name,
                "text": text,
                "answer": scrubbed(journal.answers.get(name, ""), names),
            }
            for name, text in QUESTIONS.items()
        ],
        "measured": [{"what": k, "seconds": v} for k, v in journal.measured.items()],
        "steps": [_step(each, journal.entries, names) for each in steps],
    }


def _step(step: Step, entries: Mapping[str, Entry], names: set[str]) -> dict[str, str]:
    entry = entries.get(step.name, Entry(State.NOT_TRIED))
    return {
        "name": step.name,
        "does": step.does,
        "state": str(entry.state),
        "why": scrubbed(entry.why, names),
        "stays": scrubbed(entry.stays, names),
    }


def as_markdown(document: Mapping[str, Any]) -> str:
    """The same for people."""
    over = "Nothing of it is left." if document["nothingStays"] else "**Something of it is left.**"
    lines = [
        f"# Lanyard on {document['cloud']}",
        "",
        f"Lanyard {document['version']}, region {document['region']}. {over}",
        "",
        *_table(("question", "answer"), _answers(document)),
        *_table(("measured", "s"), ((m["what"], str(m["seconds"])) for m in document["measured"])),
        *_table(("step", "", "why"), _states(document)),
    ]
    return "\n".join(lines)


def _answers(document: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    return ((each["text"], each["answer"] or "not answered") for each in document["answers"])


def _states(document: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for each in document["steps"]:
        left = f"it stays: {each['stays']}" if each["stays"] else ""
        yield f"{each['name']}: {each['does']}", each["state"], each["why"] or left


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [[cell.replace("|", r"\|") for cell in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]
