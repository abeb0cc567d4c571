"""What to do after a failed call is decided by the status and Azure's code."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from lanyard.azure.arm.failures import (
    code_of,
    is_gone,
    retry_after,
    stored,
    translate,
    translated,
)
from lanyard.values.errors import (
    FEW_ATTEMPTS,
    MAX_ATTEMPTS,
    MayPass,
    Permanent,
    Temporary,
)


class Answer:
    """As much of a response as the SDK's errors look at."""

    reason = ""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        self.status_code = status
        self.headers = headers
        self._body = body

    def text(self) -> str:
        return self._body if isinstance(self._body, str) else json.dumps(self._body)


def error(status: int, body: Any) -> HttpResponseError:
    return HttpResponseError(response=Answer(status, body))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            {"error": {"code": "FailedIdentityOperation", "message": "no"}},
            "FailedIdentityOperation",
        ),
        ({"Code": "NotFound", "Message": "no web app", "Details": [{"Code": "X"}]}, "NotFound"),
        ({"code": "InvalidParameter", "details": None, "message": "no"}, "InvalidParameter"),  # AKS
        ({"status": "Failed", "error": {"code": "OperationFailed"}}, "OperationFailed"),
        ("<html>", ""),
        ([], ""),
        ({}, ""),
    ],
)
def test_the_code_is_azures(body: Any, code: str) -> None:
    assert code_of(error(400, body)) == code
    refused = translate("attach", error(400, body))
    assert isinstance(refused, Permanent)
    assert refused.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "ContainerAppOperationInProgress"),
        (409, "Conflict"),
        (412, "AnyCode"),
        (401, "ExpiredAuthenticationToken"),
        (500, "InternalServerError"),
    ],
)
def test_what_may_pass_is_tried_again(status: int, code: str) -> None:
    later = translate("attach", error(status, {"error": {"code": code, "message": "wait"}}))
    assert isinstance(later, Temporary)
    assert later.delay > 0


@pytest.mark.parametrize(
    "code", ["InternalServerError", "OperationPreempted", "ServerTimeout", "TooManyRequests", "500"]
)
def test_an_operation_that_was_broken_off_is_tried_again_a_few_times(code: str) -> None:
    ended = {"status": "Failed", "error": {"code": code, "message": "sorry"}}
    later = translate("attach", error(200, ended))
    assert isinstance(later, MayPass)
    assert (later.code, later.attempts) == (code, FEW_ATTEMPTS)


@pytest.mark.parametrize("code", ["FailedIdentityOperation", "BadRequest", "VMExtensionError", ""])
def test_an_operation_that_failed_for_a_reason_is_over(code: str) -> None:
    ended = {"status": "Failed", "error": {"code": code, "message": "no"}}
    assert isinstance(translate("attach", error(200, ended)), Permanent)


@pytest.mark.parametrize(
    ("code", "attempts"),
    [("Conflict", MAX_ATTEMPTS), ("Unheard", FEW_ATTEMPTS), ("OperationNotAllowed", FEW_ATTEMPTS)],
)
def test_how_often_a_conflict_is_tried_again(code: str, attempts: int) -> None:
    later = translate("attach", error(409, {"error": {"code": code, "message": "no"}}))
    assert isinstance(later, MayPass)
    assert later.attempts == attempts


def test_a_conflict_in_the_apps_own_storage_says_nothing_of_the_work() -> None:
    with pytest.raises(Temporary) as caught, stored("write the record"):
        raise error(409, {"odata.error": {"code": "TableBeingDeleted"}})
    assert not isinstance(caught.value, MayPass)


def test_a_child_is_gone_with_its_parent_but_not_with_a_lost_subscription() -> None:
    assert is_gone(error(404, {"error": {"code": "ParentResourceNotFound", "message": ""}}))
    assert is_gone(error(404, {"Code": "NotFound", "Message": ""}))
    assert is_gone(error(404, {"code": "NotFound", "details": None, "message": "", "subcode": ""}))
    assert not is_gone(error(404, {"error": {"code": "SubscriptionNotFound", "message": ""}}))


_GROUP = "https://management.azure.com/subscriptions/s/resourceGroups/rg/providers"


def _asked(path: str, code: str) -> HttpResponseError:
    failure = error(404, {"error": {"code": code, "message": ""}})
    failure.response.request = SimpleNamespace(url=f"{_GROUP}/{path}?api-version=1")  # type: ignore
    return failure


