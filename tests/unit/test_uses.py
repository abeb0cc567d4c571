"""What a resource's own settings name, in whatever form."""

import json
from typing import Any

import pytest

from lanyard.azure.arm.uses import uses
from lanyard.values.resource_id import ResourceId
from tests.support.examples import identity_id

ID = identity_id("id-app")
CLIENT, PRINCIPAL = "0f1e2d3c-4b5a-4678-9abc-def012345678", "1a2b3c4d-5e6f-4012-8345-6789abcdef01"
SYSTEM = "2b3c4d5e-6f70-4123-9456-789abcdef012"


def body(**properties: Any) -> dict[str, Any]:
    attached = {ID.text: {"clientId": CLIENT.upper(), "principalId": PRINCIPAL}}
    block = {"principalId": SYSTEM, "userAssignedIdentities": attached}
    return {"id": "/x", "identity": block, "properties": properties}


FORMS = {
    "id": ID.text,
    "id in capitals": ID.text.upper(),
    "id without its first slash": ID.text[1:],
    "id with a last slash": f"{ID.text}/",
    "id between spaces": f" {ID.text} ",
    "id of two slashes": ID.text.replace("/providers", "//providers"),
    "id in an address": f"https://management.azure.com{ID.text}?api-version=1",
    "id in a connection string": f"RunAs;ManagedIdentityResourceId={ID.text};Tenant=x",
    "id in JSON": json.dumps({"identity": ID.text}),
    "id in JSON of a careful service": json.dumps({"identity": ID.text}).replace("/", r"\/"),
    "id encoded": ID.text.replace("/", "%2F"),
    "client id": CLIENT,
    "client id in capitals": CLIENT.upper(),
    "client id in braces": f"{{{CLIENT}}}",
    "client id without dashes": CLIENT.replace("-", ""),
    "client id in a connection string": f"ClientId={CLIENT};Tenant=x",
    "client id after digits": f"abc1{CLIENT}",
    "object id": PRINCIPAL,
    "object id in a path": f"principals/{PRINCIPAL}/tokens",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_text_names_an_identity_in_any_form(form: str) -> None:
    path = "properties.rules[0].metadata.value"
    value = uses(body(rules=[{"metadata": {"value": form}}]))
    assert value == ({ID: (path,)}, ())
    key = uses(body(identities={form: {"lifecycle": "Main"}}))
    assert key == ({ID: ("properties.identities",)}, ())


OTHERS = [
    ID.text[:-1],
    f"{CLIENT[:-1]}9",
    CLIENT[:-1],
    "id-app",
    ID.text.replace("/subscriptions/", "/subscription/"),
    "",
]


@pytest.mark.parametrize("text", OTHERS)
def test_a_text_that_is_like_one_names_it_not(text: str) -> None:
    assert ID not in uses(body(value=text)).user_assigned


def test_an_identity_of_a_longer_name_is_another_one() -> None:
    longer = ResourceId.parse(f"{ID.text}-2")
    assert uses(body(value=longer.text)).user_assigned == {longer: ("properties.value",)}


def test_one_that_is_not_attached_is_named_by_its_id_alone() -> None:
    shown = {**body(value=ID.text, client=CLIENT), "identity": {"type": "None"}}
    assert uses(shown) == ({ID: ("properties.value",)}, ())


def test_what_arm_says_of_a_body_is_no_setting() -> None:
    shown = {**body(), "systemData": {"lastModifiedBy": CLIENT}}
    assert uses(shown) == ({}, ())


def test_each_member_is_named_once() -> None:
    assert uses(body(both=f"{CLIENT} {ID.text} {ID.text.upper()}")) == (
        {ID: ("properties.both",)},
        (),
    )


REGISTRY, RULE = (
    {"server": "r.azurecr.io", "identity": "System"},
    {"azureQueue": {"identity": "system"}},
)
STORAGE = {"storage": {"authentication": {"type": "SystemAssignedIdentity"}}}
PULL = {"acrUseManagedIdentityCreds": True, "acrUserManagedIdentityID": None}


@pytest.mark.parametrize(
    ("properties", "member"),
    [
        ({"configuration": {"registries": [REGISTRY]}}, "configuration.registries[0].identity"),
        (
            {"configuration": {"secrets": [{"identity": "SYSTEM"}]}},
            "configuration.secrets[0].identity",
        ),
        ({"template": {"rules": [RULE]}}, "template.rules[0].azureQueue.identity"),
        ({"identitySettings": [{"identity": "system"}]}, "identitySettings[0].identity"),
        ({"deployment": STORAGE}, "deployment.storage.authentication.type"),
        ({"siteConfig": PULL}, "siteConfig.acrUseManagedIdentityCreds"),
        ({"connection": f"ObjectId={SYSTEM}"}, "connection"),
    ],
)
def test_the_system_assigned_identity_has_words_of_its_own(
    properties: dict[str, Any], member: str
) -> None:
    assert uses(body(**properties)) == ({}, (f"properties.{member}",))


@pytest.mark.parametrize(
    "properties",
    [
        {"keyVaultReferenceIdentity": "SystemAssigned"},
        {"agentPoolProfiles": [{"name": "system", "mode": "System"}]},
        {"siteConfig": {"acrUseManagedIdentityCreds": False}},
        {"storage": {"authentication": {"type": "StorageAccountConnectionString"}}},
        {"registries": [{"identity": ""}]},
        {"identity": "none of the system"},
    ],
)
def test_a_default_or_another_word_names_nothing(properties: dict[str, Any]) -> None:
    assert uses(body(**properties)) == ({}, ())


def test_a_registry_of_an_attached_one_is_not_pulled_from_by_the_system_assigned_one() -> None:
    config = {"acrUseManagedIdentityCreds": True, "acrUserManagedIdentityID": CLIENT}
    member = "properties.siteConfig.acrUserManagedIdentityID"
    assert uses(body(siteConfig=config)) == ({ID: (member,)}, ())
