"""Names of identities that two resources would share: shown where two could, and nowhere else."""

import base64
import hashlib

import pytest

from lanyard.policy.document import Policy
from lanyard.policy.load import parse_policy
from lanyard.policy.shared_names import shared_names
from lanyard.policy.templates import fill_name
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.resource_id import ResourceId

VM = "Microsoft.Compute/virtualMachines"
SITE, SLOT = "Microsoft.Web/sites", "Microsoft.Web/sites/slots"
POOL, CLUSTER = "Microsoft.Batch/batchAccounts/pools", "Microsoft.ContainerService/managedClusters"
SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
OTHER = "/subscriptions/21111111-1111-1111-1111-111111111111"
IN_ONE = "resourceGroup: rg-ids, "


def policy(name: str, *matches: str, group: str = "") -> Policy:
    rules = "".join(
        f"  - {{name: r{i}, match: {{{match}}}, attach: [own]}}\n"
        for i, match in enumerate(matches)
    )
    own = f'own: {{name: "{name}", {group}per: resource}}'
    head = f"version: 1\nidentities:\n  {own}\n"
    return parse_policy("lanyard.yaml", head + (f"rules:\n{rules}" if rules else ""))


def types(*names: str) -> str:
    return f"types: [{', '.join(names)}]"


SHARED = [
    pytest.param(policy("id-{resource.name}", types(VM, SITE)), id="types"),
    pytest.param(policy("id-{resource.name}", types(VM), types(SITE)), id="types of two rules"),
    pytest.param(
        policy(
            "id-{resource.name}", types(VM) + ", names: [web*]", types(SITE) + ", names: ['*1']"
        ),
        id="types, patterns that meet",
    ),
    pytest.param(policy("id-{resource.name}", types(SLOT)), id="slots"),
    pytest.param(policy("id-{resource.name}", types(SITE, SLOT)), id="a slot and a site"),
    pytest.param(
        policy("id-{resourceGroup}-{resource.name}", types(VM), group=IN_ONE), id="two parts"
    ),
    pytest.param(
        policy("{resource.name}-x-{resourceGroup}", types(VM), group=IN_ONE), id="two parts, x"
    ),
    pytest.param(policy("i{resourceGroup}{resource.name}", types(VM), group=IN_ONE), id="no joint"),
    pytest.param(
        policy("{resourceGroup}_{resource.name}", types(CLUSTER), group=IN_ONE),
        id="names that have the joint",
    ),
    pytest.param(
        policy(
            "id-{resourceGroup}-{resource.name}",
            types(VM) + ", resourceGroups: ['pay*']",
            group=IN_ONE,
        ),
        id="groups of a pattern",
    ),
    pytest.param(policy("{location}{resource.name}", types(VM)), id="regions before"),
    pytest.param(policy("{resource.name}{location}", types(VM)), id="regions after"),
    pytest.param(
        policy(
            "id-{resource.name}",
            types(VM),
            types(SITE),
            group="resourceGroup: 'i-{resourceGroup}', ",
        ),
        id="types in one group each",
    ),
]
ALONE = [
    pytest.param(policy("id-{resource.name}", types(VM)), id="one type"),
    pytest.param(policy("id-{resource.name}-{location}", types(VM)), id="regions"),
    pytest.param(policy("id-{resource.name}", types(POOL)), id="accounts have no joint"),
    pytest.param(
        policy("{resourceGroup}_{resource.name}", types(VM), group=IN_ONE),
        id="machines have no such joint",
    ),
    pytest.param(
        policy(
            "id-{resource.name}", types(VM) + ", names: [vm-*]", types(SITE) + ", names: [app-*]"
        ),
        id="types, other names",
    ),
    pytest.param(
        policy(
            "id-{resource.name}",
            types(VM) + ", resourceGroups: [rg-a]",
            types(SITE) + ", resourceGroups: [rg-b]",
        ),
        id="types, other groups",
    ),
    pytest.param(
        policy(
            "id-{resource.name}",
            types(VM) + f", scopes: [{SUB}]",
            types(SITE) + f", scopes: [{OTHER}]",
        ),
        id="types, other subscriptions",
    ),
    pytest.param(
        policy(
            "{resourceGroup}-{resource.name}",
            types(VM) + ", resourceGroups: [rg-a]",
            group=IN_ONE,
        ),
        id="one group",
    ),
    pytest.param(policy("id-{resource.name}", group=""), id="no rule attaches it"),
]
HASHED = [
    "id-{resource.hash}",
    "{resource.hash}-{resource.name}",
    "id-{resourceGroup}-{resource.name}-{resource.hash}",
]


