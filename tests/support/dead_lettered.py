"""Entries as Event Grid dead-letters them, in either schema."""

from tests.support.examples import vm_id

EVENT = {
    "id": "e-1",
    "topic": vm_id("vm1").text.rsplit("/resourceGroups")[0],
    "subject": vm_id("vm1").text,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "data": {"resourceUri": vm_id("vm1").text, "correlationId": "c-1"},
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "lastDeliveryAttemptTime": "2026-11-02T08:00:00Z",
}
CLOUD = {
    "specversion": "1.0",
    "id": "e-1",
    "source": EVENT["topic"],
    "subject": EVENT["subject"],
    "type": EVENT["eventType"],
    "data": EVENT["data"],
    "deadletterreason": "MaxDeliveryAttemptsExceeded",
    "lastdeliveryattempttime": "2026-11-02T08:00:00Z",
}
