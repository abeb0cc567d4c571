"""The `identity` block of a resource: what a request makes of it. Pure; written once for all types.

Rules and error texts: azure-facts sections 4 and 10 (recorded ARM traffic and issue threads).
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from simulator.errors import AzureError
from simulator.resource_ids import parse
from simulator.state import Json

UAMI_TYPE = "microsoft.managedidentity/userassignedidentities"
_KNOWN = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned", "none": "None"}


@dataclass(frozen=True)
class IdentityRules:
    """How a resource type differs."""

    _: KW_ONLY
    #: False where there is no system-assigned identity (Batch pools),
    system: bool = True
    #: or no other (Arc machines).
    user_assigned: bool = True
    #: False where the two exclude each other (managed clusters, Batch accounts, workflows).
    combined: bool = True
    #: False where a PATCH replaces the whole set of user-assigned identities.
    merges: bool = True
    #: How many user-assigned identities there can be.
    most: int | None = None
    #: Whether the keys of `userAssignedIdentities` stay as sent: Compute's do, all other services
    #: write them anew, with "resourcegroups" (recorded).
    keys_as_sent: bool = False
    #: Whether a new identity shows `{}` until the work has ended: Compute, AKS (recorded).
    ids_later: bool = False
    #: Whether `tenantId` is shown of user-assigned identities alone, too (recorded).
    shows_tenant: bool = False
    #: Whether "None" is shown where it was asked for, as Event Grid does (recorded).
    shows_none: bool = False

    @property
    def supported(self) -> tuple[str, ...]:
        """The types a resource can have, "None" aside, as ARM lists them in its refusal."""
        both = self.system and self.user_assigned and self.combined
        kinds = (
            ("SystemAssigned", self.system),
            ("UserAssigned", self.user_assigned),
            ("SystemAssigned, UserAssigned", both),
        )
        return tuple(kind for kind, present in kinds if present)


@dataclass(frozen=True)
class WantedIdentity:
    """What the resource is to carry; ids keep the casing in which they were first given."""

    system: bool
    user_assigned: tuple[str, ...]
    named: tuple[str, ...] = ()  # those that the request itself names and keeps
    asked: bool = True  # whether the request says anything of it

    @property
    def type(self) -> str:
        """The `type` as ARM answers it: every service with a blank (recorded)."""
        words = [
            word
            for word, present in (
                ("SystemAssigned", self.system),
                ("UserAssigned", bool(self.user_assigned)),
            )
            if present
        ]
        return ", ".join(words) or "None"


def wanted_identity(
    current: Json | None,
    requested: object,
    *,
    merge: bool,
    rules: IdentityRules,
    resource_type: str = "",
) -> WantedIdentity:
    """What `requested` (the request's `identity`) makes of `current` (the resource's).

    `merge`: PATCH, where ids not named stay and null removes. Raises AzureError 400 with
    `InvalidIdentityType`, `CannotSetResourceIdentity`, `InvalidIdentityValues`,
    `MissingIdentityIds`, `LinkedInvalidPropertyId` or `InvalidParameter`.
    """
    if not isinstance(requested, dict):
        raise AzureError(400, "InvalidRequestContent", "The 'identity' property must be an object.")
    kinds = _kinds(requested.get("type"))
    _check_supported(kinds, rules, resource_type)
    named = _named(requested.get("userAssignedIdentities"), current, merge=merge)
    if "UserAssigned" not in kinds:
        _refuse_ids(named, kinds)
        return WantedIdentity("SystemAssigned" in kinds, ())
    kept = {id: value for id, value in named.items() if value is not None}
    # A PATCH that names none leaves those that are there (recorded on a machine).
    stays = _carried(current) if merge and (rules.merges or not named) else {}
    ids = _merged(stays, named)
    if not ids:
        raise _missing_ids()
    if rules.most is not None and len(ids) > rules.most:
        raise _too_many(len(ids), rules.most)
    return WantedIdentity("SystemAssigned" in kinds, tuple(ids), tuple(kept))


def written_key(identity_id: str, rules: IdentityRules) -> str:
    """The key of `userAssignedIdentities` by which a resource shows an identity; one with a
    doubled slash stays as it is (I).
    """
    parsed = parse(identity_id)
    if rules.keys_as_sent or parsed is None or "//" in identity_id:
        return identity_id
    before = f"/subscriptions/{parsed.subscription}/resourcegroups/{parsed.group}"
    return f"{before}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{parsed.name}"


def kept_identity(current: Json | None) -> WantedIdentity:
    """The identity of a request that does not mention it: as it is."""
    system = bool((current or {}).get("principalId"))
    return WantedIdentity(system, tuple(_carried(current)), asked=False)


def carried_principals(block: Json | None) -> tuple[str | None, frozenset[str]]:
    """The system-assigned principal and the lower-case ids of the others: what to compare by."""
    ids = frozenset(each.lower() for each in _carried(block))
    return (block or {}).get("principalId"), ids


def _carried(current: Json | None) -> Json:
    return (current or {}).get("userAssignedIdentities") or {}


def _kinds(value: object) -> frozenset[str]:
    words = [word.strip().lower() for word in value.split(",")] if isinstance(value, str) else []
    kinds = frozenset(_KNOWN[word] for word in words if word in _KNOWN)
    clash = len(kinds) > 1 and "None" in kinds
    if not words or len(kinds) != len(words) or clash:
        raise AzureError(
            400, "InvalidIdentityType", f"The identity type '{value or ''}' is not supported."
        )
    return kinds


def _check_supported(kinds: frozenset[str], rules: IdentityRules, resource_type: str) -> None:
    """As an issue of azure-rest-api-specs quotes ARM; that the status is 400 is an assumption."""
    asked = ", ".join(kind for kind in ("SystemAssigned", "UserAssigned") if kind in kinds)
    if not asked or asked in rules.supported:
        return
    listed = "', '".join(rules.supported)
    raise AzureError(
        400,
        "CannotSetResourceIdentity",
        f"Resource type '{resource_type}' does not support creation of '{asked}' resource "
        f"identity. The supported types are '{listed}'.",
    )


def _named(value: object, current: Json | None, *, merge: bool) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid_values([])
    carried = {id.lower(): block for id, block in _carried(current).items()}
    wrong = [id for id, block in value.items() if not _fits(block, carried.get(id.lower()), merge)]
    if wrong:
        raise _invalid_values(wrong)
    for id in value:
        _check_id(id)
    return dict(value)


def _fits(block: object, existing: Json | None, merge: bool) -> bool:
    if block is None:
        return merge
    return block == {} or (existing is not None and block == existing)


def _check_id(resource_id: str) -> None:
    parsed = parse(resource_id)
    if parsed is None or parsed.type.lower() != UAMI_TYPE:
        raise AzureError(
            400,
            "LinkedInvalidPropertyId",
            f"Property id '{resource_id}' at path 'identity.userAssignedIdentities' is invalid. "
            "Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' "
            "or '/providers/{resourceProviderNamespace}/'.",
        )


def _merged(stays: Mapping[str, Any], named: Mapping[str, Any]) -> list[str]:
    ids = {id.lower(): id for id in stays}
    for id, value in named.items():
        if value is None:
            ids.pop(id.lower(), None)
        else:
            ids.setdefault(id.lower(), id)
    return list(ids.values())


def _refuse_ids(named: Mapping[str, Any], kinds: frozenset[str]) -> None:
    if any(value is not None for value in named.values()):
        kind = next(iter(kinds))
        raise AzureError(
            400,
            "InvalidParameter",
            f"ResourceIdentity identityIds should not be provided if the type is '{kind}'.",
        )


def _invalid_values(ids: list[str]) -> AzureError:
    listed = ",".join(ids)
    return AzureError(
        400,
        "InvalidIdentityValues",
        f"Invalid value for the identities '{listed}'. The 'UserAssignedIdentities' property keys "
        "should only be empty json objects, null or the resource exisiting property.",
    )


def _missing_ids() -> AzureError:
    return AzureError(
        400,
        "MissingIdentityIds",
        "The identity ids must not be null or empty for 'UserAssigned' identity type.",
    )


def _too_many(count: int, most: int) -> AzureError:
    """The text as AKS words it; the code is an assumption."""
    return AzureError(
        400,
        "InvalidParameter",
        "The count of user assigned identity specified in identity.userAssignedIdentities is "
        f"{count}, while expected value is {most}.",
    )
