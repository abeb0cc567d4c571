"""An identity that was made for one resource alone: what is known of it, and what marks it."""

import hashlib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

from lanyard.values.compute import ManagedIdentity
from lanyard.values.resource_id import ResourceId, folded

#: The resource that it was made for: its id as ARM writes it, see `mark_of`. The tag stays with the
#: identity: it says whose it is where the tables do not.
RESOURCE_TAG = "lanyard-resource"
#: Which installation made it (GUID, lower case).
INSTALLATION_TAG = "lanyard-installation"
_CREATED_BY_TAG = "createdBy"
#: Of an identity that is made; one that several resources share has not the one that names one.
OWN_TAGS = (_CREATED_BY_TAG, INSTALLATION_TAG, RESOURCE_TAG)
# Of a tag's value, in characters (Azure Resource Manager limits).
_LONGEST_TAG = 256


@dataclass(frozen=True, slots=True)
class Dedicated:
    """What is on record of one. Moments are seconds since the epoch; 0: not, or not any more."""

    #: The object id that it was made with; "" while it is being made.
    principal: str
    #: So many seconds it is kept when it is no longer needed.
    delete_after: float
    _: KW_ONLY
    #: Since when every listing shows it on no resource but its own.
    alone_since: float = 0.0
    #: Since when every listing shows it on no resource that lives.
    unused_since: float = 0.0
    #: The resource (folded id) that it was made for, where that moved since; "" for this one.
    owner: str = ""
    #: Since when Azure does not say whether it is in use.
    unanswered_since: float = 0.0
    #: When Azure was asked to make it, and nobody knows whether it did.
    asked_at: float = 0.0
    #: When everything that can say that it is in use was asked and showed no use: while its
    #: deletion was due, and while that of its roles was.
    clear_at: float = 0.0
    roles_clear_at: float = 0.0
    #: Since when Azure shows none under its id, or another one.
    away_since: float = 0.0

    def is_still(self, identity: ManagedIdentity, owner: ResourceId, installation: str) -> bool:
        """Whether the identity that is there now is the one that an installation made for `owner`:
        by its principal, whatever became of its tags; by these where the answer to its making was
        lost.
        """
        if self.principal:
            return identity.principal_id == self.principal
        return made_for(identity.tags, installation) == mark_of(self.owner or owner.key)


class Known(NamedTuple):
    """What is known of an identity: its principal, and the mark (folded) of the resource that this
    installation made it for alone; "" for one that it did not, or that several may have.
    """

    principal: str
    owner: str = ""


class Created(NamedTuple):
    """What came of making an identity: its principal, and whether none of its id was there."""

    principal: str
    new: bool


def mark_of(owner: str) -> str:
    """How a tag names a resource: by its id, or by a hash of that where it is too long for one."""
    if len(owner) <= _LONGEST_TAG:
        return owner
    return f"sha256:{hashlib.sha256(folded(owner).encode()).hexdigest()}"


def creation_tags(owner: str, installation: str) -> dict[str, str]:
    """The tags of an identity that an installation makes; `owner`: the id, or the mark, of the one
    resource that it is for, "" where several may have it.
    """
    tags = {_CREATED_BY_TAG: "lanyard", INSTALLATION_TAG: installation}
    return tags | ({RESOURCE_TAG: mark_of(owner)} if owner else {})


def made_for(tags: Mapping[str, str], installation: str) -> str:
    """The mark of the resource that an installation made the identity with these tags for, folded;
    "" where it did not, or for none alone. Azure compares the names of tags without case.
    """
    named = {name.lower(): value for name, value in tags.items()}
    if not installation or folded(named.get(INSTALLATION_TAG, "")) != installation:
        return ""
    return folded(named.get(RESOURCE_TAG, ""))
