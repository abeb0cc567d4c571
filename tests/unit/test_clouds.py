"""Where each cloud has its services, and what the environment names instead."""

import pytest
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts

from lanyard.settings import SettingsError, read_settings
from lanyard.values.clouds import CLOUDS, CloudName, Endpoint, cloud_of

SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "33333333-3333-3333-3333-333333333333",
    "AzureWebJobsStorage__accountName": "stlanyard",
}
HOSTS = {
    CloudName.PUBLIC: AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
    CloudName.US_GOVERNMENT: AzureAuthorityHosts.AZURE_GOVERNMENT,
    CloudName.CHINA: AzureAuthorityHosts.AZURE_CHINA,
}


@pytest.mark.parametrize("name", CloudName)
def test_tokens_come_from_where_azure_identity_says(name: CloudName) -> None:
    assert CLOUDS[name].authority == HOSTS[name]


def test_every_cloud_that_the_sdks_know_is_there() -> None:
    assert len(CLOUDS) == len(AzureClouds)


def test_a_cloud_has_its_own_addresses_and_no_other_clouds() -> None:
    addresses = [
        address
        for cloud in CLOUDS.values()
        for address in (cloud.arm.url, cloud.graph.url, cloud.storage, cloud.authority)
    ]
    assert len(addresses) == len(set(addresses))


def test_the_environment_names_other_addresses() -> None:
    environment = {
        "LANYARD_ARM_ENDPOINT": "https://localhost:1/",
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "LANYARD_GRAPH_ENDPOINT": "https://localhost:2",
    }
    cloud = cloud_of(CloudName.US_GOVERNMENT, environment)
    assert cloud.arm == Endpoint("https://localhost:1", "https://management.azure.com")
    assert cloud.graph == Endpoint("https://localhost:2", "https://localhost:2")
    assert cloud.authority == CLOUDS[CloudName.US_GOVERNMENT].authority


def test_the_app_goes_to_the_services_of_its_cloud() -> None:
    settings = read_settings({**SETTINGS, "LANYARD_CLOUD": "AzureChinaCloud"})
    assert settings.arm.url == "https://management.chinacloudapi.cn"
    assert settings.graph.url == "https://microsoftgraph.chinacloudapi.cn"
    assert settings.table_url == "https://stlanyard.table.core.chinacloudapi.cn"
    assert read_settings(SETTINGS).table_url == "https://stlanyard.table.core.windows.net"


def test_a_cloud_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SettingsError, match="LANYARD_CLOUD is 'AzureGermanCloud': one of Azure"):
        read_settings({**SETTINGS, "LANYARD_CLOUD": "AzureGermanCloud"})
