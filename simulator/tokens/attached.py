"""Which identity a token request means: read live from the resource's own `identity` block."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from simulator.state import Json, Principal, Resource, State


@dataclass(frozen=True)
class AttachedIdentity:
    """`resource_id` as Azure's `xms_mirid`: the user-assigned identity's, or the resource's own."""

    principal: Principal
    resource_id: str
    system: bool


class Default(StrEnum):
    """Which identity a request without a selector means."""

    SYSTEM_ELSE_ONLY_ONE = "virtual machine"
    SYSTEM = "app service"


class NoIdentity(Exception):
    """Nothing attached fits the request, or it is not clear which one."""

    def __init__(self, *, several: bool = False) -> None:
        super().__init__("several identities" if several else "no identity")
        self.several = several


#: Query parameter → what it names; App Service and IMDS differ in their spelling.
SELECTORS: Mapping[str, str] = {
    "client_id": "client",
    "object_id": "object",
    "principal_id": "object",
    "msi_res_id": "resource",
    "mi_res_id": "resource",
}


def attached_identities(state: State, resource: Resource) -> list[AttachedIdentity]:
    """What the resource carries now. A deleted principal, or one still being attached, is not in.

    While an attach is under way the block shows `{}` for the identity (azure-facts §10).
    """
    block = resource.identity or {}
    found = [_attached(state, block, resource.id, system=True)]
    for identity_id, value in (block.get("userAssignedIdentities") or {}).items():
        found.append(_attached(state, value or {}, identity_id, system=False))
    return [each for each in found if each is not None]


def _attached(
    state: State, holder: Json, resource_id: str, *, system: bool
) -> AttachedIdentity | None:
    principal = state.principals.get(holder.get("principalId") or "")
    if principal is None or principal.deleted_at is not None:
        return None
    return AttachedIdentity(principal, resource_id, system)


def choose(
    identities: list[AttachedIdentity], query: Mapping[str, str], default: Default
) -> AttachedIdentity:
    """The identity that `query` names, or the default one. Raises NoIdentity.

    IMDS takes the system-assigned identity, else the only user-assigned one; App Service without a
    selector means the system-assigned identity alone.
    """
    wanted = {SELECTORS[name]: value.lower() for name, value in query.items() if name in SELECTORS}
    if wanted:
        fits = [each for each in identities if _fits(each, wanted)]
    else:
        fits = [each for each in identities if each.system]
        if not fits and default is Default.SYSTEM_ELSE_ONLY_ONE:
            fits = identities
    if len(fits) != 1:
        raise NoIdentity(several=bool(fits))
    return fits[0]


def _fits(identity: AttachedIdentity, wanted: Mapping[str, str]) -> bool:
    named = {
        "client": identity.principal.client_id,
        "object": identity.principal.object_id,
        "resource": identity.resource_id,
    }
    return all(named[kind].lower() == value for kind, value in wanted.items())
