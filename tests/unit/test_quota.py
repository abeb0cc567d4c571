"""Which buckets a request counts in, and what an answer says of them."""

from dataclasses import replace

import pytest

from lanyard.azure.throttling.quota import Admission, Quota, TooLong

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
OTHER = "/subscriptions/22222222-2222-2222-2222-222222222222"
VM = "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
PATIENCE = 3
HOST = "https://management.azure.com"


def quota() -> Quota:
    return Quota(reserve=0.1)


def admitted(found: Admission | TooLong) -> Admission:
    assert isinstance(found, Admission)
    return found


def sent_at_once(quota: Quota, method: str, path: str, now: float = 0) -> int:
    count = 0
    while (
        isinstance(found := quota.admit(method, HOST + path, now, PATIENCE), Admission)
        and not found.wait
    ):
        count += 1
    return count


def answered(quota: Quota, method: str, path: str, **headers: str) -> None:
    admission = admitted(quota.admit(method, HOST + path, 0, PATIENCE))
    quota.heed(admission, {name.replace("_", "-"): text for name, text in headers.items()}, 0)


@pytest.mark.parametrize(
    ("method", "kind"),
    [("GET", "reads"), ("PATCH", "writes"), ("PUT", "writes"), ("POST", "writes")],
)
def test_a_subscription_has_a_bucket_a_kind(method: str, kind: str) -> None:
    admission = admitted(quota().admit(method, f"{HOST}{SUB}/x?api-version=1", 0, PATIENCE))
    assert list(admission.taken) == [(kind, SUB.rpartition("/")[2])]


def test_reads_writes_and_deletes_do_not_use_up_each_other() -> None:
    used = quota()
    answered(used, "GET", SUB + VM, x_ms_ratelimit_remaining_subscription_reads="249")
    assert sent_at_once(used, "GET", SUB + VM) == 224
    answered(used, "DELETE", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_deletes="199")
    assert sent_at_once(used, "DELETE", f"{SUB}/x") == 179


def test_a_subscription_that_is_used_up_does_not_hold_up_another() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="0")
    assert isinstance(used.admit("PUT", f"{HOST}{SUB}/x", 0, PATIENCE), Admission), "it waits 2.1 s"
    answered(used, "PUT", f"{OTHER}/x", x_ms_ratelimit_remaining_subscription_writes="150")
    assert sent_at_once(used, "PUT", f"{OTHER}/x") == 130


def test_who_would_wait_longer_than_patience_is_told_when_to_come_back() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="0")
    found = [used.admit("PUT", f"{HOST}{SUB}/x", 0, PATIENCE) for _ in range(12)]
    late = [one.delay for one in found if isinstance(one, TooLong)]
    assert late == pytest.approx([3.1, 3.2])


def test_who_waited_goes_out_then() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="0")
    waited = admitted(used.admit("PUT", f"{HOST}{SUB}/x", 0, PATIENCE))
    assert waited.wait == pytest.approx(2.1)
    renewed = used.renew(waited, "PUT", f"{HOST}{SUB}/x", 2.1, 0)
    assert renewed == replace(waited, wait=0)


def test_who_waited_begins_again_where_azure_closed_the_bucket_meanwhile() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="0")
    first, second = (admitted(used.admit("PUT", f"{HOST}{SUB}/x", 0, PATIENCE)) for _ in range(2))
    used.refuse(first, "SubscriptionRequestsThrottled", 5, 2.15)
    assert isinstance(used.renew(second, "PUT", f"{HOST}{SUB}/x", 2.2, PATIENCE), TooLong)
    third = admitted(used.admit("PUT", f"{HOST}{SUB}/x", 2.2, 60))
    assert third.wait == pytest.approx(4.95)


def test_who_waited_for_a_closed_bucket_gives_nothing_back_to_it() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="0")
    waiting = [admitted(used.admit("PUT", f"{HOST}{SUB}/x", 0, PATIENCE)) for _ in range(9)]
    used.refuse(waiting.pop(0), "SubscriptionRequestsThrottled", 5, 2.1)
    for each in waiting:
        assert isinstance(used.renew(each, "PUT", f"{HOST}{SUB}/x", 2.2, 0), TooLong)
    assert sent_at_once(used, "PUT", f"{SUB}/x", now=7.2) <= 1


