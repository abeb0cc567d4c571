"""What the app may do in a subscription that it watches: its roles, and who has them."""

from collections.abc import Iterator

from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    OPERATOR,
    Deployment,
    Part,
    assignment,
    identity_role_of,
    operator_name,
    provider,
    role_of,
    watching_assignment,
)
from lanyard.desk.onboarding.template import assignment_id, definition_id, guid
from lanyard.desk.rights import Rights
from lanyard.values.resource_id import ResourceId


def role_parts(app: Deployment, needed: Rights, subscription: str) -> Iterator[Part]:
    """In order: a definition before its assignment."""
    about = "What the policy of Lanyard needs, and nothing beyond. Made by `lanyard rights`."
    role = _role(subscription, role_of(subscription), "Lanyard", about, needed.actions)
    yield role
    condition = {
        "condition": needed.condition or None,
        "conditionVersion": "2.0" if needed.condition else None,
    }
    what = f"custom role Lanyard at subscription {subscription}"
    id_ = watching_assignment(subscription, app.principal_id)
    yield assignment(id_, app.principal_id, role.id, what, (role.id,), condition)
    if needed.identity_actions:
        yield from _identity_rights(app, needed, subscription)
    for identity in needed.operator_on:
        yield _operator(identity, app.principal_id)


def _identity_rights(app: Deployment, needed: Rights, subscription: str) -> Iterator[Part]:
    # Where nobody made an identity yet, that of the first machine would be refused.
    yield provider(subscription, "Microsoft.ManagedIdentity")
    guid_of_role, principal = identity_role_of(subscription), app.principal_id
    about = "The identities that the policy of Lanyard has made."
    actions = needed.identity_actions
    role = _role(subscription, guid_of_role, "Lanyard identities", about, actions)
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
