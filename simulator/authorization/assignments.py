"""Role assignments: the rules of their making, and the lists by filter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from simulator.authorization import errors
from simulator.authorization.access import Access, role_guid
from simulator.authorization.conditions import InvalidCondition, parse_condition
from simulator.authorization.filters import Filter
from simulator.resource_ids import normalise, subscription_of
from simulator.state import Json, Principal, RoleAssignment, State
from simulator.times import utc_z

TYPE = "Microsoft.Authorization/roleAssignments"
#: Before this api-version an assignment showed neither condition nor description (recorded).
_CONDITIONS_SINCE = "2020-03-01"


@dataclass(frozen=True)
class Wanted:
    """The properties of a PUT, checked for form."""

    role_definition_id: str
    principal_id: str
    principal_type: str | None
    description: str | None
    condition: str | None
    condition_version: str | None


_OPTIONAL = ("principalType", "description", "condition", "conditionVersion")


def read_wanted(body: Json) -> Wanted:
    """The properties of a request. Raises AzureError 400."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise errors.bad_request("The request body must have 'properties'.")
    role, principal = properties.get("roleDefinitionId"), properties.get("principalId")
    if not isinstance(role, str) or not isinstance(principal, str) or not is_guid(principal):
        raise errors.bad_request("'roleDefinitionId' and a GUID as 'principalId' are required.")
    return Wanted(
        role,
        principal.lower(),
        *(_text_or_none(properties, name) for name in _OPTIONAL),
    )


@dataclass(frozen=True)
class RoleAssignments:
    """All role assignments of the tenant."""

    state: State
    access: Access

    def put(self, scope: str, name: str, wanted: Wanted, caller: str) -> RoleAssignment:
        """Create, or change description and condition. `caller` is an object id.

        Raises AzureError; see `errors`.
        """
        if not is_guid(name):
            raise errors.invalid_name(name, "assignment")
        self._check(wanted)
        existing = self.access.assignment_named(name)
        if existing is not None:
            return self._update(existing, scope, wanted, caller)
        self._check_new(scope, wanted)
        made = self._new(scope, name, wanted, caller)
        self.state.role_assignments[made.id.lower()] = made
        return made

    def get(self, scope: str, name: str) -> RoleAssignment:
        """The one of this name at exactly this scope."""
        found = self.state.role_assignments.get(assignment_id(scope, name).lower())
        if found is None:
            raise errors.assignment_not_found(name)
        return found

    def delete(self, scope: str, name: str, caller: str) -> RoleAssignment | None:
        """Remove it; the right goes on working while the removal propagates."""
        key = assignment_id(scope, name).lower()
        found = self.state.role_assignments.get(key)
        if found is None:
            return None
        now = self.state.clock.now()
        del self.state.role_assignments[key]
        lag = self.state.behaviour.role_propagation_seconds
        kept = [
            each for each in self.state.revoked_assignments if (each.deleted_at or 0) + lag > now
        ]
        gone = replace(found, updated_at=now, updated_by=caller, deleted_at=now)
        if lag and found.effective_at <= now:
            kept.append(gone)
        self.state.revoked_assignments = kept
        return gone

    def list_at(self, scope: str, wanted: Filter) -> Iterator[RoleAssignment]:
        """At, above and below `scope`, as the filter narrows it."""
        for assignment in self._held_by(wanted):
            above = self.access.covers(assignment.scope, scope)
            if above or (not wanted.at_scope and self.access.covers(scope, assignment.scope)):
                yield assignment

    def _held_by(self, wanted: Filter) -> Iterable[RoleAssignment]:
        """Those of the principal that the filter names, or with its groups'; else all."""
        if wanted.principal_id:
            return self.access.assignments_of(wanted.principal_id)
        if wanted.assigned_to:
            holders = sorted(self.access.groups_of(wanted.assigned_to))
            return [each for holder in holders for each in self.access.assignments_of(holder)]
        return self.state.role_assignments.values()

    def _check(self, wanted: Wanted) -> None:
        role = self.state.role_definitions.get(role_guid(wanted.role_definition_id))
        lag = self.state.behaviour.role_definition_replication_seconds
        if role is None or self.state.clock.now() < (role.updated_at or -lag) + lag:
            raise errors.definition_not_found(role_guid(wanted.role_definition_id))
        if wanted.condition is None:
            return
        try:
            parse_condition(wanted.condition)
        except InvalidCondition:
            raise errors.invalid_condition() from None
        if wanted.condition_version != "2.0":
            raise errors.invalid_condition()

    def _update(
        self, existing: RoleAssignment, scope: str, wanted: Wanted, caller: str
    ) -> RoleAssignment:
        same_role = role_guid(existing.role_definition_id) == role_guid(wanted.role_definition_id)
        same_scope = existing.scope.lower() == scope.lower()
        if not same_role or not same_scope or existing.principal_id != wanted.principal_id:
            raise errors.update_not_permitted()
        updated = replace(
            existing,
            description=wanted.description,
            condition=wanted.condition,
            condition_version=wanted.condition_version,
            updated_at=self.state.clock.now(),
            updated_by=caller,
        )
        self.state.role_assignments[existing.id.lower()] = updated
        return updated

    def _check_new(self, scope: str, wanted: Wanted) -> None:
        for other in self.access.assignments_of(wanted.principal_id):
            same_role = role_guid(other.role_definition_id) == role_guid(wanted.role_definition_id)
            if same_role and other.scope.lower() == scope.lower():
                raise errors.exists(other.name)
        self._check_principal(wanted)
        subscription = subscription_of(scope)
        limit = self.state.behaviour.role_assignment_limit
        if subscription and self.access.count_in(subscription) >= limit:
            raise errors.limit_exceeded(limit)

    def _check_principal(self, wanted: Wanted) -> None:
        """With the type ServicePrincipal Azure does not ask the directory; else it must know."""
        principal = self._replicated(wanted.principal_id)
        given = wanted.principal_type
        if principal is None:
            if given != "ServicePrincipal":
                raise errors.principal_not_found(wanted.principal_id, self.state.tenant_id)
        elif given not in (None, principal.kind):
            raise errors.unmatched_principal_type(wanted.principal_id, principal.kind, given)

    def _replicated(self, principal_id: str) -> Principal | None:
        principal = self.state.principals.get(principal_id)
        if principal is None or principal.deleted_at is not None:
            return None
        lag = self.state.behaviour.principal_replication_seconds
        return principal if principal.created_at + lag <= self.state.clock.now() else None

    def _new(self, scope: str, name: str, wanted: Wanted, caller: str) -> RoleAssignment:
        now = self.state.clock.now()
        principal = self.state.principals.get(wanted.principal_id)
        kind = wanted.principal_type or (principal.kind if principal else "ServicePrincipal")
        return RoleAssignment(
            id=assignment_id(scope, name),
            name=name,
            scope=normalise(scope),
            role_definition_id=definition_id(scope, role_guid(wanted.role_definition_id)),
            principal_id=wanted.principal_id,
            principal_type=kind,
            description=wanted.description,
            condition=wanted.condition,
            condition_version=wanted.condition_version,
            created_at=now,
            created_by=caller,
            updated_at=now,
            updated_by=caller,
            effective_at=now + self.state.behaviour.role_propagation_seconds,
        )


