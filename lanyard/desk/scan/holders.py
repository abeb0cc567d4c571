"""Who holds role assignments: which of them are managed identities, and whose. Pure.

A managed identity is a principal that a resource shows. Of the other service principals, those that
the directory does not know are gone; the rest are applications, or identities of resources that
the reader cannot see.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lanyard.values.listed import Listed, ListedAssignment
from lanyard.values.resource_id import folded


class HolderKind(StrEnum):
    """What holds an assignment, in the order in which it is shown.

    `UNDETERMINED`: a service principal that no resource shows, while the directory cannot be read.
    """

    SYSTEM = "systemAssigned"
    USER_ASSIGNED = "userAssigned"
    APPLICATION = "application"
    USER = "user"
    GROUP = "group"
    UNKNOWN = "unknown"
    UNDETERMINED = "undetermined"


#: The kinds that are managed identities.
MANAGED = (HolderKind.SYSTEM, HolderKind.USER_ASSIGNED)
# ARM's principal types: "ForeignGroup" is a group of another tenant, "Device" acts for its user.
_BY_TYPE = {
    "user": HolderKind.USER,
    "device": HolderKind.USER,
    "group": HolderKind.GROUP,
    "foreigngroup": HolderKind.GROUP,
}


@dataclass(frozen=True, slots=True)
class Holder:
    """`resource`: the id of the resource or identity that it is of; "" where none is known."""

    kind: HolderKind
    resource: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """What the directory knows of the suspects. `control_principal`: one that exists and is in the
    same answer; "" where nothing had to be asked. `failure`: why there is no answer.
    """

    unknown: frozenset[str] = frozenset()
    control_principal: str = ""
    failure: str = ""


class Holders:
    """Knows the holder of an assignment, and how many resources use an identity."""

    def __init__(self, resources: Iterable[Listed], directory: DirectoryAnswer) -> None:
        self._directory = directory
        self._owners: dict[str, Holder] = {}
        self._uses: Counter[str] = Counter()
        seen: set[str] = set()
        for listed in resources:
            seen |= listed.principals
            self._uses.update(listed.attached)
            self._owners |= _owned(listed)
        # Shown by a resource, and the identity itself is where the reader cannot see.
        self._owners |= dict.fromkeys(seen - self._owners.keys(), Holder(HolderKind.USER_ASSIGNED))

    def of(self, assignment: ListedAssignment) -> Holder:
        """Who holds it."""
        principal = assignment.principal_id
        if owner := self._owners.get(principal):
            return owner
        if kind := _BY_TYPE.get(assignment.principal_type.lower()):
            return Holder(kind)
        if principal in self._directory.unknown:
            return Holder(HolderKind.UNKNOWN)
        failed = bool(self._directory.failure)
        return Holder(HolderKind.UNDETERMINED if failed else HolderKind.APPLICATION)

    def uses(self, identity: str) -> int:
        """How many resources a user-assigned identity (id) is attached to."""
        return self._uses[folded(identity)]


def _owned(listed: Listed) -> Mapping[str, Holder]:
    owned: dict[str, Holder] = {}
    if listed.compute is not None:
        for identity, principal in listed.compute.identity.user_assigned.items():
            if principal is not None:
                owned[principal] = Holder(HolderKind.USER_ASSIGNED, identity.text)
    if listed.own_principal is not None:
        owned[listed.own_principal] = Holder(HolderKind.USER_ASSIGNED, listed.id)
    if listed.system_principal is not None:
        owned[listed.system_principal] = Holder(HolderKind.SYSTEM, listed.id)
    return owned