def test_who_waited_begins_again_where_azure_closed_its_operation_meanwhile() -> None:
    used = quota()
    answered(used, "PUT", SUB + SITE + "a", x_ms_ratelimit_remaining_subscription_writes="0")
    first, second = (
        admitted(used.admit("PUT", HOST + SUB + SITE + "a", 0, PATIENCE)) for _ in range(2)
    )
    used.refuse(first, "exceeded the limit for operation 'PUT/…'", 60, 2.15)
    assert isinstance(used.renew(second, "PUT", HOST + SUB + SITE + "a", 2.2, PATIENCE), TooLong)


def test_where_no_answer_ever_shows_what_is_left_work_goes_on_as_the_bucket_fills() -> None:
    used = quota()
    for number in range(500):
        url, now = f"{HOST}{SUB}{SITE}{number}", 60.0 * number
        assert used.begin("PUT", url, now, PATIENCE) is None, number
        used.heed(admitted(used.admit("PUT", url, now, PATIENCE)), {}, now)
        used.end("PUT", url)


def begun(used: Quota, count: int, now: float = 0) -> int:
    """How many of so many machines are begun."""
    urls = [f"{SUB}{VM}{number}" for number in range(count)]
    return sum(used.begin("PUT", url, now, PATIENCE) is None for url in urls)


def test_no_more_is_begun_than_can_be_written_in_time() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="30")
    assert begun(used, 100) == 10 + PATIENCE * 10, "what is there besides the reserve, and to come"


def test_of_a_bucket_of_which_nothing_is_known_a_part_is_counted_on() -> None:
    assert begun(quota(), 300) == 200 / 4 - 20 + PATIENCE * 10


def test_what_lies_in_no_subscription_is_begun() -> None:
    used = quota()
    assert used.begin("PUT", f"{HOST}/providers/x/y", 0, PATIENCE) is None
    used.end("PUT", f"{HOST}/providers/x/y")


def test_what_is_sent_or_ended_is_not_waited_for() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="30")
    assert begun(used, 40) == 40
    refused = used.begin("PUT", f"{SUB}{VM}-next", 0, PATIENCE)
    assert refused
    assert refused.delay > PATIENCE
    used.end("PUT", f"{SUB}{VM}0")
    assert used.begin("PUT", f"{SUB}{VM}-next", 0, PATIENCE) is None
    admitted(used.admit("PATCH", f"{HOST}{SUB}{VM.upper()}1?api-version=1", 0, PATIENCE))
    assert used.begin("PUT", f"{SUB}{VM}-last", 0, PATIENCE), "its token is gone with it"


def test_what_has_not_written_for_long_waits_for_something_else() -> None:
    used = quota()
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="30")
    assert begun(used, 40) == 40
    assert used.begin("PUT", f"{SUB}{VM}-next", 3.1, PATIENCE) is None


def test_a_machine_has_a_bucket_of_its_own_and_compute_one_for_all() -> None:
    used = quota()
    told = "Microsoft.Compute/UpdateVMSubscriptionMaximum;1499,Microsoft.Compute/UpdateVMResource;0"
    answered(
        used,
        "PATCH",
        SUB + VM,
        x_ms_ratelimit_remaining_resource=told,
        x_ms_ratelimit_remaining_subscription_writes="199",
    )
    again = used.admit("PATCH", HOST + SUB + VM.upper(), 0, PATIENCE)
    assert isinstance(again, TooLong)
    assert again.bucket[0] == "UpdateVMResource"
    assert 15 <= again.delay <= 40, "it refills by four a minute"
    assert isinstance(used.admit("PATCH", f"{HOST}{SUB}{VM}2", 0, PATIENCE), Admission)


