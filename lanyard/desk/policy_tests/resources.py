"""The resource of a case, as if it had been read. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lanyard.desk.policy_tests.shape import GivenResource, HasIdentity
from lanyard.desk.stand_in import stand_in
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded
from lanyard.values.subscriptions import Subscription, Subscriptions, listing_of

_LOCATION = "westeurope"
_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"

type Resources = Mapping[ResourceId, ComputeResource]


class BadCase(LanyardError):
    """A case names a resource that there cannot be."""


def resource_of(
    given: GivenResource, estate: Resources, wanted: Iterable[ResourceId]
) -> ComputeResource:
    """The resource that a case is about: what the estate shows of its id, and over that what the
    case says. `wanted`: identities that a bare name may mean. Raises BadCase.
    """
    id_ = _id(given)
    known = estate.get(id_)
    if known is None and estate and given.id is not None:
        raise BadCase(f"{given.id} is not in the saved estate")
    if known is None:
        known = ComputeResource(id=id_, location=_LOCATION, tags={}, identity=Identity())
    return replace(known, **_given(given, known, wanted))


def bare(given: GivenResource, estate: Resources) -> ComputeResource:
    """The same without the identities that it has: what rules want does not hang on them."""
    return resource_of(given.model_copy(update={"identity": None}), estate, ())


def listing(given: GivenResource, id_: str, estate: Subscriptions) -> Subscriptions:
    """What the estate lists, and over that what the case says of its subscription (id)."""
    known = estate.get(id_, Subscription(""))
    if given.subscription_name is not None:
        known = replace(known, name=given.subscription_name)
    if given.management_groups is not None:
        known = replace(known, groups=tuple(map(folded, given.management_groups)), whole=True)
    return listing_of({**estate, id_: known})


def _given(
    given: GivenResource, known: ComputeResource, wanted: Iterable[ResourceId]
) -> dict[str, Any]:
    over: dict[str, Any] = {
        "location": given.location,
        "tags": given.tags,
        "kind": given.kind,
        "managed_by": given.managed_by,
        "manual_upgrade": given.manual_upgrade,
    }
    if given.identity is not None:
        over["identity"] = _identity(given.identity, known.id, wanted)
    return {name: value for name, value in over.items() if value is not None}


def _identity(has: HasIdentity, owner: ResourceId, wanted: Iterable[ResourceId]) -> Identity:
    by_name = {folded(one.name): one for one in wanted}
    attached = [by_name.get(folded(one)) or _identity_id(one, owner) for one in has.user_assigned]
    system = stand_in(owner.text) if has.system else None
    return Identity(system, {one: stand_in(one.text) for one in attached})


def _identity_id(text: str, owner: ResourceId) -> ResourceId:
    full = (
        text if text.startswith("/") else f"{owner.resource_group_id}/providers/{_IDENTITY}/{text}"
    )
    return _parsed(full)


def _id(given: GivenResource) -> ResourceId:
    if given.id is not None:
        id_ = _parsed(given.id)
    elif given.type is not None:
        id_ = _parsed(_written(given, given.type))
    else:
        raise BadCase("give the resource an 'id', or a 'type'")
    if compute_type(id_.type) is None:
        raise BadCase(f"{id_.type or id_} is no compute that Lanyard knows")
    return id_


def _written(given: GivenResource, type_: str) -> str:
    provider, _, types = type_.partition("/")
    kinds, names = types.split("/"), given.name.split("/")
    # A plain name of a child type: its parents need names, too.
    names = [*(f"parent{number}" for number in range(1, len(kinds) - len(names) + 1)), *names]
    if len(names) > len(kinds):
        raise BadCase(f"{given.name!r} has more parts than the type {type_}")
    path = "/".join(part for pair in zip(kinds, names, strict=True) for part in pair)
    group = f"/subscriptions/{given.subscription}/resourceGroups/{given.resource_group}"
    return f"{group}/providers/{provider}/{path}"


def _parsed(text: str) -> ResourceId:
    try:
        return ResourceId.parse(text)
    except InvalidResourceId as error:
        raise BadCase(str(error)) from None
