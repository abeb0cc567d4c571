"""Who sends the app's telemetry, by its settings."""

import pytest

from lanyard.settings import SettingsError, read_settings

ENVIRONMENT = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "x",
}
INSIGHTS = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "an address"}
APP = {"LANYARD_TELEMETRY": "true"}


@pytest.mark.parametrize(
    ("more", "collected", "exported"),
    [
        ({}, False, False),
        (INSIGHTS, False, False),
        (INSIGHTS | APP, True, True),
        (INSIGHTS | {"LANYARD_TELEMETRY": "False"}, False, False),
        ({"PYTHON_ENABLE_OPENTELEMETRY": "1"}, True, False),
        (INSIGHTS | APP | {"PYTHON_ENABLE_OPENTELEMETRY": "1"}, True, False),
        (INSIGHTS | APP | {"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true"}, True, False),
    ],
    ids=[
        "nobody",
        "an address alone",
        "the app",
        "not wanted",
        "another collector",
        "another collector wins",
        "the worker wins",
    ],
)
def test_who_collects(more: dict[str, str], collected: bool, exported: bool) -> None:
    settings = read_settings(ENVIRONMENT | more)
    assert (settings.collected, settings.exported) == (collected, exported)


def test_without_an_address_the_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="APPLICATIONINSIGHTS_CONNECTION_STRING"):
        read_settings(ENVIRONMENT | APP)
