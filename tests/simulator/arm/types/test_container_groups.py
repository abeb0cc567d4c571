"""Container groups: identities by a full PUT alone, secure values never given back."""

import json
from typing import Any

from tests.support.arm.generic import (
    generic,
    graph_rows,
    identity,
    imds_token_owner,
    make_identities,
    principal_of,
    refused,
    told,
)
from tests.support.arm.world import LOCATION, World

KIND = "Microsoft.ContainerInstance/containerGroups"
GROUP = f"{KIND}/group1"
VERSION = "2023-05-01"
PROPERTIES: dict[str, Any] = {
    "osType": "Linux",
    "containers": [
        {
            "name": "main",
            "properties": {
                "image": "registry.test/a:1",
                "environmentVariables": [
                    {"name": "PLAIN", "value": "shown"},
                    {"name": "HIDDEN", "secureValue": "never-shown"},
                ],
            },
        }
    ],
    "imageRegistryCredentials": [
        {"server": "registry.test", "username": "u", "password": "never-shown"}
    ],
    "volumes": [
        {"name": "v", "azureFile": {"shareName": "s", "storageAccountKey": "never-shown"}},
        {"name": "w", "secret": {"file": "never-shown"}},
    ],
}


async def test_an_identity_comes_by_a_full_put(world: World) -> None:
    (first,) = await make_identities(world, "first")
    wanted = identity("SystemAssigned, UserAssigned", first)
    async with generic(world, GROUP, VERSION) as one:
        await one.put(location=LOCATION, properties=PROPERTIES)
        await one.patch(identity=wanted, tags={"a": "1"})
        assert (await one.identity_type(), (await one.get()).tags) == (None, {"a": "1"})
        await one.put(location=LOCATION, properties=PROPERTIES, identity=wanted)
        assert await one.attached() == ["first"]
        assert imds_token_owner(world, one.resource_id, "first") == principal_of(world, "first")
        await one.put(location=LOCATION, properties=PROPERTIES, identity={"type": "None"})
        assert await one.identity_type() is None


async def test_what_a_get_answers_cannot_be_put_again(world: World) -> None:
    async with generic(world, GROUP, VERSION) as one:
        await one.put(location=LOCATION, properties=PROPERTIES)
        shown = (await one.get()).properties
        assert "never-shown" not in json.dumps(shown)
        (container,) = shown["containers"]
        assert container["properties"]["environmentVariables"] == [
            {"name": "PLAIN", "value": "shown"},
            {"name": "HIDDEN"},
        ]
        again = one.put(location=LOCATION, properties=shown)
        assert await refused(again) == "InvalidImageRegistryCredential"


async def test_a_registry_read_by_identity_needs_no_password(world: World) -> None:
    (first,) = await make_identities(world, "first")
    credential = {"server": "registry.test", "identity": first}
    async with generic(world, GROUP, VERSION) as one:
        properties = {**PROPERTIES, "imageRegistryCredentials": [credential]}
        await one.put(location=LOCATION, properties=properties)
        assert (await one.get()).properties["imageRegistryCredentials"] == [credential]


async def test_writes_and_deletions_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with generic(world, GROUP, VERSION) as one:
        await one.put(location=LOCATION, properties=PROPERTIES)
        assert len(await graph_rows(world, KIND)) == 1
        await one.delete()
    assert [action for action, _ in seen] == [f"{KIND}/write", f"{KIND}/delete"]
    async with generic(world, GROUP, VERSION, world.app) as theirs:
        assert await refused(theirs.put(location=LOCATION)) == "AuthorizationFailed"
