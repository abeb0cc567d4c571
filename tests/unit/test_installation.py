"""The app's installation: a setting that is required."""

import pytest

from lanyard.settings import SettingsError, read_settings
from tests.support.estate import INSTALLATION

SETTINGS = {
    "AZURE_CLIENT_ID": "c",
    "LANYARD_PRINCIPAL_ID": "p",
    "AzureWebJobsStorage__accountName": "st",
}


def test_it_is_a_guid_in_lower_case() -> None:
    given = SETTINGS | {"LANYARD_INSTALLATION": INSTALLATION.upper()}
    assert read_settings(given).installation == INSTALLATION


@pytest.mark.parametrize("given", ["", "prod", f"{{{INSTALLATION}}}", INSTALLATION[:-1]])
def test_anything_else_stops_the_app_and_says_what_to_do(given: str) -> None:
    with pytest.raises(SettingsError, match=r"LANYARD_INSTALLATION.*infra/main\.bicep sets it"):
        read_settings(SETTINGS | {"LANYARD_INSTALLATION": given})
