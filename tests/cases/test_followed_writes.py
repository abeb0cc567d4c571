"""Cases of writes whose end is looked up at paths that want a right of their own."""

from dataclasses import replace

import pytest

from tests.support.cases import Rules, attached, create, pass_time
from tests.support.compute_examples import CONTAINER_APP, JOB, SITE, SLOT, Example
from tests.support.handlers import started
from tests.support.infra.bounded import BoundedEstate, needed

_APPS = {"microsoft.app/containerapps", "microsoft.app/jobs"}
_SHARED = '{name: "id-{location}", resourceGroup: rg-identities}'
_HOSTED = "functionapp,linux,container,azurecontainerapps"


async def _attached(
    monkeypatch: pytest.MonkeyPatch, made: Example, status: set[str]
) -> BoundedEstate:
    """With the rights that `lanyard rights` names, where following a write needs one."""
    text = Rules(type=made.type, identity=_SHARED).text("")
    estate = BoundedEstate(text, needed(text))
    await started(estate, monkeypatch)
    estate.azure.behaviour.container_app_patch_both_links = status
    resource = await create(estate, made)
    await pass_time(estate)
    assert attached(estate, resource) == ["id-westeurope"]
    done = [each.outcome for each in await estate.recorded() if "attach" in each.action]
    assert done == ["intended", "done"]
    return estate


@pytest.mark.parametrize("status", [_APPS, set[str]()], ids=["status", "result alone"])
@pytest.mark.parametrize("made", [CONTAINER_APP, JOB], ids=str)
async def test_case_C12_a_container_app_is_followed_by_either_path(
    monkeypatch: pytest.MonkeyPatch, made: Example, status: set[str]
) -> None:
    estate = await _attached(monkeypatch, made, status)
    assert estate.refused() == []


@pytest.mark.parametrize("made", [SITE, SLOT], ids=str)
async def test_case_C14_a_function_app_on_container_apps_is_followed(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    hosted = replace(made, body={**made.body, "kind": _HOSTED})
    estate = await _attached(monkeypatch, hosted, _APPS)
    assert estate.refused() == []
    assert any("operationresults" in call.path for call in estate.azure.calls)
