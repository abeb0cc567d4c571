"""What attaching and detaching identities does to a resource, the caller's rights and the
directory. Every resource type goes through here; the rules themselves are in simulator/identity.py.
"""

from dataclasses import dataclass, field, replace

from simulator.arm.messages import Caller
from simulator.authorization.access import Access
from simulator.errors import AzureError, gateway_error
from simulator.identity import (
    IdentityRules,
    WantedIdentity,
    kept_identity,
    wanted_identity,
    written_key,
)
from simulator.resource_ids import normalise
from simulator.state import Json, State

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"

#: How many identities one request may attach (issues of bicep and of aad-pod-identity).
_MOST_AT_ONCE = 150


#: The block of a resource without identity, of a service that shows that (recorded).
_NONE: Json = {
    "type": "None",
    "principalId": None,
    "tenantId": None,
    "userAssignedIdentities": None,
}


@dataclass(frozen=True)
class Attacher:
    """`write_action` is the RBAC action of the type's write, for the error's text."""

    state: State
    access: Access
    write_action: str
    rules: IdentityRules = field(default_factory=IdentityRules)

    def plan(
        self, resource_id: str, current: Json | None, body: Json, caller: Caller, *, merge: bool
    ) -> WantedIdentity:
        """What the request's `identity` wants, checked against rights and existing identities.

        Raises AzureError 400 or 403; nothing has changed then.
        """
        if "identity" not in body:
            return kept_identity(current)
        wanted = wanted_identity(
            current,
            body["identity"],
            merge=merge,
            rules=self._rules_now(),
            resource_type=self._resource_type,
        )
        self._check_rights(resource_id, wanted, caller)
        self._check_count(resource_id, current, wanted)
        for identity_id in wanted.user_assigned:
            if _resolved(identity_id) not in self.state.resources:
                raise _failed(resource_id, f"Resource '{identity_id}' was not found.")
        return wanted

    def accepted(
        self, resource_id: str, name: str, current: Json | None, wanted: WantedIdentity
    ) -> Json | None:
        """The block while the operation runs: what goes is gone, of what is new Compute shows
        `{}` and all others its ids (recorded).

        The system-assigned principal comes and goes at once.
        """
        current = current or {}
        block: Json = {"type": wanted.type}
        if wanted.system:
            principal = current.get("principalId") or self._system_principal(resource_id, name)
            block |= {"principalId": principal, "tenantId": self.state.tenant_id}
        elif current.get("principalId"):
            self.state.delete_principal(current["principalId"])
        carried = current.get("userAssignedIdentities") or {}
        known = {each.lower(): value for each, value in carried.items()}
        if wanted.user_assigned:
            block["userAssignedIdentities"] = {
                written_key(each, self.rules): known.get(each.lower(), {})
                for each in wanted.user_assigned
            }
            if self.rules.shows_tenant:
                block["tenantId"] = self.state.tenant_id
        if block["type"] == "None":
            return dict(_NONE) if self.rules.shows_none and (wanted.asked or current) else None
        return block if self.rules.ids_later else self.completed(block)

    def completed(self, block: Json | None) -> Json | None:
        """The block once the operation has ended: every `{}` filled with its principal."""
        if not block or not block.get("userAssignedIdentities"):
            return block
        filled = {
            each: value or self._ids_of(each)
            for each, value in block["userAssignedIdentities"].items()
        }
        return {**block, "userAssignedIdentities": filled}

    @property
    def _resource_type(self) -> str:
        return self.write_action.removesuffix("/write")

    def _rules_now(self) -> IdentityRules:
        replaces = self._resource_type.lower() in self.state.behaviour.identity_patch_replaces
        return replace(self.rules, merges=self.rules.merges and not replaces)

    def _check_count(self, resource_id: str, current: Json | None, wanted: WantedIdentity) -> None:
        carried = {each.lower() for each in kept_identity(current).user_assigned}
        added = sum(each.lower() not in carried for each in wanted.user_assigned)
        if added > _MOST_AT_ONCE:
            raise _failed(
                resource_id,
                f"User Assigned Identities Number '{added}' Assign exceed limit "
                f"'{_MOST_AT_ONCE}' in one request.",
            )

    def _ids_of(self, identity_id: str) -> Json:
        """Its principal and client id; those it had, where it was deleted while it was attached."""
        identity = self.state.resources.get(_resolved(identity_id))
        if identity is None:
            return self._last_ids_of(identity_id)
        ids = identity.properties
        return {"principalId": ids["principalId"], "clientId": ids["clientId"]}

    def _last_ids_of(self, identity_id: str) -> Json:
        for principal in reversed(self.state.principals.values()):
            if any(name.lower() == identity_id.lower() for name in principal.alternative_names):
                return {"principalId": principal.object_id, "clientId": principal.client_id}
        return {}

    def _system_principal(self, resource_id: str, name: str) -> str:
        principal = self.state.add_principal(name, names=["isExplicit=False", resource_id])
        return principal.object_id

    def _check_rights(self, resource_id: str, wanted: WantedIdentity, caller: Caller) -> None:
        refused = [
            each for each in wanted.named if not self.access.allowed(caller.object_id, ASSIGN, each)
        ]
        if refused:
            raise self._linked_authorization_failed(resource_id, refused, caller)

    def _linked_authorization_failed(
        self, resource_id: str, refused: list[str], caller: Caller
    ) -> AzureError:
        return gateway_error(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{caller.client_id}' with object id '{caller.object_id}' has permission "
            f"to perform action '{self.write_action}' on scope '{resource_id}'; however, it does "
            f"not have permission to perform action(s) '{ASSIGN}' on the linked scope(s) "
            f"'{','.join(refused)}' (respectively) or the linked scope(s) are invalid.",
        )


def _resolved(identity_id: str) -> str:
    """Where a key leads: a doubled slash is seen in templates' output, and works (I)."""
    return normalise(identity_id).lower()


def _failed(resource_id: str, reason: str) -> AzureError:
    inner = f'{{"error":{{"code":"BadRequest","message":"{reason}"}}}}'
    return AzureError(
        400,
        "FailedIdentityOperation",
        f"Identity operation for resource '{resource_id}' failed with error 'Failed to perform "
        f"resource identity operation. Status: 'BadRequest'. Response: '{inner}'.'.",
    )
