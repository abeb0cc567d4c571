"""Where each cloud has its services, and what the environment names instead."""

import pytest
from azure.core import AzureClouds
from azure.identity import AzureAuthorityHosts

from lanyard.desk.clouds import CLOUDS, CloudName, cloud_of
from lanyard.settings import Endpoint

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
