"""An estate in which Lanyard has the rights that its policy needs, or all of them but one."""

from collections.abc import Iterable

from lanyard.desk.rights import Rights, rights
from lanyard.desk.rights_by_group import rights_by_group
from lanyard.policy.load import parse_policy
from lanyard.values.resource_id import ResourceId
from simulator.azure import Azure
from simulator.behaviour import Behaviour
from simulator.state import RoleDefinition
from tests.support.estate import Estate

_OPERATOR = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


def needed(policy: str, removable: Iterable[str] = ()) -> Rights:
    """The rights of a policy's text."""
    return rights(parse_policy("lanyard.yaml", policy), removable)


def actions(needed: Rights) -> list[str]:
    """Every action that the rights hold, by whichever role."""
    by_identity = [_OPERATOR] if needed.operator_on else []
    at_groups = [action for role in needed.at_groups for action in role.actions]
    return sorted({*needed.actions, *needed.identity_actions, *by_identity, *at_groups})


def needed_by_group(policy: str, removable: Iterable[str] = ()) -> Rights:
    """Those at the groups that it names."""
    return rights_by_group(parse_policy("lanyard.yaml", policy), removable)


class BoundedEstate(Estate):
    """Where polling an operation needs its own action, and every write takes a while."""

    def __init__(self, policy: str, granted: Rights, without: str = "") -> None:
        self._granted, self._without = granted, without
        behaviour = Behaviour(operation_seconds=5, polls_need_rights=True)
        super().__init__(policy, Azure(seed=7, behaviour=behaviour))

    def _grant_rights(self) -> None:
        granted = self._granted
        self._assign(granted.actions, [self.scope], granted.condition)
        groups = [f"{self.scope}/resourceGroups/{name}" for name in granted.identity_groups]
        self._assign(granted.identity_actions, groups or [self.scope])
        for role in granted.at_groups:
            for group, condition in role.groups(self.subscription).items():
                self._assign(role.actions, [f"{self.scope}/resourceGroups/{group}"], condition)
        if self._without != _OPERATOR:
            for identity in granted.operator_on:
                self.be_operator(identity)

    def be_operator(self, identity: ResourceId) -> None:
        """Let Lanyard attach one identity."""
        self.azure.assign(self.app.object_id, "Managed Identity Operator", identity.text)

    def refused(self) -> list[str]:
        """Lanyard's calls that Azure refused for want of a right."""
        calls = self.azure.calls_of(self.app.object_id)
        return [f"{call.method} {call.path}" for call in calls if call.status == 403]

    def _assign(self, actions: Iterable[str], scopes: list[str], condition: str = "") -> None:
        state = self.azure.state
        kept = [action for action in actions if action != self._without]
        role = RoleDefinition(
            state.ids.uuid(), "Lanyard", "", "CustomRole", kept, [], [], [], [self.scope]
        )
        state.role_definitions[role.guid] = role
        for scope in scopes if kept else []:
            self.azure.assign(self.app.object_id, role.guid, scope, condition=condition or None)