@pytest.mark.parametrize("policy", SHARED)
def test_case_B02_a_name_that_two_resources_could_have_is_shown(policy: Policy) -> None:
    ((path, message),) = shared_names(policy)
    assert path == ("identities", "own", "name")
    assert "would share one identity" in message
    assert "use {resource.hash}" in message


@pytest.mark.parametrize("policy", ALONE)
def test_case_B02_a_name_that_no_two_have_is_not(policy: Policy) -> None:
    assert list(shared_names(policy)) == []


@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize("group", ["", IN_ONE])
def test_case_B04_a_name_with_the_hash_is_never_shown(name: str, group: str) -> None:
    found = policy(name, types(VM, SITE, SLOT, POOL), types(CLUSTER), group=group)
    assert list(shared_names(found)) == []


TWO = """
version: 1
identities:
  own: {{name: "id-vm-{{resource.name}}", per: resource}}
  other: {{name: "{name}", per: resource}}
rules:
  - {{name: r1, match: {{types: [{vm}]}}, attach: [own]}}
  - {{name: r2, match: {{types: [{site}]}}, attach: [other]}}
"""


@pytest.mark.parametrize(
    ("name", "meet"),
    [
        ("id-{resource.name}", True),
        ("ID-VM-{resource.name}x", True),
        ("id-web-{resource.name}", False),
        ("id-{resource.hash}", False),
        ("id-{resource.name}-web", True),
        ("i-{resource.name}-web", False),
    ],
)
def test_case_B02_names_of_two_identities_meet_too(name: str, meet: bool) -> None:
    found = list(shared_names(parse_policy("x", TWO.format(name=name, vm=VM, site=SITE))))
    assert bool(found) is meet
    assert all(path == ("identities", "other", "name") for path, _ in found)


@pytest.mark.parametrize("names", ["[..]", "['..*']", "['a*..']"])
def test_a_pattern_that_no_resource_fits_is_no_mistake_here(names: str) -> None:
    match = types(VM, SITE) + f", names: {names}"
    assert list(shared_names(policy("id-{resource.name}", match))) is not None


def test_case_B02_it_names_the_two() -> None:
    in_one = policy("id-{resourceGroup}-{resource.name}", types(VM), group=IN_ONE)
    ((_, message),) = shared_names(in_one)
    assert f"{VM} 'b-c' in 'a' and {VM} 'c' in 'a-b' would share" in message


def hash_of(id_: str) -> str:
    resource = ComputeResource(
        id=ResourceId.parse(id_), location="westeurope", tags={}, identity=Identity()
    )
    return fill_name("{resource.hash}", resource)


def test_case_B04_the_hash_is_65_bits_of_the_whole_folded_id() -> None:
    id_ = f"{SUB}/resourceGroups/RG-App/providers/{SITE}/App1/slots/Staging"
    digest = base64.b32encode(hashlib.sha256(id_.lower().encode()).digest())
    assert hash_of(id_) == digest.decode().lower()[:13]
    assert hash_of(id_) == hash_of(id_.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))


def test_case_B04_every_part_of_the_id_makes_another_hash() -> None:
    group = f"{SUB}/resourceGroups/rg-app/providers"
    ids = [
        f"{group}/{VM}/app1",
        f"{group}/{SITE}/app1",
        f"{group}/{SITE}/app1/slots/app1",
        f"{group}/{SITE}/app2/slots/app1",
        f"{group}/{SITE}/app1-app1",
        f"{group.replace('rg-app', 'rg-app2')}/{VM}/app1",
        f"{group.replace(SUB, OTHER)}/{VM}/app1",
    ]
    assert len({hash_of(id_) for id_ in ids}) == len(ids)