def test_resource_graph_has_one_for_all_subscriptions() -> None:
    used = quota()
    answered(used, "POST", GRAPH, x_ms_user_quota_remaining="3")
    assert sent_at_once(used, "POST", GRAPH) == 2


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ('{"error":{"code":"SubscriptionRequestsThrottled"}}', {"writes"}),
        ('{"error":{"details":[{"target":"UpdateVMResource"}]}}', {"UpdateVMResource"}),
        ('{"error":{"code":"TooManyRequests"}}', set()),
        ("<html>", set()),
    ],
)
def test_a_refusal_closes_the_bucket_that_it_names_and_no_other(
    text: str, closed: set[str]
) -> None:
    used = quota()
    admission = admitted(used.admit("PATCH", HOST + SUB + VM, 0, PATIENCE))
    used.refuse(admission, text, 60, 0)
    buckets = used._buckets
    assert {key[0] for key in buckets if buckets[key].wait(0) > 50} == closed


@pytest.mark.parametrize("told", ["", "x", "-1", "1e9", "٣", "Microsoft.Compute/;;", ",,;"])
def test_a_header_that_makes_no_sense_changes_nothing(told: str) -> None:
    used = quota()
    answered(
        used,
        "PATCH",
        SUB + VM,
        x_ms_ratelimit_remaining_subscription_writes=told,
        x_ms_ratelimit_remaining_resource=told,
    )
    assert sent_at_once(used, "PATCH", SUB + VM) == 3, "three more probes"


def test_what_is_outside_every_subscription_is_not_counted() -> None:
    assert admitted(quota().admit("GET", f"{HOST}/providers/x", 0, PATIENCE)).taken == {}
    assert admitted(quota().admit("GET", f"{HOST}/subscriptions", 0, PATIENCE)).taken == {}


def test_machines_written_long_ago_are_forgotten() -> None:
    used = quota()
    for number in range(5000):
        found = used.admit("PATCH", f"{HOST}{SUB}{VM}{number}", number, PATIENCE)
        assert isinstance(found, Admission)
    assert len(used._buckets) < 2100


def test_a_subscription_is_low_when_half_of_a_bucket_is_used() -> None:
    used = quota()
    assert not used.is_low("PUT", f"{HOST}{SUB}/x", 0), "nothing is known yet"
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="101")
    assert not used.is_low("PUT", f"{HOST}{SUB}/x", 0)
    answered(used, "PUT", f"{SUB}/x", x_ms_ratelimit_remaining_subscription_writes="99")
    assert used.is_low("PUT", f"{HOST}{SUB}/x", 0)
    assert not used.is_low("PUT", f"{HOST}{OTHER}/x", 0)


SITE = "/resourceGroups/rg/providers/Microsoft.Web/sites/"
NAMED = (
    f"The request for subscription '{SUB[15:]}' operation "
    "'PUT/SUBSCRIPTIONS/RESOURCEGROUPS/PROVIDERS/MICROSOFT.WEB/SITES/' exceeded the backend "
    "storage limit."
)


@pytest.mark.parametrize("code", ["SubscriptionRequestsThrottled", "TooManyRequests"])
def test_case_C18_a_refusal_that_names_an_operation_has_that_one_wait(code: str) -> None:
    used = quota()
    admission = admitted(used.admit("PUT", HOST + SUB + SITE + "a", 0, PATIENCE))
    used.refuse(admission, f"{code}: {NAMED}", 60, 0)
    late = used.admit("PUT", HOST + SUB + SITE + "another?api-version=1", 1, PATIENCE)
    assert isinstance(late, TooLong)
    assert 58 <= late.delay <= 60
    others = [("PATCH", SUB + SITE + "a"), ("PUT", SUB + VM), ("PUT", OTHER + SITE + "a")]
    others += [("PUT", SUB + SITE + "a/slots/b"), ("GET", SUB + SITE + "a")]
    for method, path in others:
        assert admitted(used.admit(method, HOST + path, 1, PATIENCE)).wait == 0, (method, path)
    assert admitted(used.admit("PUT", HOST + SUB + SITE + "a", 61, PATIENCE)).wait == 0
