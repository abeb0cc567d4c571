"""The baseline as an app: the event function does everything itself, with the synchronous SDKs."""

import os

import azure.functions as func
from azure.identity import ManagedIdentityCredential

from bench.baseline import Baseline

app = func.FunctionApp()
_credential = ManagedIdentityCredential()


@app.event_grid_trigger(arg_name="event")
def resource_events(event: func.EventGridEvent) -> None:
    """One event, worked on to its end."""
    baseline = Baseline(
        os.environ["SUBSCRIPTION"],
        os.environ["IDENTITY"],
        os.environ["PRINCIPAL"],
        os.environ["ROLE"],
        credential=_credential,
        base_url=os.environ["ARM"],
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=os.environ["SSL_CERT_FILE"],
    )
    baseline.handle({"subject": event.subject, "eventType": event.event_type})
