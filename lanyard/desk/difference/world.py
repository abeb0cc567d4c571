"""An estate as a policy finds it: resources, what of theirs is Lanyard's, and who holds what else.

Whose something is says the record of a deployed app, where that is at hand. Where it is not, what
the policy in force gives and what stands counts as Lanyard's: an attachment that it asks for, an
identity with the tags of one that was made for the resource, a role assignment with a stamp.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lanyard.desk.scan.report import Estate
from lanyard.planning.desired import Desired, WantedIdentity, desired
from lanyard.planning.givers import givers
from lanyard.planning.own_principal import is_own_app
from lanyard.planning.plan import Owned
from lanyard.planning.verdict import RoleKey
from lanyard.policy import Mode, Policy
from lanyard.sweep.listings import Resources
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.grants import Content, Grant
from lanyard.values.own_identity import INSTALLATION_TAG, made_for, mark_of
from lanyard.values.permissions import Definition
from lanyard.values.resource_id import ResourceId, folded, subscription_of
from lanyard.values.stamps import is_of_any


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a policy is carried out on. Identities by their folded ids, with principals."""

    resources: Mapping[ResourceId, ComputeResource]
    owned: Mapping[ResourceId, Owned]
    identities: Mapping[str, str]
    #: The mark of the one resource that an identity was made for; not of those for several.
    made_for: Mapping[str, str]
    #: What assignments give that are not Lanyard's, with their conditions.
    others: Mapping[Content[str], str | None]
    #: Of Lanyard's assignments, the condition that each was last given on: several resources may
    #: claim one, and those that keep it have it as it was.
    conditions: Mapping[Content[str], str | None] = field(default_factory=dict)
    #: What assignments of Lanyard's give that no resource is known to claim: left as they are.
    unclaimed: Mapping[Content[str], str | None] = field(default_factory=dict)
    roles: Mapping[RoleKey, Definition] = field(default_factory=dict)
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str = ""

    def principals(self, wanted: Desired, resource: ComputeResource) -> dict[PrincipalRef, str]:
        """Of the identities that a resource has or is to have, as far as they exist."""
        asked = {*wanted.identities, *wanted.kept.identities, *resource.identity.user_assigned}
        found: dict[PrincipalRef, str] = {
            UserAssigned(one): self.identities[one.key]
            for one in asked
            if one.key in self.identities
        }
        if resource.identity.system_principal_id is not None:
            found[SystemAssigned()] = resource.identity.system_principal_id
        return found

    def theirs(self, wanted: Desired, resource: ComputeResource) -> frozenset[ResourceId]:
        """Wanted identities that are not to be given to it: see `Actual`."""
        every = wanted.identities.values()
        return frozenset(each.id for each in every if self._is_theirs(each, resource))

    def _is_theirs(self, wanted: WantedIdentity, resource: ComputeResource) -> bool:
        if wanted.id.key not in self.identities:
            return False
        owner = self.made_for.get(wanted.id.key, "")
        if wanted.dedicated:
            return owner != folded(mark_of(resource.id.key))
        return bool(owner)


def world_of(
    estate: Estate,
    in_force: Policy,
    records: Mapping[ResourceId, Owned] | None = None,
    own_principal: str = "",
) -> World:
    """The estate under the policy in force. `records`: what the app's record says is Lanyard's;
    None where it is not at hand.
    """
    listed = Resources()
    for each in estate.resources:
        listed.add(each)
    # The app itself is no resource for Lanyard.
    resources = {
        one.id: one for one in listed.compute.values() if not is_own_app(one, own_principal)
    }
    bare = World(
        resources=resources,
        owned={},
        identities=_identities(listed),
        made_for={key: _owner(tags) for key, tags in listed.identity_tags.items() if _owner(tags)},
        others={
            each.content: each.condition
            for each in estate.authorization.assignments
            # Of any installation: a saved estate does not say which one a policy belongs to.
            if not is_of_any(each)
        },
        roles={(g, ""): role.definition for g, role in estate.authorization.roles.items()},
        own_principal=own_principal,
    )
    if records is None:
        standing = {each.content: each.condition for each in estate.authorization.assignments}
        owned = {one.id: _likely(in_force, one, bare, standing) for one in resources.values()}
    else:
        owned = {one: records.get(one, Owned()) for one in resources}
    claimed = {grant.content for each in owned.values() for grant in each.claimed}
    unclaimed = {
        each.content: each.condition
        for each in estate.authorization.assignments
        if is_of_any(each) and each.content not in claimed
    }
    return replace(bare, owned=owned, unclaimed=unclaimed)


def _identities(listed: Resources) -> dict[str, str]:
    """Those that are listed; and, of a subscription in which nothing is, those that resources show:
    who looks cannot see them, and they are there.
    """
    seen = {found.subscription for found in map(subscription_of, listed.ids) if found is not None}
    shown = {
        identity.key: principal
        for resource in listed.compute.values()
        for identity, principal in resource.identity.user_assigned.items()
        if principal is not None and identity.subscription not in seen
    }
    return shown | listed.identities


def _owner(tags: Mapping[str, str]) -> str:
    named = {name.lower(): value for name, value in tags.items()}
    return made_for(tags, folded(named.get(INSTALLATION_TAG.lower(), "")))


def _likely(
    in_force: Policy,
    resource: ComputeResource,
    world: World,
    standing: Mapping[Content[str], str | None],
) -> Owned:
    if in_force.mode is Mode.OBSERVE:
        return Owned()
    wanted = desired(in_force, resource)
    principals = world.principals(wanted, resource)
    every = {**wanted.kept.identities, **wanted.identities}
    made = [one for one in every.values() if one.dedicated and one.id.key in world.made_for]
    grants = [
        grant.granted(principals[grant.to])
        for grant in (*wanted.kept.grants, *wanted.grants)
        if grant.to in principals
    ]
    present = resource.identity.system_principal_id
    owned = Owned(
        attachments=frozenset(resource.identity.user_assigned.keys() & every.keys()),
        grants=frozenset(_as_it_stands(grants, standing)),
        system_principals=frozenset() if present is None else frozenset({present}),
        dedicated=frozenset(
            one.id for one in made if not world.theirs(Desired(identities={one.id: one}), resource)
        ),
    )
    return replace(owned, given_by=givers(in_force, wanted, principals, owned))


def _as_it_stands(
    grants: Iterable[Grant], standing: Mapping[Content[str], str | None]
) -> Iterable[Grant]:
    for grant in grants:
        if grant.content in standing:
            yield replace(grant, condition=standing[grant.content])
