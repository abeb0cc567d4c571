"""What every resource of the storm should have, by the storm's policy (chaos/policy.py).

Said here a second time and in other words, from what is really there: nothing of Lanyard's own
planning is used to judge it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.policy import FIRST, Edition
from simulator.state import Resource

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
ROLE_NAMES = {READER: "Reader", BLOB_READER: "Storage Blob Data Reader"}
COMPUTE = frozenset(
    {"microsoft.compute/virtualmachines", "microsoft.web/sites", "microsoft.app/containerapps"}
)
#: Stands for the principal of the resource's own system-assigned identity.
SYSTEM = "system"
_IDENTITIES = "providers/microsoft.managedidentity/userassignedidentities"


@dataclass(frozen=True, order=True)
class Need:
    """A role (GUID) at a scope for an identity (lower-case ids), or for SYSTEM."""

    identity: str
    scope: str
    role: str


@dataclass(frozen=True)
class Wants:
    """What one resource should have. `own`: the identity made for it alone, if any.

    `excluded`: it keeps of this what it has, and gets nothing new.
    """

    identities: frozenset[str] = frozenset()
    needs: frozenset[Need] = frozenset()
    system: bool = False
    own: str = ""
    excluded: bool = False


NOTHING = Wants()


def is_compute(resource: Resource) -> bool:
    """Whether the policy could be about it."""
    return resource.type.lower() in COMPUTE


def wants(resource: Resource, edition: Edition = FIRST) -> Wants:
    """What an edition of the policy says of a resource as it is now."""
    subscription, group = _home(resource.id)
    tags = {name.lower(): value for name, value in resource.tags.items()}
    if not group.rpartition("/")[2].startswith("rg-storm-"):
        return NOTHING
    shared = f"{subscription}/resourcegroups/rg-identities/{_IDENTITIES}"
    regional = f"{shared}/{edition.regional}-{resource.location}"
    needs = {Need(regional, group, BLOB_READER)}
    if "team" in tags:
        team = f"{shared}/id-team-{tags['team']}-{resource.location}"
        needs.add(Need(team, f"{subscription}/resourcegroups/{edition.team_group}", READER))
    own = own_of(resource) if tags.get("own") == "yes" else ""
    if own:
        needs.add(Need(own, group, READER))
    if tags.get("system") == "yes":
        needs.add(Need(SYSTEM, group, READER))
    identities = frozenset(need.identity for need in needs) - {SYSTEM}
    system, excluded = tags.get("system") == "yes", tags.get("lanyard") == "ignore"
    return Wants(identities, frozenset(needs), system, own, excluded)


def own_of(resource: Resource) -> str:
    """The identity that is made for it alone where its tags ask for one."""
    return f"{_home(resource.id)[1]}/{_IDENTITIES}/id-{resource.name}".lower()


def is_dedicated(identity: str) -> bool:
    """Whether it is one that is made for one resource: those that many share lie elsewhere."""
    return f"/{_IDENTITIES}/" in identity and "/rg-storm-" in identity


def attached(resource: Resource | None) -> Mapping[str, str]:
    """The user-assigned identities it shows: lower-case id → principal ("" before it is known)."""
    block = ((resource and resource.identity) or {}).get("userAssignedIdentities") or {}
    return {each.lower(): value.get("principalId", "") for each, value in block.items()}


def system_principal(resource: Resource | None) -> str:
    """The principal of its system-assigned identity, or ""."""
    return str(((resource and resource.identity) or {}).get("principalId", ""))


def _home(resource_id: str) -> tuple[str, str]:
    """The ids of its subscription and its group, lower case."""
    parts = resource_id.lower().split("/")
    return "/".join(parts[:3]), "/".join(parts[:5])
