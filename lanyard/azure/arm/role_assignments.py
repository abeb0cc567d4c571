"""Role assignments (Microsoft.Authorization, api-version 2022-04-01)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission as SdkPermission,
)
from azure.mgmt.authorization.v2022_04_01.models import (
    RoleAssignment as SdkAssignment,
)
from azure.mgmt.authorization.v2022_04_01.models import (
    RoleAssignmentCreateParameters,
)

from lanyard.azure.arm.answers import Unreadable, definition_of, permission_of
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import code_of, is_gone, translated
from lanyard.azure.arm.forbidden import forbidden
from lanyard.ports.cache import Cache
from lanyard.values.errors import Because, Permanent, Refused, Temporary
from lanyard.values.grants import Described, Given, Grant, RoleAssignment
from lanyard.values.permissions import Definition, Permission, Unknown
from lanyard.values.removed import RemovedAssignment
from lanyard.values.resource_id import folded, last_name, subscription_of
from lanyard.values.roles import listed_role
from lanyard.values.stamps import Stamp, adopted_stamp, is_made_by, stamp

_NO_SUCH_ROLE = "RoleDefinitionDoesNotExist"
#: A role that was harmless may be none any more: its definition is read again after so long.
_DEFINITION_SECONDS = 300.0
# What stands in the way of a grant is looked at again so much later (seconds).
_STANDS_DELAY = 3600.0
_CHANGING_DELAY = 5.0
_DELEGATED = "delegatedManagedIdentityResourceId"


class Roles:
    """Makes, reads, lists and deletes role assignments. `installation` (GUID, lower case) is whose
    they are; where it is "" nothing counts as ours, and nothing is written.
    """

    def __init__(self, clients: Clients, installation: str = "") -> None:
        self.installation = installation
        self._operations = clients.authorization.role_assignments
        self._definitions = clients.authorization.role_definitions
        self._known: Cache[str, Definition] = Cache(_DEFINITION_SECONDS, clients.now)

    async def ensure(self, grant: Grant, *, was_theirs: bool = False) -> Given:
        """Make the assignment exist.

        It is read first: a PUT would write over what somebody else made, or changed, under our
        name; where it `was_theirs` the list is asked as well. Not ours where someone else's
        assignment gives the same under the same condition: it serves, and it stays theirs. Raises
        Refused where it does not, Temporary, Permanent.
        """
        found = await self.read(grant.assignment_id)
        if found is None and was_theirs:
            found = await self.giving(grant)
        if found is not None:
            return await self._as_it_stands(found, grant)
        if await self._put(grant, self._parameters(grant)):
            return Given(grant.assignment_id, ours=True)
        # It stands under another name: Azure takes one assignment of a scope, role and principal,
        # whatever its condition.
        found = await self.giving(grant)
        if found is None:
            message = f"role {grant.role_id} at {grant.scope} is being taken away by somebody"
            raise Temporary(message, _CHANGING_DELAY)
        return await self._as_it_stands(found, grant)

    async def _as_it_stands(self, found: RoleAssignment, grant: Grant) -> Given:
        """Ours on the condition of the grant; of an adopted one nothing else is changed."""
        if not self.is_ours(found):
            _ensure_serving(found, grant)
            return Given(found.id, ours=False)
        if not found.serves(grant):
            await self._put(grant, self._parameters(grant, found), last_name(found.id))
        return Given(found.id, ours=True)

    async def _put(
        self, grant: Grant, parameters: RoleAssignmentCreateParameters, name: str = ""
    ) -> bool:
        """Under this name, or the grant's own; False where one of its content has another name (409
        RoleAssignmentExists).
        """
        what = f"assign role {grant.role_id} at {grant.scope}"
        with translated(what):
            try:
                await self._operations.create(grant.scope, name or grant.name, parameters)
            except HttpResponseError as error:
                if refusal := forbidden(what, error):
                    raise refusal from error
                if name or code_of(error) != "RoleAssignmentExists":
                    raise
                return False
        return True

    async def giving(self, grant: Grant) -> RoleAssignment | None:
        """The one assignment of the grant's content as it is now, whoever made it and whatever its
        condition.
        """
        with translated(f"list the assignments of {grant.principal_id} at {grant.scope}"):
            try:
                listed = await self._listed(grant.scope, grant.principal_id)
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None  # with its scope
        return next((each for each in listed if each.carries(grant)), None)

    async def read(self, assignment_id: str) -> RoleAssignment | None:
        """The assignment as it is now, or None."""
        with translated(f"read {assignment_id}"):
            try:
                return _assignment(await self._operations.get_by_id(assignment_id.lstrip("/")))
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None

    async def delete(self, assignment_id: str) -> None:
        """Delete the assignment; one that is not there (204, or 404 with its scope) is fine."""
        with translated(f"delete {assignment_id}"):
            try:
                await self._operations.delete_by_id(assignment_id.lstrip("/"))
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise

    async def restore(self, removed: RemovedAssignment) -> None:
        """Put an assignment back as it was read, under its name. One of ours says from then on that
        it was put back, and is no more ours. Raises Temporary, Permanent.
        """
        described, ours = _described(removed.raw), Stamp.of(removed.description)
        if ours is not None and self.is_ours(removed):
            described = str(replace(ours, put_back=True))
        await self._describe(removed.raw, described)

    async def withdraw(self, assignment_id: str) -> bool:
        """Take an assignment that was put back for our own again; whether it is ours then.

        Raises Temporary, Permanent.
        """
        found = await self.read(assignment_id)
        if found is None:
            return False
        written = Stamp.of(found.description)
        if written is None or not written.put_back:
            return self.is_ours(found)
        again = str(replace(written, put_back=False))
        if not self.is_ours(replace(found, description=again)):
            return False
        await self._describe(found.raw, again)
        return True

    async def adopt(self, assignment: RoleAssignment) -> None:
        """Make somebody else's assignment ours: its description alone changes, and keeps the one
        that it had. Raises Permanent where there is no room for that, Temporary, Permanent.
        """
        adopted = adopted_stamp(self.installation, assignment, assignment.described)
        if not adopted.fits:
            raise Permanent(f"{assignment.id}: its description is too long to be kept")
        if await self._describe(assignment.raw, str(adopted)) != str(adopted):
            await self._describe(assignment.raw, assignment.described)
            raise Permanent(
                f"{assignment.id}: Azure did not keep the description as it was written"
            )

    async def disown(self, assignment: RoleAssignment) -> None:
        """Leave an adopted one to others again, with the description that it had. Raises Permanent
        for one that is not adopted by this installation, Temporary, Permanent.
        """
        adopted = Stamp.of(assignment.description)
        if adopted is None or adopted.adoption is None or not self.is_ours(assignment):
            raise Permanent(f"{assignment.id} is not adopted")
        await self._describe(assignment.raw, adopted.adoption.before)

    async def _describe(self, raw: Mapping[str, Any], description: str | None) -> str | None:
        """Write it as it was read, but for its description; returns that by Azure's answer."""
        properties = raw["properties"]
        parameters = RoleAssignmentCreateParameters(
            role_definition_id=properties["roleDefinitionId"],
            principal_id=properties["principalId"],
            principal_type=properties.get("principalType"),
            description=description,
            condition=properties.get("condition"),
            condition_version=properties.get("conditionVersion"),
            delegated_managed_identity_resource_id=properties.get(_DELEGATED),
        )
        with translated(f"write {raw['id']}"):
            made = await self._operations.create_by_id(str(raw["id"]).lstrip("/"), parameters)
        return made.description

    async def of_principal(self, principal_id: str, subscription: str) -> list[RoleAssignment]:
        """All assignments of a principal at, above and below a subscription, every page of them."""
        with translated(f"list the assignments of {principal_id} in {subscription}"):
            return await self._listed(f"/subscriptions/{subscription}", principal_id)

    async def _listed(self, scope: str, principal_id: str) -> list[RoleAssignment]:
        """At, above and below a scope."""
        pages = self._operations.list_for_scope(
            scope.lstrip("/"), filter=f"principalId eq '{principal_id}'", cls=_page
        )
        return [_assignment(found) async for found in pages]

    async def definition(self, role_id: str, scope: str) -> Definition:
        """What a role (GUID) lets its holder do, as it is defined in the subscription of `scope`:
        one read for all that ask within five minutes. Raises Temporary.
        """
        if (listed := listed_role(role_id)) is not None:
            return listed
        definition_id = _definition_id(role_id, scope)
        return await self._known.get(definition_id, partial(self._define, definition_id))

    async def _define(self, definition_id: str) -> Definition:
        try:
            with translated(f"read role {last_name(definition_id)}"):
                found = await self._definitions.get_by_id(definition_id.lstrip("/"))
        except Permanent as error:
            return Unknown.MISSING if error.code == _NO_SUCH_ROLE else Unknown.UNREADABLE
        shown, name = found.permissions, found.role_name
        permissions = map(_permission, shown) if isinstance(shown, list) else [None]
        return definition_of(last_name(definition_id), str(name or ""), permissions)

    def is_ours(self, assignment: Described) -> bool:
        """Whether the assignment has exactly our stamp, and our name or the one that it was adopted
        under.
        """
        return is_made_by(self.installation, assignment)

    def _parameters(
        self, grant: Grant, stands: RoleAssignment | None = None
    ) -> RoleAssignmentCreateParameters:
        """Of what is made, or of what `stands` and is ours, with the condition of the grant."""
        if not self.installation:
            raise Permanent("whose role assignments are these? name the app's installation")
        return RoleAssignmentCreateParameters(
            role_definition_id=_definition_id(grant.role_id, grant.scope),
            principal_id=grant.principal_id,
            # Left out, the SDK sends "User"; and with it ARM does not wait for Entra's replication.
            principal_type="ServicePrincipal",
            description=stands.description if stands else stamp(self.installation),
            condition=grant.condition,
            condition_version="2.0" if grant.condition else None,
            delegated_managed_identity_resource_id=stands.text(_DELEGATED) if stands else None,
        )


