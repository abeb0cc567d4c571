"""Every schema in, one change out; whatever else arrives is ignored with a reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.azure.events import Event, change_of
from lanyard.values.change import Change, Ignored
from tests.support.examples import GROUP, SUBSCRIPTION, VM_TYPE, vm_id

SAMPLES = Path(__file__).parents[3] / "shared" / "recordings" / "event-grid-samples.json"
OWN_CLIENT = "aaaaaaaa-0000-0000-0000-000000000001"
OWN_OBJECT = "aaaaaaaa-0000-0000-0000-000000000002"
WRITE = "Microsoft.Resources.ResourceWriteSuccess"
DELETE = "Microsoft.Resources.ResourceDeleteSuccess"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def event(
    *,
    type: str = WRITE,
    uri: str | None = None,
    origin: str = f"/subscriptions/{SUBSCRIPTION}",
    **data: Any,
) -> Event:
    text = uri or vm_id().text
    return Event("e-1", type, origin, text, {"resourceUri": text, "correlationId": "c-1", **data})


def decode(found: Event) -> Change | Ignored:
    return change_of(found, types={VM_TYPE.lower()}, own_ids={OWN_CLIENT, OWN_OBJECT})


@pytest.mark.parametrize("type", [WRITE, DELETE])
def test_a_resource_event_is_a_change_of_its_resource(type: str) -> None:
    assert decode(event(type=type)) == Change(
        vm_id(), "event", event_id="e-1", event_type=type, correlation_id="c-1"
    )


@pytest.mark.parametrize("kind", ["CreatedOrUpdated", "Deleted"])
def test_a_resource_notification_is_a_change_too(kind: str) -> None:
    name = f"Microsoft.ResourceNotifications.Resources.{kind}"
    data = {"resourceInfo": {"id": vm_id().text, "name": "vm1", "type": VM_TYPE}}
    found = decode(Event("e-1", name, f"/subscriptions/{SUBSCRIPTION}", vm_id().text, data))
    assert isinstance(found, Change)
    assert found.resource == vm_id()


def test_a_change_of_tags_is_a_change_of_what_is_tagged() -> None:
    found = decode(event(uri=vm_id().text + "/providers/Microsoft.Resources/tags/default"))
    assert isinstance(found, Change)
    assert found.resource == vm_id()


def test_a_deleted_resource_group_may_have_taken_everything_in_it() -> None:
    found = decode(event(type=DELETE, uri=GROUP.replace("resourceGroups", "resourcegroups")))
    assert isinstance(found, Change)
    assert found.resource.is_resource_group


@pytest.mark.parametrize(
    "claims",
    [
        {"appid": OWN_CLIENT.upper()},
        {OBJECT_ID: OWN_OBJECT},
        json.dumps({"appid": OWN_CLIENT}),
    ],
    ids=["client id", "object id", "claims as text"],
)
def test_our_own_write_coming_back_is_dropped(claims: object) -> None:
    assert decode(event(claims=claims)) == Ignored("our own write")


def test_a_delete_is_never_taken_for_our_own_write() -> None:
    assert isinstance(decode(event(type=DELETE, claims={"appid": OWN_CLIENT})), Change)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (event(type="Microsoft.Resources.ResourceActionSuccess"), "not an event of a resource"),
        (event(type="Contoso.Something"), "not an event of a resource"),
        (event(uri="not an id"), "no usable resource id"),
        (event(uri=GROUP + "/providers/" + VM_TYPE + "/" + "v" * 600), "no usable resource id"),
        (event(uri=vm_id().text + "?x=1"), "no usable resource id"),
        (event(resourceUri=17), "no usable resource id"),
        (
            event(origin="/subscriptions/22222222-2222-2222-2222-222222222222"),
            "a resource of another",
        ),
        (event(uri=GROUP + "/providers/Microsoft.Network/virtualNetworks/v"), "a type that"),
        (event(uri=vm_id().text + "/extensions/e"), "a type that"),
        (event(uri=f"{vm_id().text}/providers/{VM_TYPE}/v"), "a type that"),
        (event(uri=GROUP), "a resource group was written"),
        (Event("e", WRITE, "", vm_id().text, None), "the event has no data"),
        (Event("e", WRITE, "", vm_id().text, ["x"]), "the event has no data"),
    ],
)
def test_what_is_not_ours_is_ignored_with_a_reason(bad: Event, reason: str) -> None:
    found = decode(bad)
    assert isinstance(found, Ignored)
    assert found.reason.startswith(reason)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from([WRITE, DELETE, ""]),
    _JSON,
    st.dictionaries(
        st.sampled_from(["resourceUri", "claims", "resourceInfo", "correlationId"]), _JSON
    ),
)
def test_no_content_of_an_event_raises(type: str, subject: Any, data: Any) -> None:
    assert isinstance(decode(Event("e", type, "", subject, data)), Ignored)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recordings are not beside this checkout")
def test_the_recorded_samples_are_read() -> None:
    for sample in json.loads(SAMPLES.read_text())["samples"]:
        recorded = sample["event"]
        filled = json.loads(
            json.dumps(recorded)
            .replace("{subscription-id}", SUBSCRIPTION)
            .replace("{resource-group}", "rg-app")
            .replace("{storage-name}", "store")
        )
        found = change_of(
            Event(filled["id"], filled["eventType"], "", filled["subject"], filled["data"]),
            types={"microsoft.storage/storageaccounts"},
            own_ids=set(),
        )
        of_account = "storageAccounts" in filled["subject"]
        assert isinstance(found, Change) == of_account, filled["subject"]
