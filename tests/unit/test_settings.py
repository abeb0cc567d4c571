"""A setting that is missing or wrong is named, whichever it is."""

import json
import os
from pathlib import Path

import pytest
from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential

from lanyard.azure.connection import _credential
from lanyard.settings import (
    CredentialKind,
    SettingsError,
    _look_at,
    events_connection,
    read_settings,
)

SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "stlanyard",
}
WRONG = {
    "AZURE_CLIENT_ID": "<client id of the app's identity>",
    "LANYARD_PRINCIPAL_ID": "<object id of the app's identity>",
    "LANYARD_INSTALLATION": "ours",
    "LANYARD_IDENTITY_ID": "id-lanyard",
    "LANYARD_POLICY": "http://stlanyard.blob.core.windows.net/policy/lanyard.yaml",
    "LANYARD_ARM_ENDPOINT": "management.azure.com",
    "LANYARD_GRAPH_ENDPOINT": "graph.microsoft.com",
    "LANYARD_QUOTA_RESERVE": "lots",
    "LANYARD_SETTLE_SECONDS": "-1",
    "LANYARD_LONGEST_DELAY_SECONDS": "a week",
    "LANYARD_NOTICES_ENDPOINT": "topic.westeurope-1.eventgrid.azure.net",
    "LANYARD_TELEMETRY": "maybe",
    "LANYARD_CREDENTIAL": "a key",
}


def test_these_are_enough() -> None:
    assert read_settings(SETTINGS).principal_id == SETTINGS["LANYARD_PRINCIPAL_ID"]


@pytest.mark.parametrize(
    ("more", "connection", "url"),
    [
        ({}, "AzureWebJobsStorage", "https://stlanyard.queue.core.windows.net"),
        (
            {"LANYARD_EVENTS__accountName": "stevents"},
            "LANYARD_EVENTS",
            "https://stevents.queue.core.windows.net",
        ),
        (
            {"LANYARD_EVENTS__queueServiceUri": "https://127.0.0.1:1/events/"},
            "LANYARD_EVENTS",
            "https://127.0.0.1:1/events",
        ),
    ],
    ids=["the app's own account", "another one", "its address"],
)
def test_the_queue_of_events_may_lie_in_another_account(
    more: dict[str, str], connection: str, url: str
) -> None:
    settings = read_settings(SETTINGS | more)
    assert (events_connection(SETTINGS | more), settings.events_url) == (connection, url)
    assert settings.queue_url == "https://stlanyard.queue.core.windows.net"


def test_the_template_for_a_desk_is_by_the_login_there_and_without_a_key() -> None:
    template = (Path(__file__).parents[2] / "local.settings.json.template").read_text()
    values = json.loads(template)["Values"]
    settings = read_settings({**values, **SETTINGS})
    assert settings.credential is CredentialKind.AZURE_CLI
    storage = {name for name in values if name.startswith("AzureWebJobsStorage")}
    assert storage == {"AzureWebJobsStorage__accountName"}, "the host goes by the login then, too"
    assert isinstance(_credential(settings), AzureCliCredential)
    assert isinstance(_credential(read_settings(SETTINGS)), ManagedIdentityCredential)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_one_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}.* is missing"):
        read_settings({**SETTINGS, name: ""})


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_one_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({**SETTINGS, name: value})


def test_the_policy_of_the_app_is_no_standard_input() -> None:
    with pytest.raises(SettingsError, match="LANYARD_POLICY is '-': the app reads no standard"):
        read_settings({**SETTINGS, "LANYARD_POLICY": "-"})


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_not_waited_on(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="it is no file but a pipe or a device"):
        _look_at(tmp_path / name)
