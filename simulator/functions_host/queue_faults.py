"""Which failures of a queue the trigger lives through; every other one ends the host.

As the storage extension 5.3.10 has it (../shared/host/queue.jsonl, "storage fault: …"). The SDK has
made its tries by then.
"""

from azure.core.exceptions import AzureError


def passes_by(error: AzureError) -> bool:
    """While polling: no queue, one that is being deleted, a service that fails by itself.

    Not a refusal (403), and not a connection that is cut: those end the host.
    """
    status = getattr(error, "status_code", None) or 0
    return status in (404, 409) or status >= 500


def message_is_gone(error: AzureError) -> bool:
    """While deleting, giving back or renewing: another one has the message, or it is deleted."""
    status = getattr(error, "status_code", None)
    code = getattr(error, "error_code", None)
    return status in (404, 409) or (status == 400 and code == "PopReceiptMismatch")