def _text_or_none(properties: Json, name: str) -> str | None:
    value = properties.get(name)
    if value is not None and not isinstance(value, str):
        raise errors.bad_request(f"'{name}' must be a string.")
    return value


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID with dashes."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def assignment_id(scope: str, name: str) -> str:
    """The id of the assignment `name` at `scope`; the root scope adds nothing."""
    return f"{normalise(scope).rstrip('/')}/providers/{TYPE}/{name}"


def definition_id(scope: str, guid: str) -> str:
    """A role definition's id as an assignment at `scope` names it: in the subscription, if any.

    ARM answers so even where the request named the role without one.
    """
    subscription = subscription_of(scope)
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    return f"{prefix}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def show(assignment: RoleAssignment, api_version: str, *, written: bool = False) -> Json:
    """The assignment as this api-version answers it.

    `written`: the answer to a PUT, which shows no creator and its own time as the time of creation
    (recorded).
    """
    creator = None if written else assignment.created_by
    created = assignment.updated_at if written else assignment.created_at
    properties: Json = {
        "roleDefinitionId": assignment.role_definition_id,
        "principalId": assignment.principal_id,
        "principalType": assignment.principal_type,
        "scope": assignment.scope,
        "condition": assignment.condition,
        "conditionVersion": assignment.condition_version,
        "createdOn": utc_z(created),
        "updatedOn": utc_z(assignment.updated_at),
        "createdBy": creator,
        "updatedBy": assignment.updated_by,
        "delegatedManagedIdentityResourceId": None,
        "description": assignment.description,
    }
    if api_version < _CONDITIONS_SINCE:
        for late in ("condition", "conditionVersion", "description"):
            del properties[late]
        del properties["delegatedManagedIdentityResourceId"]
    return {
        "properties": properties,
        "id": assignment.id,
        "type": TYPE,
        "name": assignment.name,
    }
