"""Cases of part A: an identity that the resource's own settings name is in use."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lanyard.desk.operator import Operator
from lanyard.values.resource_id import ResourceId
from simulator.state import Json
from tests.support.cases import (
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    identity_id,
    look,
    own,
    pass_time,
    patch,
    roles,
    sweep,
)
from tests.support.compute_examples import (
    CLUSTER,
    CONTAINER_APP,
    JOB,
    MACHINE,
    POOL,
    SITE,
    SLOT,
    Example,
)
from tests.support.estate import Estate


@dataclass(frozen=True)
class Use:
    """How a resource's settings name an identity: by its id, or by its client id."""

    name: str
    made: Example
    #: Any of which tells a person where to look.
    members: tuple[str, ...]
    #: Properties as they are written, with "ID" in the place of the identity.
    settings: Mapping[str, Any]
    by_client_id: bool = False

    def naming(self, estate: Estate, identity: str) -> dict[str, Any]:
        """The properties that name the identity."""
        return dict(_filled(self.settings, self.text(estate, identity)))

    def text(self, estate: Estate, identity: str) -> str:
        """What stands for the identity in them."""
        of_resource = identity_id(estate.subscription, identity)
        found = estate.azure.state.resources[of_resource.lower()]
        return str(found.properties["clientId"]) if self.by_client_id else of_resource


async def name(estate: Estate, use: Use, resource: ResourceId, identity: str) -> None:
    """A person has the resource work with the identity, and Azure shows it."""
    await patch(estate, resource, properties=use.naming(estate, identity))
    shown = json.dumps(estate.azure.state.resources[resource.key].properties)
    assert use.text(estate, identity) in shown


def names(use: Use, reason: str) -> bool:
    """Whether a person is told where the identity is named."""
    return any(member in reason for member in use.members)


def _filled(value: Any, text: str) -> Any:
    match value:
        case Mapping():
            return {key: _filled(each, text) for key, each in value.items()}
        case list():
            return [_filled(each, text) for each in value]
        case "ID":
            return text
        case _:
            return value


def _storage(member: str) -> Json:
    kind = {"type": "UserAssignedIdentity", member: "ID"}
    storage = {"type": "blobContainer", "authentication": kind}
    return {"functionAppConfig": {"deployment": {"storage": storage}}}


def _scale(rule: Json) -> Json:
    return {"template": {"scale": {"rules": [rule]}}}


_REGISTRIES = {"configuration": {"registries": [{"server": "r.azurecr.io", "identity": "ID"}]}}
_SECRET = {"name": "key", "keyVaultUrl": "https://kv.vault.azure.net/secrets/key", "identity": "ID"}
_QUEUE = {"name": "q", "azureQueue": {"accountName": "st", "queueName": "q", "identity": "ID"}}
_CUSTOM = {"name": "c", "custom": {"type": "azure-servicebus", "metadata": {}, "identity": "ID"}}
_JOB_RULE = {"name": "q", "type": "azure-queue", "metadata": {}, "identity": "ID"}
_JOB_SCALE = {"eventTriggerConfig": {"scale": {"rules": [_JOB_RULE]}}}
_POOL_REGISTRY = {"registryServer": "r.azurecr.io", "identityReference": {"resourceId": "ID"}}
_POOL_NODES: dict[str, Any] = dict(POOL.body["properties"]["deploymentConfiguration"])
_POOL_MACHINE = {
    **_POOL_NODES["virtualMachineConfiguration"],
    "containerConfiguration": {
        "type": "DockerCompatible",
        "containerRegistries": [_POOL_REGISTRY],
    },
}
_ENCRYPTION = {"encryptionIdentity": {"userAssignedIdentityResourceId": "ID"}}

