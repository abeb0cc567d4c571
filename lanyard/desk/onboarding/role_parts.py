"""What the app may do in a subscription that it watches: its roles, and who has them."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from lanyard.desk.at_groups import AtGroups, Kind
from lanyard.desk.delegation import ASSIGN, REMOVE
from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    OPERATOR,
    Deployment,
    Json,
    Part,
    assignment,
    group_role_of,
    identity_role_of,
    operator_name,
    provider,
    role_of,
    watching_assignment,
)
from lanyard.desk.onboarding.template import assignment_id, definition_id, guid
from lanyard.desk.rights import Rights
from lanyard.values.resource_id import ResourceId

_TITLES = {
    Kind.CHANGES: ("Lanyard changes", "The resources of the policy of Lanyard, in its groups."),
    Kind.GRANTS: ("Lanyard grants", "The roles that the policy of Lanyard gives, in its groups."),
    Kind.IDENTITIES: ("Lanyard identities", "The identities that the policy of Lanyard has made."),
}


def role_parts(
    app: Deployment, needed: Rights, subscription: str, absent: Container[str] = ()
) -> Iterator[Part]:
    """In order: a definition before its assignment; and what stands at groups first, so that
    nothing is missing while the rights at the subscription become less. `absent` are the groups
    (names, folded) that are not there.
    """
    for role in needed.at_groups:
        yield from _at_groups(app, role, subscription, absent)
    about = "What the policy of Lanyard needs, and nothing beyond. Made by `lanyard rights`."
    role_part = _role(subscription, role_of(subscription), "Lanyard", about, needed.actions)
    yield role_part
    what = f"custom role Lanyard at subscription {subscription}"
    id_ = watching_assignment(subscription, app.principal_id)
    given = _under(needed.condition)
    yield assignment(id_, app.principal_id, role_part.id, what, (role_part.id,), given)
    if needed.identity_actions:
        yield from _identity_rights(app, needed, subscription)
    for identity in needed.operator_on:
        yield _operator(identity, app.principal_id)


def bound_first(
    parts: Sequence[Part], app: Deployment, needed: Rights, subscription: str, role: Json | None
) -> list[Part]:
    """The parts, in the order that the `role` at the subscription asks for (as ARM shows it; None:
    it is not there). Where it comes to assign or remove roles, the condition that bounds it is put
    on before: it must not do so unbound, not for the moment between two calls.
    """
    gained = {each for each in needed.actions if each in (ASSIGN, REMOVE)} - _actions(role or {})
    if role is None or not gained:
        return [*parts]
    given = watching_assignment(subscription, app.principal_id)
    moved = {given: (), definition_id(subscription, role_of(subscription)): (given,)}
    first = [replace(each, needs=moved[each.id]) for each in parts if each.id in moved]
    return [*reversed(first), *(each for each in parts if each.id not in moved)]


def _actions(role: Json) -> set[str]:
    permissions = (role.get("properties") or {}).get("permissions") or ()
    return {str(action) for each in permissions for action in each.get("actions") or ()}


def _under(condition: str) -> dict[str, str | None]:
    return {"condition": condition or None, "conditionVersion": "2.0" if condition else None}


def _at_groups(
    app: Deployment, role: AtGroups, subscription: str, absent: Container[str]
) -> Iterator[Part]:
    groups = {each: on for each, on in role.groups(subscription).items() if each not in absent}
    if not groups:
        return
    if role.kind is Kind.IDENTITIES:
        yield provider(subscription, "Microsoft.ManagedIdentity")
    title, about = _TITLES[role.kind]
    guid_of_role = group_role_of(subscription, role.kind)
    definition = _role(subscription, guid_of_role, title, about, role.actions)
    yield definition
    for group, condition in groups.items():
        where = f"/subscriptions/{subscription}/resourceGroups/{group}"
        id_ = assignment_id(where, guid(where, app.principal_id, definition.id))
        what, needed = f"custom role {title} at {group}", (definition.id,)
        yield assignment(id_, app.principal_id, definition.id, what, needed, _under(condition))


def _identity_rights(app: Deployment, needed: Rights, subscription: str) -> Iterator[Part]:
    # Where nobody made an identity yet, that of the first machine would be refused.
    yield provider(subscription, "Microsoft.ManagedIdentity")
    guid_of_role, principal = identity_role_of(subscription), app.principal_id
    title, about = _TITLES[Kind.IDENTITIES]
    role = _role(subscription, guid_of_role, title, about, needed.identity_actions)
    yield role
    scope = f"/subscriptions/{subscription}"
    named = {
        f"{scope}/resourceGroups/{group}": guid(
            f"{scope}/resourceGroups/{group}", principal, role.id
        )
        for group in needed.identity_groups
    }
    for where, name in (named or {scope: guid(scope, principal, "lanyard-identities")}).items():
        place = where.removeprefix(f"{scope}/resourceGroups/")
        what = f"custom role Lanyard identities at {place}"
        yield assignment(assignment_id(where, name), principal, role.id, what, (role.id,))


def _role(subscription: str, name: str, title: str, about: str, actions: tuple[str, ...]) -> Part:
    properties = {
        "roleName": f"{title} {subscription}",
        "description": about,
        "type": "CustomRole",
        "permissions": [{"actions": [*actions]}],
        "assignableScopes": [f"/subscriptions/{subscription}"],
    }
    id_ = definition_id(subscription, name)
    what = f"definition of custom role {title}"
    body = {"properties": properties}
    return Part(id=id_, api_version=AUTHORIZATION, about=what, body=body)


def _operator(identity: ResourceId, principal_id: str) -> Part:
    scope = (
        f"/subscriptions/{identity.subscription}/resourceGroups/{identity.resource_group}/providers"
        f"/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}"
    )
    name = operator_name(scope, principal_id)
    role = definition_id(identity.subscription, OPERATOR)
    what = f"Managed Identity Operator on {identity.name}"
    return assignment(assignment_id(scope, name), principal_id, role, what)
