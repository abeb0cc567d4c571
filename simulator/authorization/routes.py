"""HTTP face of Microsoft.Authorization: assignments and definitions, at any scope."""

from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Attributes, Operation
from simulator.arm.paging import page
from simulator.authorization import assignments, definitions, errors
from simulator.authorization.access import role_guid
from simulator.authorization.assignments import RoleAssignments, is_guid, read_wanted
from simulator.authorization.definitions import RoleDefinitions
from simulator.authorization.filters import assignment_filter, definition_filter
from simulator.resource_ids import normalise
from simulator.resources import require_scope
from simulator.state import RoleAssignment

VERSIONS = (
    *("2015-06-01", "2015-07-01", "2018-01-01-preview", "2018-07-01", "2018-09-01-preview"),
    *("2020-03-01-preview", "2020-04-01-preview", "2020-08-01-preview", "2020-10-01-preview"),
    *("2021-04-01-preview", "2022-01-01-preview", "2022-04-01", "2022-05-01-preview"),
)
_SCOPED = "/{scope:path}/providers/"
_ASSIGNMENT = f"{_SCOPED}{assignments.TYPE}/{{name}}"
_DEFINITION = f"{_SCOPED}{definitions.TYPE}/{{name}}"
_SCOPE = "/{scope:path}"
_ATTRIBUTE = f"{assignments.TYPE}:"


@dataclass(frozen=True)
class _Assignments:
    roles: RoleAssignments

    def put(self, request: ArmRequest) -> ArmResponse:
        scope = normalise(request.params["scope"])
        require_scope(self.roles.state, scope)
        wanted = read_wanted(request.json())
        name, caller = request.params["name"], request.caller.object_id
        made = self.roles.put(scope, name, wanted, caller)
        # 201 for an update too, as recorded.
        body = assignments.show(made, request.api_version, written=True)
        return ArmResponse(201, body, resource_id=made.id)

    def get(self, request: ArmRequest) -> ArmResponse:
        found = self.roles.get(request.params["scope"], request.params["name"])
        return ArmResponse(200, assignments.show(found, request.api_version))

    def delete(self, request: ArmRequest) -> ArmResponse:
        caller = request.caller.object_id
        gone = self.roles.delete(request.params["scope"], request.params["name"], caller)
        if gone is None:
            return ArmResponse(204)
        body = assignments.show(gone, request.api_version)
        return ArmResponse(200, body, resource_id=gone.id)

    def list(self, request: ArmRequest) -> ArmResponse:
        wanted = assignment_filter(request.query.get("$filter"))
        found = self.roles.list_at(normalise(request.params["scope"]), wanted)
        rows = [assignments.show(each, request.api_version) for each in found]
        return page(request, rows, self.roles.state.behaviour.page_size)

    def attributes(self, request: ArmRequest) -> Attributes:
        """What a condition on the caller's own role may look at."""
        key = assignments.assignment_id(request.params["scope"], request.params["name"]).lower()
        existing = self.roles.state.role_assignments.get(key)
        resource = _attributes_of(existing) if existing else {}
        if request.method == "DELETE":
            return Attributes({}, resource, known=existing is not None)
        return Attributes(self._asked_for(request), resource)

    def _asked_for(self, request: ArmRequest) -> dict[str, str]:
        wanted = read_wanted(request.json())
        principal = self.roles.state.principals.get(wanted.principal_id)
        kind = wanted.principal_type or (principal.kind if principal else "")
        return _attributes(wanted.role_definition_id, wanted.principal_id, kind)


@dataclass(frozen=True)
class _Definitions:
    roles: RoleDefinitions

    def put(self, request: ArmRequest) -> ArmResponse:
        if not is_guid(request.params["name"]):
            raise errors.invalid_name(request.params["name"], "definition")
        name, caller = request.params["name"], request.caller.object_id
        role = self.roles.put(name, request.json(), caller)
        return ArmResponse(201, definitions.show(role, request.params["scope"], written=True))

    def get(self, request: ArmRequest) -> ArmResponse:
        role = self.roles.get(request.params["name"])
        return ArmResponse(200, definitions.show(role, request.params["scope"]))

    def delete(self, request: ArmRequest) -> ArmResponse:
        role = self.roles.delete(request.params["name"])
        if role is None:
            return ArmResponse(204)
        return ArmResponse(200, definitions.show(role, request.params["scope"]))

    def list(self, request: ArmRequest) -> ArmResponse:
        scope = normalise(request.params["scope"])
        found = self.roles.list_at(scope, definition_filter(request.query.get("$filter")))
        return ArmResponse(200, {"value": [definitions.show(each, scope) for each in found]})


def operations(
    role_assignments: RoleAssignments, role_definitions: RoleDefinitions
) -> list[Operation]:
    """All operations of Microsoft.Authorization."""
    assigned, defined = _Assignments(role_assignments), _Definitions(role_definitions)
    kind, seen = assignments.TYPE, assigned.attributes
    read, write, delete = f"{kind}/read", f"{kind}/write", f"{kind}/delete"
    role = definitions.TYPE
    return [
        Operation("PUT", _ASSIGNMENT, assigned.put, write, versions=VERSIONS, attributes=seen),
        Operation("GET", _ASSIGNMENT, assigned.get, read, versions=VERSIONS),
        Operation("DELETE", _ASSIGNMENT, assigned.delete, delete, None, VERSIONS, seen),
        Operation("GET", f"{_SCOPED}{kind}", assigned.list, read, _SCOPE, VERSIONS),
        Operation("PUT", _DEFINITION, defined.put, f"{role}/write", versions=VERSIONS),
        Operation("GET", _DEFINITION, defined.get, f"{role}/read", versions=VERSIONS),
        Operation("DELETE", _DEFINITION, defined.delete, f"{role}/delete", versions=VERSIONS),
        Operation("GET", f"{_SCOPED}{role}", defined.list, f"{role}/read", _SCOPE, VERSIONS),
    ]


def _attributes_of(assignment: RoleAssignment) -> dict[str, str]:
    return _attributes(
        assignment.role_definition_id, assignment.principal_id, assignment.principal_type
    )


def _attributes(role_definition_id: str, principal_id: str, principal_type: str) -> dict[str, str]:
    return {
        f"{_ATTRIBUTE}RoleDefinitionId": role_guid(role_definition_id),
        f"{_ATTRIBUTE}PrincipalId": principal_id,
        f"{_ATTRIBUTE}PrincipalType": principal_type,
    }