REFERENCE: dict[str, Any] = {"keyVaultReferenceIdentity": "ID"}
PULL = {"acrUseManagedIdentityCreds": True, "acrUserManagedIdentityID": "ID"}
VAULT = Use("Key Vault", SITE, ("keyVaultReferenceIdentity",), REFERENCE)
CONTAINERS = Use("registry", CONTAINER_APP, ("registries",), _REGISTRIES)
#: Settings that are changed beside the identity block, and stay when the block is written.
USES = [
    VAULT,
    Use("Key Vault of a slot", SLOT, ("keyVaultReferenceIdentity",), REFERENCE),
    Use("images", SITE, ("acrUserManagedIdentityID",), {"siteConfig": PULL}, by_client_id=True),
    Use("images by id", SITE, ("acrUserManagedIdentityID",), {"siteConfig": PULL}),
    Use(
        "deployment",
        SITE,
        ("deployment", "userAssignedIdentityResourceId"),
        _storage("userAssignedIdentityResourceId"),
    ),
    CONTAINERS,
    Use("secret", CONTAINER_APP, ("secrets",), {"configuration": {"secrets": [_SECRET]}}),
    Use(
        "queue rule",
        CONTAINER_APP,
        ("scale", "rules"),
        {"template": {"scale": {"rules": [_QUEUE]}}},
    ),
    Use(
        "custom rule",
        CONTAINER_APP,
        ("scale", "rules"),
        {"template": {"scale": {"rules": [_CUSTOM]}}},
    ),
    Use("registry of a job", JOB, ("registries",), _REGISTRIES),
    Use("rule of a job", JOB, ("scale", "rules"), {"configuration": _JOB_SCALE}),
    Use(
        "registry of a pool",
        POOL,
        ("containerRegistries", "identityReference"),
        {
            "deploymentConfiguration": {
                **_POOL_NODES,
                "virtualMachineConfiguration": _POOL_MACHINE,
            }
        },
    ),
    Use(
        "disks",
        MACHINE,
        ("securityProfile", "encryptionIdentity"),
        {"securityProfile": _ENCRYPTION},
    ),
]
each_use = pytest.mark.parametrize("use", USES, ids=[use.name for use in USES])


def policy(use: Use, identity: str) -> Rules:
    return Rules(type=use.made.type, identity=identity, options={"imdsDefault": "accept"})


async def served(
    monkeypatch: pytest.MonkeyPatch, use: Use, identity: str = "id-old"
) -> tuple[Estate, ResourceId]:
    """A resource with its identity by the policy, whose settings do not name it yet."""
    estate = await begun(monkeypatch, policy(use, identity), "id-old", "id-new", "id-other")
    resource = await create(estate, use.made)
    await pass_time(estate)
    return estate, resource


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def in_use(estate: Estate, resource: ResourceId, action: str) -> str:
    """The reason of what is held for nothing but the use."""
    await look(estate, resource)
    listed = await held(estate)
    assert action in listed, sorted(listed)
    refusal = listed[action].refusal
    assert refusal.because.name == "IN_USE", refusal
    assert refusal.releasable, refusal
    return refusal.reason


@each_use
async def test_case_A27_what_the_settings_name_stays_with_its_role(
    monkeypatch: pytest.MonkeyPatch, use: Use
) -> None:
    estate, resource = await served(monkeypatch, use)
    await name(estate, use, resource, "id-old")
    await adopt(estate, policy(use, "id-new"))
    await hours(estate, 2)
    assert attached(estate, resource) == ["id-new", "id-old"]
    assert (roles(estate, "id-old"), roles(estate, "id-new")) == (["Reader"], ["Reader"])
    assert names(use, await in_use(estate, resource, "detach identity id-old"))


@each_use
async def test_case_A27_once_the_settings_name_another_it_goes(
    monkeypatch: pytest.MonkeyPatch, use: Use
) -> None:
    estate, resource = await served(monkeypatch, use)
    await name(estate, use, resource, "id-old")
    await adopt(estate, policy(use, "id-new"))
    assert "id-old" in attached(estate, resource)
    await name(estate, use, resource, "id-new")
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, resource) == ["id-new"]
    assert (roles(estate, "id-old"), roles(estate, "id-new")) == ([], ["Reader"])
    assert await held(estate) == {}


async def test_case_A27_a_person_releases_it(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, app = await served(monkeypatch, VAULT)
    await name(estate, VAULT, app, "id-old")
    await adopt(estate, policy(VAULT, "id-new"))
    await look(estate, app)
    entry = (await held(estate))["detach identity id-old"]
    await person(estate).release(entry.id)
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, app) == ["id-new"]


