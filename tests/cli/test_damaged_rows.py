"""What the commands say of rows that cannot be read: each is named, and all else is shown."""

import json
from dataclasses import replace

import pytest

from tests.support.bad_parts import damage
from tests.support.desk import Desk
from tests.support.estate import limited

OK, ATTENTION = 0, 2


@pytest.fixture
async def app(desk: Desk) -> Desk:
    """Three machines are served."""
    for name in ("vm1", "vm2", "vm3"):
        await desk.estate.create_vm(name)
    await desk.started()
    return desk


@pytest.mark.parametrize(
    ("table", "key", "column"),
    [
        ("resources", "|vm1", "grants"),
        ("grants", "grant", "state"),
        ("grants", "claim|", "resource"),
    ],
)
async def test_case_C03_status_names_it_and_counts_the_others(
    app: Desk, table: str, key: str, column: str
) -> None:
    where = damage(app.estate, table, "|vm1" if key == "claim|" else key, column)
    ran = await app.app("status")
    assert ran.code == ATTENTION
    assert any(line.startswith(f"! left alone: {where}") for line in ran.lines)
    status = json.loads((await app.app("status", "--json")).out)
    assert status["resources"] == (2 if table == "resources" else 3)
    assert "damaged" in status["reasons"]
    assert [each.startswith(where) for each in status["damaged"]] == [True]


async def test_case_C03_held_names_it_and_lists_the_others(app: Desk) -> None:
    app.estate.change_policy(limited("perHour: 0"))
    await app.estate.sweeps.run()
    for name in ("vm1", "vm2", "vm3"):
        await app.estate.delete_vm(name)
        await app.gone(app.estate.vm_id(name))
    (before,) = json.loads((await app.app("held", "--json")).out)["held"]
    where = damage(app.estate, "held", "", "since")
    ran = await app.app("held")
    assert ran.code == ATTENTION
    assert any(line.startswith(f"! left alone: {where}") for line in ran.lines)
    found = json.loads((await app.app("held", "--json")).out)
    assert ([each.startswith(where) for each in found["damaged"]], found["held"]) == ([True], [])
    assert "nothing with id" in (await app.app("release", before["id"])).err
    resumed = await app.app("resume")
    assert resumed.code == OK


@pytest.mark.parametrize(
    ("table", "key", "column"), [("resources", "|vm1", "grants"), ("grants", "grant", "state")]
)
async def test_case_C03_explain_names_it_and_shows_the_rest(
    app: Desk, table: str, key: str, column: str
) -> None:
    where = damage(app.estate, table, key, column)
    vm = app.estate.vm_id("vm1").text
    ran = await app.app("explain", vm, "--policy", str(app.policy))
    assert ran.code == OK
    assert any(line.startswith(f"! left alone: {where}") for line in ran.lines)
    found = json.loads((await app.app("explain", vm, "--policy", str(app.policy), "--json")).out)
    assert len(found["assignments"]) == 1
    assert [each.startswith(where) for each in found["damaged"]] == [True]


async def test_case_C03_history_and_report_name_it_and_show_the_rest(app: Desk) -> None:
    content = app.estate.tables.decisions.content
    before = json.loads((await app.app("history", "--json")).out)["decisions"]
    keys = min(content)
    values = {**content[keys].values, "rules": "]"}
    content[keys] = replace(content[keys], values=values)
    where = f"table lanyarddecisions, partition {keys[0]}, row {keys[1]}"
    for command in ("history", "report"):
        ran = await app.app(command)
        assert ran.code == OK
        assert any(line.startswith(f"! left alone: {where}") for line in ran.lines)
        found = json.loads((await app.app(command, "--json")).out)
        assert [each.startswith(where) for each in found["damaged"]] == [True]
    found = json.loads((await app.app("history", "--json")).out)["decisions"]
    assert found == before[1:]
