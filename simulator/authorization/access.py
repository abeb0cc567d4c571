"""The decision: may this principal do this here? Role assignments, wildcards, conditions, lag."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from simulator.authorization.conditions import Facts, parse_condition
from simulator.authorization.wildcards import matches
from simulator.resource_ids import is_within, management_group_of, subscription_of
from simulator.state import RoleAssignment, RoleDefinition, State

_NOTHING: Mapping[str, str] = {}
_NONE: Mapping[str, RoleAssignment] = {}


class Access:
    """Asked by every service. Assignments are looked up by principal, so ten thousand are fine."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._by_principal: defaultdict[str, dict[str, RoleAssignment]] = defaultdict(dict)
        self._by_name: dict[str, RoleAssignment] = {}
        self._in_subscription: Counter[str | None] = Counter()
        state.role_assignments.observe(self._index)

    def allowed(
        self,
        principal_id: str,
        action: str,
        scope: str,
        *,
        data: bool = False,
        request: Mapping[str, str] | None = None,
        resource: Mapping[str, str] | None = None,
        unconditional: bool = False,
    ) -> bool:
        """Whether `principal_id` may do `action` (a data action when `data`) at `scope`.

        `request` and `resource` are the attributes that conditions see, by their full names, such
        as "Microsoft.Authorization/roleAssignments:PrincipalType"; an attribute not given satisfies
        no condition. `unconditional` leaves conditions out.
        """
        sources = {"request": request or _NOTHING, "resource": resource or _NOTHING}
        facts = Facts(action, sources)
        return any(
            self.covers(assignment.scope, scope)
            and self._permits(assignment, action, data)
            and (unconditional or _condition_holds(assignment, facts))
            for assignment in self._effective(principal_id)
        )

    def scopes_allowing(self, principal_id: str, action: str) -> list[str]:
        """Where the principal may do a management action: at these scopes and below.

        For long lists: asked once, where `allowed` would be asked for each row.
        """
        facts = Facts(action, {"request": _NOTHING, "resource": _NOTHING})
        return [
            assignment.scope
            for assignment in self._effective(principal_id)
            if self._permits(assignment, action, data=False) and _condition_holds(assignment, facts)
        ]

    def sees(self, principal_id: str, scope: str) -> bool:
        """Whether any role is assigned to the principal at, above or below `scope`."""
        return any(
            self.covers(assignment.scope, scope) or self.covers(scope, assignment.scope)
            for assignment in self._effective(principal_id)
        )

    def covers(self, outer: str, scope: str) -> bool:
        """Whether `outer` is `scope` or above it, management groups included."""
        if is_within(scope, outer):
            return True
        group, subscription = management_group_of(outer), subscription_of(scope)
        holder = self._state.subscriptions.get(subscription or "")
        if group is None or holder is None:
            return False
        return group in (name.lower() for name in holder.management_groups)

    def groups_of(self, principal_id: str) -> set[str]:
        """The principal and every group it is in, through other groups too; no deleted ones."""
        found, unseen = {principal_id}, [principal_id]
        while unseen:
            member = unseen.pop()
            for group, members in self._state.group_members.items():
                if member in members and group not in found and not self._deleted(group):
                    found.add(group)
                    unseen.append(group)
        return found

    def assignments_of(self, principal_id: str) -> list[RoleAssignment]:
        """Those made to the principal itself, at any scope."""
        return list(self._by_principal.get(principal_id, _NONE).values())

    def assignment_named(self, name: str) -> RoleAssignment | None:
        """The one of this name anywhere: names are unique in the whole tenant."""
        return self._by_name.get(name.lower())

    def count_in(self, subscription: str) -> int:
        """Assignments at or below a subscription (its id in lower case)."""
        return self._in_subscription[subscription]

    def definition(self, assignment: RoleAssignment) -> RoleDefinition | None:
        """The role that was assigned."""
        return self._state.role_definitions.get(role_guid(assignment.role_definition_id))

    def _effective(self, principal_id: str) -> Iterator[RoleAssignment]:
        now = self._state.clock.now()
        principals = self.groups_of(principal_id)
        for principal in principals:
            for assignment in self._by_principal.get(principal, _NONE).values():
                if assignment.effective_at <= now:
                    yield assignment
        lag = self._state.behaviour.role_propagation_seconds
        for assignment in self._state.revoked_assignments:
            if assignment.principal_id in principals and (assignment.deleted_at or 0) + lag > now:
                yield assignment

    def _deleted(self, principal_id: str) -> bool:
        principal = self._state.principals.get(principal_id)
        return principal is not None and principal.deleted_at is not None

    def _permits(self, assignment: RoleAssignment, action: str, data: bool) -> bool:
        role = self.definition(assignment)
        if role is None:
            return False
        given = role.data_actions if data else role.actions
        taken = role.not_data_actions if data else role.not_actions
        return _any_matches(given, action) and not _any_matches(taken, action)

    def _index(self, key: str, before: RoleAssignment | None, after: RoleAssignment | None) -> None:
        if before is not None:
            self._by_principal[before.principal_id].pop(key, None)
            self._by_name.pop(before.name.lower(), None)
            self._in_subscription[subscription_of(before.scope)] -= 1
        if after is not None:
            self._by_principal[after.principal_id][key] = after
            self._by_name[after.name.lower()] = after
            self._in_subscription[subscription_of(after.scope)] += 1


def role_guid(role_definition_id: str) -> str:
    """The lower-case GUID at the end of a role definition's id."""
    return role_definition_id.rstrip("/").rsplit("/", 1)[-1].lower()


def _any_matches(patterns: list[str], action: str) -> bool:
    return any(matches(pattern, action) for pattern in patterns)


def _condition_holds(assignment: RoleAssignment, facts: Facts) -> bool:
    return assignment.condition is None or parse_condition(assignment.condition)(facts)
