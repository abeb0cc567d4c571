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
    #: The bodies of all requests of the recording.
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
            sent=[other["request"]["body"] for other in document["exchanges"]],
        )
        for index, each in enumerate(document["exchanges"])
    ]