def _ensure_serving(found: RoleAssignment, grant: Grant) -> None:
    """Raises Refused where somebody else's does not give the same."""
    if found.serves(grant):
        return
    reason = f"one of another owner stands with another condition: {found.id}"
    if not found.carries(grant):
        reason = f"one of another owner stands under its name and gives something else: {found.id}"
    raise Refused(
        Because.ANOTHER_OWNER,
        reason,
        _STANDS_DELAY,
        "delete it, or have its owner and the rule agree on the condition",
        releasable=False,
    )


def _described(raw: Mapping[str, Any]) -> str | None:
    """To the letter, None for none."""
    description = raw["properties"].get("description")
    return description if isinstance(description, str) else None


def _assignment(assignment: SdkAssignment) -> RoleAssignment:
    return RoleAssignment(
        _required(assignment, "id"),
        _required(assignment, "scope"),
        last_name(_required(assignment, "role_definition_id")),
        folded(_required(assignment, "principal_id")),
        assignment.description or "",
        assignment.serialize(keep_readonly=True),
    )


def _required(found: SdkAssignment | None, name: str) -> str:
    """What every assignment has: without it, nobody knows whose it is."""
    value = getattr(found, name, None)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"a role assignment without {name!r}")
    return value


def _page(listed: list[SdkAssignment] | None) -> list[SdkAssignment]:
    """A page without a list is no empty page."""
    if listed is None:
        raise Unreadable("'value' is missing")
    return listed


def _permission(shown: object) -> Permission | None:
    """None for what cannot be read: nobody knows what it allows."""
    if not isinstance(shown, SdkPermission):
        return None
    return permission_of(
        shown.actions, shown.not_actions, shown.data_actions, shown.not_data_actions
    )


def _definition_id(role_id: str, scope: str) -> str:
    subscription = subscription_of(scope)
    return f"{subscription or ''}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
