"""What a proof stands on: an empty place, resource providers, groups, storage, a network."""

from lanyard.desk.onboarding.parts import AUTHORIZATION, group_id, role_of
from lanyard.desk.onboarding.template import definition_id
from lanyard.values.errors import LanyardError
from lanyard.values.roles import role_id
from prove.proof import APP_GROUP, GONE, GROUP, GROUPS, IDENTITIES, MOVED, QUEUE, STORAGE, Proof

MADE = (GROUP, IDENTITIES, MOVED, GONE)
#: What the templates and the machine need. They stay registered.
PROVIDERS = (
    "Microsoft.App",
    "Microsoft.Compute",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
NETWORK = "2024-05-01"
#: What the machine reads.
TEXT = "a blob for the machine"
CONTAINER, BLOB = "proof", "blob.txt"


async def look(proof: Proof) -> None:
    """Whether the place is empty: an app that watches the subscription would be taken for the
    proof's own, and taken away with it. Raises LanyardError where it is not.
    """
    subscription, resources = proof.journal.subscription, proof.resources
    taken = [proof.group(name) for name in (*MADE, APP_GROUP)]
    for id_ in (*taken, group_id(subscription)):
        if await resources.read(id_, GROUPS) is not None:
            raise LanyardError(f"{id_} is there already: prove it in another subscription")
    role = definition_id(subscription, role_of(subscription))
    if await resources.read(role, AUTHORIZATION) is not None:
        raise LanyardError("an app watches this subscription: prove it in another one")


async def register(proof: Proof) -> None:
    """The resource providers."""
    for namespace in PROVIDERS:
        id_ = f"{proof.scope}/providers/{namespace}"
        found = await proof.resources.read(id_, GROUPS) or {}
        if str(found.get("registrationState")).lower() != "registered":
            await proof.resources.register(id_, GROUPS)


async def make_groups(proof: Proof) -> None:
    """The groups of the proof."""
    for name in MADE:
        await proof.ensure(proof.group(name), GROUPS, {"location": proof.journal.location})


async def delete_groups(proof: Proof) -> None:
    """And everything in them."""
    for name in MADE:
        await proof.delete_group(name)


async def make_storage(proof: Proof) -> None:
    """An account with a blob for the machine and a queue for the proof's own events."""
    account = await proof.ensure(proof.account, STORAGE, account_body(proof.journal.location))
    for title in ("Storage Blob Data Contributor", "Storage Queue Data Contributor"):
        await proof.assign(role_id(title) or "", proof.person, proof.account, person=True)
    container = f"{account['properties']['primaryEndpoints']['blob']}{CONTAINER}"
    await proof.in_time(lambda: proof.storage.upload(container, BLOB, TEXT))
    proof.journal.keep(blob=f"{container}/{BLOB}")
    await proof.in_time(lambda: proof.storage.make_queue(account, QUEUE))


def account_body(location: str) -> dict[str, object]:
    """A plain storage account without keys."""
    return {
        "location": location,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2"},
    }


async def make_network(proof: Proof) -> None:
    """For the machine; it goes out to the storage account, and nobody comes in."""
    network = f"{proof.group(GROUP)}/providers/Microsoft.Network"
    subnet = {
        "name": "machines",
        # False for new networks since 2025: then the machine would reach no storage.
        "properties": {"addressPrefix": "10.11.0.0/28", "defaultOutboundAccess": True},
    }
    properties = {"addressSpace": {"addressPrefixes": ["10.11.0.0/28"]}, "subnets": [subnet]}
    body = {"location": proof.journal.location, "properties": properties}
    virtual = f"{network}/virtualNetworks/vnet-proof"
    await proof.ensure(virtual, NETWORK, body)
    for way in ("webhook", "queue"):
        card = {
            "name": "primary",
            "properties": {"subnet": {"id": f"{virtual}/subnets/machines"}},
        }
        body = {
            "location": proof.journal.location,
            "properties": {"ipConfigurations": [card]},
        }
        await proof.ensure(interface(proof, way), NETWORK, body)


def interface(proof: Proof, way: str) -> str:
    """The id of the network interface of a machine."""
    return f"{proof.group(GROUP)}/providers/Microsoft.Network/networkInterfaces/nic-{way}"
