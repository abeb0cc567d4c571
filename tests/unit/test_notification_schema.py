"""The published schema and the page about it say what the code does."""

import json
import re
from pathlib import Path

import pytest

from lanyard.cli.docs.notification_schema import notification_schema, schema_text
from lanyard.notices.model import NoticeType
from tests.support.json_schema import mistakes

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "notifications.md").read_text()
SCHEMA = notification_schema()


def example() -> dict[str, object]:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    event: dict[str, object] = json.loads(found[1])
    return event


def test_the_published_schema_is_current() -> None:
    hint = "run: python -m lanyard.cli.docs.notification_schema docs/notifications.schema.json"
    assert (DOCS / "notifications.schema.json").read_text() == schema_text(), hint


def test_the_event_on_the_page_is_a_good_one() -> None:
    assert mistakes(example(), SCHEMA) == []


@pytest.mark.parametrize(
    "kind", [NoticeType.IDENTITY_ATTACHED, NoticeType.REMOVAL_HELD, NoticeType.CONFLICT_FOUND]
)
def test_an_event_that_lacks_what_its_kind_tells_is_refused(kind: NoticeType) -> None:
    assert mistakes(example() | {"type": kind.value}, SCHEMA)


def test_every_kind_and_every_field_is_on_the_page() -> None:
    names = {kind.value for kind in NoticeType}
    for part in SCHEMA["$defs"].values():
        names |= set(part["properties"])
    said = set(re.findall(r"[A-Za-z.]+", PAGE))
    assert {name for name in names if name not in said} == set()
