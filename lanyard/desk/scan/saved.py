"""An estate as a file: what `lanyard scan --save` read, for tests of a policy and for a difference
of two without a login.

It has what Resource Graph and the directory list: ids, tags, identities with their principals, role
assignments and the definitions of roles, subscriptions with their names and management groups. Of a
resource's body it has no more than Lanyard goes by.
"""

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)

from lanyard.desk.scan.holders import DirectoryAnswer
from lanyard.desk.scan.report import Estate
from lanyard.policy.named_files import Unreadable, content_of
from lanyard.sweep.listings import Authorization
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.errors import LanyardError
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscription

#: Of the shape; a file of another one is refused.
VERSION = 2

type _Id = Annotated[
    ResourceId, PlainValidator(ResourceId.parse), PlainSerializer(str, return_type=str)
]
# In one order, so that the same estate is the same file.
type _Texts = Annotated[frozenset[str], PlainSerializer(sorted, return_type=list[str])]


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SavedIdentity(_Saved):
    system_principal_id: str | None
    user_assigned: dict[_Id, str | None]
    odd: dict[str, str | None]
    shows_none: bool


class _SavedCompute(_Saved):
    """Of `ComputeResource` all but `raw`, the body: it may hold what nobody should mail."""

    id: _Id
    location: str
    tags: dict[str, str]
    identity: _SavedIdentity
    provisioning_state: str
    etag: str | None
    managed_by: str
    kind: str
    scale_set: _Id | None
    manual_upgrade: bool
    kubelet: _Id | None
    incarnation: str
    dated: float
    created: float
    named_once: bool
    names: dict[_Id, tuple[str, ...]]
    names_system: tuple[str, ...]

    def value(self) -> ComputeResource:
        """As everything else speaks of it."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        identity = {name: getattr(self.identity, name) for name in _SavedIdentity.model_fields}
        return ComputeResource(**given | {"identity": Identity(**identity)})


class _SavedResource(_Saved):
    """Of `Listed`."""

    id: str
    compute: _SavedCompute | None
    unread: bool
    tags: dict[str, str]
    attached: _Texts
    principals: _Texts
    own_principal: str | None
    system_principal: str | None
    tenant: str

    def value(self) -> Listed:
        """As everything else speaks of it."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        compute = None if self.compute is None else self.compute.value()
        return Listed(**given | {"compute": compute})


class _SavedDirectory(_Saved):
    """Of `DirectoryAnswer`."""

    unknown: _Texts
    control_principal: str
    failure: str


class _SavedEstate(_Saved):
    version: Literal[2]
    at: datetime
    subscriptions: dict[str, Subscription]
    resources: tuple[_SavedResource, ...]
    assignments: tuple[ListedAssignment, ...]
    roles: dict[str, ListedRole]
    directory: _SavedDirectory


_FILE = TypeAdapter(_SavedEstate)


def as_saved(estate: Estate) -> str:
    """The text of the file."""
    saved = _SavedEstate(
        version=VERSION,
        at=estate.at,
        subscriptions=dict(estate.subscriptions),
        resources=tuple(map(_resource, estate.resources)),
        assignments=estate.authorization.assignments,
        roles=estate.authorization.roles,
        directory=_SavedDirectory(**_fields(estate.directory)),
    )
    return _FILE.dump_json(saved, indent=1).decode() + "\n"


def read_saved(file: Path) -> Estate:
    """The estate that a file holds. Raises LanyardError for any other file."""
    try:
        saved = _FILE.validate_json(content_of(file))
    except Unreadable as error:
        raise LanyardError(f"{file} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole of it"
        raise LanyardError(
            f"{file} is no estate that this version of lanyard saved ({where}: {first['msg']}); "
            "write it with 'lanyard scan --save FILE'"
        ) from None
    return Estate(
        saved.at,
        saved.subscriptions,
        tuple(each.value() for each in saved.resources),
        Authorization(saved.assignments, saved.roles),
        DirectoryAnswer(**dict(saved.directory)),
    )


def _resource(listed: Listed) -> _SavedResource:
    compute = None if listed.compute is None else _compute(listed.compute)
    return _SavedResource(**_fields(listed) | {"compute": compute})


def _compute(resource: ComputeResource) -> _SavedCompute:
    bare = {name: each for name, each in _fields(resource).items() if name != "raw"}
    return _SavedCompute.model_construct(
        **bare | {"identity": _SavedIdentity.model_construct(**_fields(resource.identity))}
    )


def _fields(value: Any) -> dict[str, Any]:
    """One floor deep: what is below stays the value that it is."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
