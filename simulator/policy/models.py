"""Policy definitions and assignments at any scope. What a policy does is not simulated: whoever
tests one deploys its template as the identity of the assignment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.errors import AzureError, gateway_error
from simulator.resource_ids import normalise
from simulator.resources import read_properties
from simulator.state import Json, State

DEFINITIONS = "Microsoft.Authorization/policyDefinitions"
ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"


@dataclass
class Policies:
    """By the lower-case id. An assignment that asks for an identity has one of its own."""

    state: State
    found: dict[str, Json] = field(default_factory=dict)

    def put(self, id_: str, body: Json) -> Json:
        """Make it or change it; the identity of an assignment stays the same. Raises AzureError
        400.
        """
        id_ = normalise(id_)
        read_properties(body)
        if not isinstance(body.get("identity") or {}, dict):
            raise AzureError(400, "InvalidRequestContent", "The 'identity' must be an object.")
        shown = {**body, "id": id_, "name": id_.rpartition("/")[2], "type": _type_of(id_)}
        if str((body.get("identity") or {}).get("type")).lower() == "systemassigned":
            shown["identity"] = self._identity(id_)
        self.found[id_.lower()] = shown
        return shown

    def get(self, id_: str) -> Json:
        """Raises AzureError 404."""
        found = self.found.get(normalise(id_).lower())
        if found is None:
            code = f"{_type_of(id_).rpartition('/')[2].removesuffix('s')}NotFound"
            raise gateway_error(404, code[0].upper() + code[1:], f"'{id_}' is not found.")
        return found

    def delete(self, id_: str) -> bool:
        """Remove it, with its identity. Raises AzureError 400 for a definition that is assigned."""
        found = self.found.get(normalise(id_).lower())
        if found is None:
            return False
        if assigned := next(self._of(id_), ""):
            text = f"'{id_}' is referenced by '{assigned}'."
            raise gateway_error(400, "InvalidDeletePolicyDefinitionRequest", text)
        if principal := (found.get("identity") or {}).get("principalId"):
            self.state.delete_principal(principal)
        del self.found[normalise(id_).lower()]
        return True

    def _of(self, definition: str) -> Iterator[str]:
        """The assignments of a definition."""
        for each in self.found.values():
            of = str((each.get("properties") or {}).get("policyDefinitionId") or "")
            if of.lower() == normalise(definition).lower():
                yield each["id"]

    def _identity(self, id_: str) -> Json:
        before = self.found.get(id_.lower(), {}).get("identity")
        if before is not None:
            return dict(before)
        made = self.state.add_principal(id_.rpartition("/")[2])
        return {"type": "SystemAssigned", "principalId": made.object_id}


def _type_of(id_: str) -> str:
    return ASSIGNMENTS if f"/{ASSIGNMENTS}/".lower() in id_.lower() else DEFINITIONS