@pytest.mark.parametrize(
    ("path", "attempts"),
    [
        ("Microsoft.ContainerService/managedClusters/c", MAX_ATTEMPTS),
        ("Microsoft.Compute/virtualMachines/c", FEW_ATTEMPTS),
    ],
)
def test_what_a_cluster_does_not_allow_is_allowed_once_its_operation_ends(
    path: str, attempts: int
) -> None:
    failure = error(409, {"code": "OperationNotAllowed", "details": None, "message": "wait"})
    failure.response.request = SimpleNamespace(url=f"{_GROUP}/{path}?api-version=1")  # type: ignore
    later = translate("attach", failure)
    assert isinstance(later, MayPass)
    assert later.attempts == attempts


@pytest.mark.parametrize(
    ("path", "code", "gone"),
    [
        ("Microsoft.App/containerApps/a", "ContainerAppNotFound", True),
        ("Microsoft.App/jobs/a", "ContainerAppJobNotFound", True),
        ("Microsoft.Logic/workflows/a", "WorkflowNotFound", True),
        ("Microsoft.Batch/batchAccounts/a/pools/p", "PoolNotFound", True),
        ("Microsoft.Batch/batchAccounts/a/pools/p", "BatchAccountNotFound", True),
        (
            "Microsoft.ContainerInstance/containerGroups/a/providers/Microsoft.Authorization"
            "/roleAssignments/r",
            "ContainerGroupNotFound",
            True,
        ),
        ("Microsoft.App/containerApps/a", "ContainerAppRegistryNotFound", False),
        ("Microsoft.App/containerApps/workflows", "WorkflowNotFound", False),
        ("Microsoft.ServiceBus/namespaces/n/subscriptions/s", "SubscriptionNotFound", False),
        ("Microsoft.Compute/virtualMachines/a", "ImageNotFound", False),
    ],
)
def test_case_C15_a_service_has_a_code_for_its_own_type(path: str, code: str, gone: bool) -> None:
    assert is_gone(_asked(path, code)) is gone


NOW = "Mon, 02 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "Mon, 02 Nov 2026 09:00:42 GMT", "Date": NOW}, 42),
        ({"Retry-After": "Mon, 02 Nov 2026 08:59:00 GMT", "Date": NOW}, 0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({}, 99),
        ({"Retry-After": "soon"}, 99),
        ({"Retry-After": "nan"}, 99),
        ({"Retry-After": "inf"}, 99),
        ({"Retry-After": "-5"}, 0),
    ],
    ids=str,
)
def test_how_long_to_wait_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(Answer(429, {}, **headers), 99) == seconds


def test_an_answer_that_was_cut_off_is_asked_for_again() -> None:
    with pytest.raises(Temporary), translated("list"):
        json.loads('{"value": [')


class Asked(Answer):
    """An answer that knows its request."""

    def __init__(self, status: int, method: str) -> None:
        super().__init__(status, {})
        self.request = SimpleNamespace(method=method)


@pytest.mark.parametrize(
    ("method", "status", "uncertain"),
    [
        ("DELETE", 409, False),
        ("DELETE", 423, False),
        ("PATCH", 429, False),
        ("PATCH", 503, False),
        ("PATCH", 403, False),
        ("PATCH", 408, True),
        ("PATCH", 500, True),
        ("PATCH", 502, True),
        ("DELETE", 504, True),
        ("GET", 429, True),
        ("GET", 403, True),
    ],
)
def test_an_answer_says_whether_what_was_asked_for_may_be_done(
    method: str, status: int, uncertain: bool
) -> None:
    answer = HttpResponseError(response=Asked(status, method))
    assert translate("write", answer).uncertain is uncertain, "a GET follows a write: it was taken"


@pytest.mark.parametrize(
    "broken",
    [ServiceRequestError("no way"), ServiceResponseError("cut off"), TimeoutError()],
    ids=lambda each: type(each).__name__,
)
def test_without_an_answer_nobody_knows_whether_it_was_done(broken: Exception) -> None:
    with pytest.raises(Temporary) as caught, translated("write"):
        raise broken
    assert caught.value.uncertain


def test_what_azure_says_is_there_once_with_its_details() -> None:
    details = [{"code": "PolicyViolation", "message": "a tag is missing"}]
    body = {"error": {"code": "Denied", "message": "You may not.", "details": details}}
    found = str(translate("read it", error(403, body)))
    assert found == "read it: 403 Denied: You may not.; PolicyViolation: a tag is missing"
    bare = {"error": {"code": "Denied", "message": "You may not."}}
    assert str(translate("read it", error(403, bare))) == "read it: 403 Denied: You may not."
