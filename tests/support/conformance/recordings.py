"""Recorded traffic of Azure, which lies beside the project and is never part of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SHARED = Path(__file__).parents[3].parent / "shared"
FOLDERS = (_SHARED / "recordings", _SHARED / "traffic")
#: What stands where whoever prepared a recording left a part out.
DROPPED = "…dropped"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request as it was sent to Azure, and Azure's answer."""

    #: The recording's name without its ending.
    file: str
    #: The project whose test kit recorded it: some leave headers out.
    source: str
    #: Its place in the recording, from 0.
    index: int
    method: str
    uri: str
    headers: dict[str, str]
    body: Any
    status: int
    answer_headers: dict[str, str]
    answer: Any
    #: The bodies of the requests up to this one that wrote what its answer shows.
    sent: list[Any]

    @property
    def host(self) -> str:
        """ "management.azure.com" or "graph.microsoft.com"."""
        return urlsplit(self.uri).netloc

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.uri).path

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.uri)
        return parts.path + (f"?{parts.query}" if parts.query else "")


def recorded_files() -> list[Path]:
    """All recordings of exchanges, in the order of their names."""
    found = sorted(each for folder in FOLDERS for each in folder.glob("*.json"))
    return [path for path in found if "exchanges" in json.loads(path.read_text("utf-8"))]


def exchanges(path: Path) -> list[Exchange]:
    """The exchanges of one recording, in their order."""
    document = json.loads(path.read_text("utf-8"))
    return [
        Exchange(
            file=path.stem,
            source=document["source"],
            index=index,
            method=each["request"]["method"],
            uri=each["request"]["uri"],
            headers=each["request"]["headers"],
            body=each["request"]["body"],
            status=each["response"]["status"],
            answer_headers=each["response"]["headers"],
            answer=each["response"]["body"],
            sent=_sent(document["exchanges"][: index + 1]),
        )
        for index, each in enumerate(document["exchanges"])
    ]


def _sent(recorded: list[Any]) -> list[Any]:
    """For what the last answer shows, by its id; for all of it, where that is a list."""
    requests, shown = [each["request"] for each in recorded], recorded[-1]["response"]["body"]
    members = shown if isinstance(shown, dict) else {}
    asked = urlsplit(requests[-1]["uri"]).path
    place = "" if "value" in members else str(members.get("id") or asked).lower()
    return [each["body"] for each in requests if place in each["uri"].lower()]
