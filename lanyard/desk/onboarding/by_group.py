"""Where an app's rights stand at resource groups: which of them there are, what stands above them,
and what stands where it is not wanted any more.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    GROUPS,
    Deployment,
    Part,
    group_roles_of,
)
from lanyard.desk.onboarding.removal import Removal
from lanyard.desk.onboarding.steps import Resources, Step
from lanyard.desk.onboarding.topics import assigned_role, assignments_of, scope_of
from lanyard.desk.rights import Rights
from lanyard.values.resource_id import folded, is_within, last_name

_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"


async def absent_groups(resources: Resources, needed: Rights, subscription: str) -> frozenset[str]:
    """The groups (names, folded) that are named and not there. Raises Temporary, Permanent."""
    named = {group for role in needed.at_groups for group in role.groups(subscription)}
    scope = f"/subscriptions/{subscription}/resourceGroups"
    found = [each for each in sorted(named) if not await _is_there(resources, f"{scope}/{each}")]
    return frozenset(found)


async def _is_there(resources: Resources, group: str) -> bool:
    return await resources.read(group, GROUPS) is not None


async def joined_at(resources: Resources, app: Deployment, subscription: str) -> str:
    """The management group (id) above the subscription at which the app has rights, "" where there
    is none. Raises Temporary, Permanent.
    """
    place = f"/subscriptions/{subscription}"
    held = await assignments_of(resources, place, app.principal_id)
    above = (scope_of(each) for each in held)
    return next((each for each in above if folded(each).startswith(_MANAGEMENT_GROUP)), "")


async def no_longer_wanted(
    resources: Resources,
    app: Deployment,
    subscription: str,
    wanted: Iterable[Part],
    removal: Removal,
) -> AsyncIterator[Step]:
    """Take back the assignments of the app's roles at groups that are not among those `wanted`.
    Raises Temporary, Permanent.
    """
    place, stay = f"/subscriptions/{subscription}", {*_standing(wanted)}
    roles = group_roles_of(subscription)
    for each in await assignments_of(resources, place, app.principal_id):
        role, scope = assigned_role(each), scope_of(each)
        if role in roles and is_within(scope, place) and (role, folded(scope)) not in stay:
            what = (
                f"assignment of custom role at {last_name(scope)}, which the policy does not name"
            )
            yield await removal.of(str(each["id"]), AUTHORIZATION, what)


def _standing(parts: Iterable[Part]) -> Iterator[tuple[str, str]]:
    """The role (GUID) and the scope (folded) of each role assignment."""
    for part in parts:
        properties = part.body.get("properties") or {}
        if "principalId" in properties:
            yield assigned_role(part.body), folded(part.id.rpartition("/providers/")[0])
