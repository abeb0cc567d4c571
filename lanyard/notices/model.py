"""The events that others can subscribe to, as values.

What a field means is written here, once: docs/notifications.schema.json is made from these models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

#: `dataschema` of every event. Another number means that a subscriber has to look.
SCHEMA = "urn:lanyard:notifications:1"

Text = Annotated[str, Field(min_length=1)]


class NoticeType(StrEnum):
    """`type` of the CloudEvent."""

    IDENTITY_ATTACHED = "Lanyard.IdentityAttached"
    ROLE_ASSIGNED = "Lanyard.RoleAssigned"
    ACCESS_REMOVED = "Lanyard.AccessRemoved"
    REMOVAL_HELD = "Lanyard.RemovalHeld"
    CONFLICT_FOUND = "Lanyard.ConflictFound"


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class Cause(_Part):
    """What led to the decision."""

    source: Text = Field(description='"event", "sweep", "identity", "release" and the like.')
    event_id: str = Field(description='The id of the Azure event, or "".')
    event_type: str = Field(description='The type of the Azure event, or "".')
    correlation_id: str = Field(
        description='The correlation id of the change in Azure\'s activity log, or "".'
    )


class Assignment(_Part):
    """A role assignment."""

    id: Text = Field(description="Its resource id.")
    scope: Text = Field(description="Where it gives access.")
    role_id: Text = Field(description="The GUID of the role definition, lower case.")
    role: Text = Field(description="The role's name where it is a built-in one, else its GUID.")
    principal_id: Text = Field(description="The object id of the principal, lower case.")


class Identity(_Part):
    """A managed identity."""

    id: str = Field(
        description='The resource id of a user-assigned identity; "" for the system-assigned one.'
    )
    principal_id: str = Field(description='Its object id, lower case, or "" where it is unknown.')


class _Decided(_Part):
    decision_id: Text = Field(description="The id of the decision on record.")
    action: Text = Field(description="What was or would be done, in words.")
    rules: tuple[str, ...] = Field(description="The rules of the policy that asked for it.")
    reason: str = Field(description="Why, or what came of it, in words.")
    policy: str = Field(description="The version of the policy in force.")
    cause: Cause


class IdentityAttached(_Decided):
    """The subject has an identity that it did not have."""

    identity: Identity


class RoleAssigned(_Decided):
    """A role assignment was made that the subject needs."""

    assignment: Assignment


class AccessRemoved(_Decided):
    """Access was taken away: a role assignment, or an identity that was detached or deleted.

    Its decision is what `lanyard undo` takes.
    """

    assignment: Assignment | None = Field(description="The assignment that is gone, or null.")
    identity: Identity | None = Field(description="The identity that is gone, or null.")
    evidence: tuple[str, ...] = Field(description="What proved that it might go.")


class _NotDone(_Decided):
    held_id: Text = Field(description="What `lanyard release` and `lanyard dismiss` take.")
    release: Text = Field(description="What has it done after all.")
    releasable: bool = Field(description="Whether `lanyard release` is enough.")


class RemovalHeld(_NotDone):
    """Access that would be taken away is left as it is, until somebody decides."""


class ConflictFound(_NotDone):
    """Somebody else takes away, again and again, what the policy has put back."""


type Data = IdentityAttached | RoleAssigned | AccessRemoved | RemovalHeld | ConflictFound

TYPES: Mapping[type[BaseModel], NoticeType] = {
    IdentityAttached: NoticeType.IDENTITY_ATTACHED,
    RoleAssigned: NoticeType.ROLE_ASSIGNED,
    AccessRemoved: NoticeType.ACCESS_REMOVED,
    RemovalHeld: NoticeType.REMOVAL_HELD,
    ConflictFound: NoticeType.CONFLICT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `subject`: the id of the resource that it is about; `time` has a zone."""

    subject: str
    time: datetime
    data: Data

    @property
    def type(self) -> NoticeType:
        """As subscribers filter by it."""
        return TYPES[type(self.data)]

    @property
    def id(self) -> str:
        """The same decision gives the same id, however often it is sent."""
        return self.data.decision_id
