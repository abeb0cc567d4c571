"""What a role definition lets its holder do: effective permissions, as Azure adds them up. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from lanyard.values.resource_id import folded


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a definition's `permissions`: operations in any case, * reaching over slashes,
    less what is taken out of them. Data actions are those on what a resource holds.
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, operation: str) -> bool:
        """Whether it allows an operation on resources."""
        return _allows(operation, self.actions, self.not_actions)

    def allows_data(self, operation: str) -> bool:
        """Whether it allows a data action."""
        return _allows(operation, self.data_actions, self.not_data_actions)


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role: its GUID (lower case), its display name ("" where that is not shown), and what its
    entries allow, each by itself: what one takes out, another may give.
    """

    id: str
    name: str
    permissions: tuple[Permission, ...]

    def allows(self, operation: str) -> bool:
        """Whether its holder may do this to resources."""
        return any(permission.allows(operation) for permission in self.permissions)

    def allows_data(self, operation: str) -> bool:
        """Whether its holder may do this to what a resource holds."""
        return any(permission.allows_data(operation) for permission in self.permissions)


class Unknown(StrEnum):
    """Why it is not known what a role lets its holder do."""

    #: No role has this id there. Cosmos DB's data roles are no roles of Azure RBAC.
    MISSING = "missing"
    #: Azure refuses to show its definition, or shows none that can be read.
    UNREADABLE = "unreadable"


type Definition = RoleDefinition | Unknown


def fits_pattern(operation: str, pattern: str) -> bool:
    """Whether an operation is one of those that a pattern names."""
    return _expression(pattern).fullmatch(folded(operation)) is not None


def may_fit_pattern(operation: str, pattern: str) -> bool:
    """Whether it may be one of them. A whole part that is * may stand for none: the built-in role
    Managed Identity Operator has "…/userAssignedIdentities/*/assign/action", and Azure lets who has
    it do "…/userAssignedIdentities/assign/action".
    """
    return fits_pattern(operation, pattern) or fits_pattern(operation, pattern.replace("/*/", "/"))


def resource_type_of(operation: str) -> str:
    """The type (folded) of the resources that an operation is one on: without its verb, which has
    two parts where the last one is "action".
    """
    parts = folded(operation).split("/")
    return "/".join(parts[: -2 if parts[-1] == "action" else -1])


def _allows(operation: str, given: Iterable[str], taken: Iterable[str]) -> bool:
    """In doubt it is given, and not taken out."""
    allowed = any(may_fit_pattern(operation, pattern) for pattern in given)
    return allowed and not any(fits_pattern(operation, pattern) for pattern in taken)


@lru_cache(maxsize=8192)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, folded(pattern).split("*"))), re.DOTALL)