async def test_case_A27_it_is_in_use_where_no_rule_is_left_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, app = await served(monkeypatch, VAULT)
    await name(estate, VAULT, app, "id-old")
    await adopt(estate, f"{NOTHING}limits: {{removals: {{graceMinutes: 0}}}}\n")
    await hours(estate, 2)
    assert (attached(estate, app), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert names(VAULT, await in_use(estate, app, "detach identity id-old"))


async def test_case_A27_an_identity_of_its_own_that_is_in_use_is_not_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, app = await served(monkeypatch, VAULT, own(0))
    group = f"{estate.scope}/resourceGroups/rg-app/providers"
    mine = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/id-main"
    await patch(estate, app, properties={"keyVaultReferenceIdentity": mine.upper()})
    await adopt(estate, policy(VAULT, "id-new"))
    await hours(estate, 3)
    assert attached(estate, app) == ["id-main", "id-new"]
    assert roles(estate, "id-main") == ["Reader"]
    assert names(VAULT, await in_use(estate, app, "detach identity id-main"))


ELSEWHERE: list[Callable[[Estate], Json]] = [
    lambda _: {"keyVaultReferenceIdentity": "SystemAssigned"},
    lambda estate: VAULT.naming(estate, "id-other"),
    lambda estate: {"keyVaultReferenceIdentity": identity_id(estate.subscription, "id-old1")},
]


@pytest.mark.parametrize("settings", ELSEWHERE, ids=["system", "another", "of a longer name"])
async def test_case_A27_settings_that_name_another_hold_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Callable[[Estate], Json]
) -> None:
    estate, app = await served(monkeypatch, VAULT)
    await patch(estate, app, properties=settings(estate))
    await adopt(estate, policy(VAULT, "id-new"))
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, app) == ["id-new"]
    assert roles(estate, "id-old") == []


def _metadata(value: str) -> Json:
    rule = {"name": "c", "custom": {"type": "azure-servicebus", "metadata": {"value": value}}}
    return {"template": {"scale": {"rules": [rule]}}}


FORMS: dict[str, Callable[[str, str, str], Json]] = {
    "in a connection string": lambda of, *_: _metadata(f"ManagedIdentityResourceId={of}"),
    "as an address": lambda of, *_: _metadata(f"https://management.azure.com{of}"),
    "client id in braces": lambda _, client, __: _metadata(f"{{{client}}}"),
    "client id without dashes": lambda _, client, __: _metadata(client.replace("-", "")),
    "client id in a connection string": lambda _, client, __: _metadata(f"ClientId={client};T=x"),
    "object id": lambda *ids: _metadata(ids[2].upper()),
    "as a key": lambda of, *_: {"configuration": {"identities": {of: {"lifecycle": "Main"}}}},
}


