"""What a resource's own settings name is in use: it stays, and its roles with it. Pure."""

from collections.abc import Iterator, Mapping

from lanyard.planning.actions import DeleteIdentity, DetachIdentity, ReleaseGrant, ReplaceIdentity
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because


def named_in_settings(plan: Plan, situation: Situation) -> Iterator[Held]:
    """An identity that the resource's own settings name is in use; its roles stay with it."""
    resource = situation.resource
    if resource is None:
        return
    roles_of = _named_principals(resource, situation.principals)
    for action in plan.actions:
        match action:
            case DetachIdentity(id=identity) | DeleteIdentity(id=identity):
                name, members = identity.name, resource.names.get(identity, ())
            case ReplaceIdentity(old=UserAssigned(id=identity)):
                name, members = identity.name, resource.names.get(identity, ())
            case ReplaceIdentity(old=SystemAssigned()):
                name, members = f"the {SystemAssigned()}", resource.names_system
            case ReleaseGrant(grant=grant) if grant.principal_id in roles_of:
                name, members = roles_of[grant.principal_id]
            case _:
                continue
        for member in members[:1]:
            yield Held(
                action,
                Because.IN_USE,
                f"{member} names {name}",
                "change that setting of the resource, or release it",
                True,
            )


def _named_principals(
    resource: ComputeResource, known: Mapping[PrincipalRef, str]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By principal: what the settings name, as people call it, and the members that do."""
    found = {}
    attached, system = resource.identity.user_assigned, resource.identity.system_principal_id
    for identity, members in resource.names.items():
        if principal := attached.get(identity) or known.get(UserAssigned(identity)):
            found[principal] = identity.name, members
    if system is not None and resource.names_system:
        found[system] = f"the {SystemAssigned()}", resource.names_system
    return found
