"""The pages on deploying and on security name only what is there."""

import re
from pathlib import Path

import pytest

from tests.support.infra.bicep import body, of, variable

PROJECT = Path(__file__).parents[2]
SECURITY = (PROJECT / "docs" / "security.md").read_text()
DEPLOY = (PROJECT / "docs" / "deploy.md").read_text()
_FILE = re.compile(r"`((?:infra|scripts|tests|docs)/[\w./-]+)`")
_TARGET = re.compile(r"`make ([a-z-]+)`")


@pytest.mark.parametrize("page", [SECURITY, DEPLOY], ids=["security.md", "deploy.md"])
def test_a_page_names_files_and_commands_that_are_there(page: str) -> None:
    for file in _FILE.findall(page):
        assert (PROJECT / file).exists(), file
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(_TARGET.findall(page)) <= targets


def test_every_alert_is_on_the_page() -> None:
    listed = set(re.findall(r"^\| `([\w-]+)` \|", DEPLOY.split("## Alerts")[1], re.MULTILINE))
    names = {rule["name"] for rule in variable("rules", "modules/alerts.bicep")}
    topic = body(of("modules/dead-letter-alert.bicep")["resources"]["alert"])["name"]
    assert listed == names | {topic}
