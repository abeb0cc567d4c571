"""Cases of 404s in the words of the services themselves."""

import pytest

from simulator.faults import Fault
from tests.support.cases import MINUTE, Rules, begun, create, delete, pass_time, roles
from tests.support.compute_examples import CONTAINER_APP, JOB, REPORTED, Example
from tests.support.estate import Estate

_GROUP = next(each for each in REPORTED if each.type.endswith("containerGroups"))
_SYSTEM = {"identity": {"type": "SystemAssigned"}}


async def _ended(estate: Estate, made: Example, code: str = "") -> None:
    """It was deleted, and the service says so in its own way from then on: as recorded, or by a
    code that nobody has seen.
    """
    resource = await create(estate, made, **(_SYSTEM if made is _GROUP else {}))
    await pass_time(estate)
    given = len(estate.assignments())
    await delete(estate, resource)
    estate.azure.behaviour.services_answer_not_found = True
    if code:
        path = f"{resource.text.rpartition('/providers/')[2]}$"
        fault = Fault(method="GET", path=path, status=404, code=code, times=None)
        estate.azure.faults.add(fault)
    await pass_time(estate, 10 * MINUTE)
    assert (given, len(estate.assignments())) == (1, 0)
    assert not [each for each in await estate.recorded() if each.outcome == "failed"]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (CONTAINER_APP, ""),
        (JOB, "ContainerAppJobNotFound"),
        (JOB, "JobNotFound"),
    ],
)
async def test_case_C15_an_app_that_its_service_does_not_know_is_gone(
    monkeypatch: pytest.MonkeyPatch, made: Example, code: str
) -> None:
    await _ended(await begun(monkeypatch, Rules(type=made.type), "id-old"), made, code)


async def test_case_C15_a_container_group_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = (
        "version: 1\nmode: full\nrules:\n  - name: all\n"
        f"    match: {{types: [{_GROUP.type}]}}\n    system: true\n"
        '    grant: [{role: Reader, scope: "{resourceGroup}", to: system}]\n'
        "orphans: {graceMinutes: 0}\nlimits: {removals: {graceMinutes: 0}}\n"
    )
    await _ended(await begun(monkeypatch, policy), _GROUP)


async def test_case_C15_another_404_of_the_service_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(type=CONTAINER_APP.type), "id-old")
    app = await create(estate, CONTAINER_APP)
    await pass_time(estate)
    estate.azure.faults.add(
        Fault(
            method="GET",
            path="containerApps/main$",
            status=404,
            code="ContainerAppSecretNotFound",
            times=None,
        )
    )
    await delete(estate, app)
    await pass_time(estate, 30 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
