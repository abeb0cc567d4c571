"""Who signs in, in which order, and where to."""

import base64
import json

import pytest
from azure.identity.aio import AzureCliCredential

from lanyard.desk.azure import sign_in
from lanyard.desk.azure.sign_in import SignIn, name_in, own_credential
from lanyard.values.clouds import CLOUDS, CloudName

PUBLIC = CLOUDS[CloudName.PUBLIC]
TENANT = "11111111-2222-3333-4444-555555555555"


def tried(**environment: str) -> list[str]:
    chain = own_credential(PUBLIC, SignIn(), environment)
    return [type(each).__name__.removesuffix("Credential") for each in chain.credentials]


def test_a_desk_has_the_environment_az_azd_and_then_a_managed_identity() -> None:
    assert tried() == ["Environment", "AzureCli", "AzureDeveloperCli", "ManagedIdentity"]


def test_a_pipeline_has_its_federated_token_before_az(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", TENANT)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/run/token")
    assert tried(AZURE_FEDERATED_TOKEN_FILE="/run/token")[:3] == [
        "Environment",
        "WorkloadIdentity",
        "AzureCli",
    ]


def test_az_is_told_the_tenant_and_the_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    class Watched(AzureCliCredential):
        def __init__(self, **options: object) -> None:
            told.append(options)
            super().__init__()

    monkeypatch.setattr(sign_in, "AzureCliCredential", Watched)
    own_credential(PUBLIC, SignIn(TENANT, "sub"), {})
    assert told == [{"tenant_id": TENANT, "subscription": "sub"}]


def token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (token(upn="ann@example.com", oid="1", appid="2"), "ann@example.com"),
        (token(unique_name="ann@example.com", oid="1"), "ann@example.com"),
        (token(appid="2", oid="1"), "2"),
        (token(oid="1"), "1"),
        (token(), "somebody"),
        ("opaque", "somebody"),
        ("a.b.c", "somebody"),
    ],
)
def test_the_record_has_the_name_that_the_token_tells(given: str, name: str) -> None:
    assert name_in(given) == name