@pytest.mark.parametrize("form", FORMS)
async def test_case_A27_in_whatever_form_the_settings_name_it(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    use = CONTAINERS
    estate, app = await served(monkeypatch, use)
    of = identity_id(estate.subscription, "id-old")
    found = estate.azure.state.resources[of.lower()].properties
    await patch(estate, app, properties=FORMS[form](of, found["clientId"], found["principalId"]))
    await adopt(estate, policy(use, "id-new"))
    await hours(estate, 1)
    assert attached(estate, app) == ["id-new", "id-old"]
    assert roles(estate, "id-old") == ["Reader"]


SYSTEM = """version: 1
mode: full
rules:
  - name: all
    match: {types: [TYPE]}
    system: true
    grant: [{role: AcrPull, scope: "{resourceGroup}", to: system}]
limits: {removals: {percent: 100, graceMinutes: 0}}
"""
_STORAGE = {"type": "blobContainer", "authentication": {"type": "SystemAssignedIdentity"}}
SYSTEM_USES: dict[str, tuple[Example, Json]] = {
    "registry": (CONTAINER_APP, {"configuration": {"registries": [{"identity": "system"}]}}),
    "secret": (CONTAINER_APP, {"configuration": {"secrets": [{**_SECRET, "identity": "System"}]}}),
    "scale rule": (CONTAINER_APP, _scale({"azureQueue": {"identity": "SYSTEM"}})),
    "settings": (CONTAINER_APP, {"configuration": {"identitySettings": [{"identity": "system"}]}}),
    "deployment": (SITE, {"functionAppConfig": {"deployment": {"storage": _STORAGE}}}),
    "images": (SITE, {"siteConfig": {"acrUseManagedIdentityCreds": True}}),
}


async def with_system(monkeypatch: pytest.MonkeyPatch, made: Example) -> tuple[Estate, ResourceId]:
    """It has its system-assigned identity, and one role by the policy."""
    estate = await begun(monkeypatch, SYSTEM.replace("TYPE", made.type))
    resource = await create(estate, made)
    await pass_time(estate)
    assert len(estate.assignments()) == 1
    return estate, resource


@pytest.mark.parametrize("use", SYSTEM_USES)
async def test_case_A27_the_role_of_a_system_assigned_identity_that_settings_name_stays(
    monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    made, settings = SYSTEM_USES[use]
    estate, resource = await with_system(monkeypatch, made)
    await patch(estate, resource, properties=settings)
    await pass_time(estate)
    other = SYSTEM.replace("TYPE", made.type).replace("AcrPull", "Reader")
    await adopt(estate, other)
    await hours(estate, 1)
    assert len(estate.assignments()) == 2
    reason = await in_use(
        estate, resource, f"unassign AcrPull at {estate.scope}/resourceGroups/rg-app"
    )
    assert "names the system-assigned identity" in reason


async def test_case_A27_once_the_registry_is_no_more_the_role_of_the_system_assigned_one_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, settings = SYSTEM_USES["registry"]
    estate, app = await with_system(monkeypatch, made)
    await patch(estate, app, properties=settings)
    await adopt(estate, SYSTEM.replace("TYPE", made.type).replace("AcrPull", "Reader"))
    assert len(estate.assignments()) == 2
    await patch(estate, app, properties={"configuration": {"registries": []}})
    await hours(estate, 1)
    assert len(estate.assignments()) == 1


async def test_case_A27_the_default_of_every_site_names_no_system_assigned_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site = await with_system(monkeypatch, SITE)
    await patch(estate, site, properties={"keyVaultReferenceIdentity": "SystemAssigned"})
    await adopt(estate, SYSTEM.replace("TYPE", SITE.type).replace("AcrPull", "Reader"))
    await hours(estate, 1)
    assert len(estate.assignments()) == 1


async def test_case_A27_the_role_of_a_kubelet_identity_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules(type=CLUSTER.type, options={"replace": "accept"})
    estate = await begun(monkeypatch, rules, "id-old", "id-new")
    old = identity_id(estate.subscription, "id-old")
    block = {"type": "UserAssigned", "userAssignedIdentities": {old: {}}}
    nodes = {"identityProfile": {"kubeletidentity": {"resourceId": old}}}
    properties = {**CLUSTER.body["properties"], **nodes}
    cluster = await create(estate, CLUSTER, identity=block, properties=properties)
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    await adopt(estate, replace(rules, identity="id-new"))
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]
    await look(estate, cluster)
    reasons = [entry.refusal.reason for entry in (await held(estate)).values()]
    assert any("identityProfile" in r or "kubelet" in r for r in reasons), reasons


async def test_case_A27_the_role_of_an_add_on_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules(type=CLUSTER.type, options={"replace": "accept"})
    estate = await begun(monkeypatch, rules, "id-old", "id-new")
    old = identity_id(estate.subscription, "id-old")
    block = {"type": "UserAssigned", "userAssignedIdentities": {old: {}}}
    add_on = {"enabled": True, "identity": {"resourceId": old}}
    add_ons = {"addonProfiles": {"azureKeyvaultSecretsProvider": add_on}}
    properties = {**CLUSTER.body["properties"], **add_ons}
    cluster = await create(estate, CLUSTER, identity=block, properties=properties)
    await pass_time(estate)
    await adopt(estate, replace(rules, identity="id-new"))
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]
    await look(estate, cluster)
    reasons = [entry.refusal.reason for entry in (await held(estate)).values()]
    assert any("addonProfiles" in reason for reason in reasons), reasons


async def test_case_A27_one_that_is_named_after_the_plan_was_made_is_seen_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, app = await served(monkeypatch, VAULT)
    await adopt(estate, replace(policy(VAULT, "id-new"), grace_minutes=10))
    assert attached(estate, app) == ["id-new", "id-old"]
    await name(estate, VAULT, app, "id-old")
    estate.new_events()  # lost
    await hours(estate, 2)
    await sweep(estate)
    assert attached(estate, app) == ["id-new", "id-old"]
    assert names(VAULT, await in_use(estate, app, "detach identity id-old"))
