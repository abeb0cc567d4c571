"""Recorded ARM traffic, which lies beside the project and is never part of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DIRECTORY = Path(__file__).parents[3].parent / "shared" / "recordings"
DROPPED = "…dropped"


@dataclass(frozen=True)
class Exchange:
    """One request as it was sent to Azure, and Azure's answer."""

    file: str
    index: int
    method: str
    uri: str
    headers: dict[str, str]
    body: Any
    status: int
    answer_headers: dict[str, str]
    answer: Any

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.uri)
        return parts.path + (f"?{parts.query}" if parts.query else "")


def recorded_files() -> list[str]:
    """The names of all recordings of exchanges, without their ending."""
    found = sorted(DIRECTORY.glob("*.json"))
    return [path.stem for path in found if "exchanges" in json.loads(path.read_text("utf-8"))]


def exchanges(file: str) -> list[Exchange]:
    """The exchanges of one recording, in their order."""
    document = json.loads((DIRECTORY / f"{file}.json").read_text("utf-8"))
    return [
        Exchange(
            file,
            index,
            each["request"]["method"],
            each["request"]["uri"],
            each["request"]["headers"],
            each["request"]["body"],
            each["response"]["status"],
            each["response"]["headers"],
            each["response"]["body"],
        )
        for index, each in enumerate(document["exchanges"])
    ]
