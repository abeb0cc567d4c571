"""`lanyard scan --storage`: by which rules the app gave what stands, as it has that on record."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lanyard.values.stamps import stamp
from tests.support.bad_parts import damage
from tests.support.desk import Desk
from tests.support.estate import ANOTHER_INSTALLATION, POLICY

RULE = "machines read blobs"


@pytest.fixture
async def app(desk: Desk) -> Desk:
    """Two machines have what the policy says, and its rule has another name since."""
    for name in ("vm1", "vm2"):
        await desk.estate.create_vm(name)
    await desk.started()
    desk.write_policy(POLICY.replace(RULE, "a new name"))
    return desk


async def scanned(app: Desk, *more: str) -> dict[str, Any]:
    ran = await app.app("scan", "--json", *more)
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)
    return found


def of_lanyard(document: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    return [
        (each["givenBy"], each["rules"])
        for each in document["access"]
        if each["giver"] == "lanyard"
    ]


async def test_who_gave_it_is_known_without_a_policy(app: Desk) -> None:
    document = await scanned(app)
    found = of_lanyard(document)
    assert found
    assert all(given == [RULE] and not asking for given, asking in found)
    assert document["record"] == {"damaged": []}


async def test_a_rule_that_has_another_name_now_stands_beside_the_one_that_gave_it(
    app: Desk, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    document = await scanned(app, "--policy", str(app.policy), "--html", str(page))
    assert set(map(str, of_lanyard(document))) == {str(([RULE], ["a new name"]))}
    assert f"by rule: {RULE}, asked for by rule: a new name" in page.read_text()


async def test_without_a_storage_nothing_of_it_is_claimed(app: Desk) -> None:
    document = json.loads((await app.lanyard("scan", "--json")).out)
    assert document["record"] is None
    assert all(each["givenBy"] == [] for each in document["access"])
    assert of_lanyard(document)


async def test_what_another_installation_gave_is_not_this_apps(app: Desk) -> None:
    standing = app.estate.azure.state.role_assignments
    for name, each in list(standing.items()):
        if app.estate.installation in (each.description or ""):
            standing[name] = replace(each, description=stamp(ANOTHER_INSTALLATION))
    app.estate.azure.clock.advance(3600)  # Resource Graph knows it
    givers = {each["giver"] for each in (await scanned(app))["access"]}
    assert givers == {"anotherLanyard", "others"}


async def test_a_row_that_cannot_be_read_is_named_and_the_others_count(
    app: Desk, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    where = damage(app.estate, "resources", "|vm1", "grants")
    document = json.loads((await app.app("scan", "--json", "--html", str(page))).out)
    assert [each.startswith(where) for each in document["record"]["damaged"]] == [True]
    assert all(given == [RULE] for given, _ in of_lanyard(document))
    assert "1 of its rows cannot be read" in page.read_text()
    assert f"! left alone: {where}" in (await app.app("scan")).out
