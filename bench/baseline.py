"""The baseline: what a careful tutorial would do, with the synchronous SDK, one event at a time.

Read the machine, attach the identity where it is missing, list the role assignments, assign the
role where it is missing. On a delete: list what the machine's principal has and remove it, unless
another machine that it knows of has the same identity.
"""

import uuid
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import (
    UserAssignedIdentitiesValue,
    VirtualMachine,
    VirtualMachineIdentity,
    VirtualMachineUpdate,
)

#: Seconds. The SDK's own default is 30 where ARM does not say.
POLLING_INTERVAL = 1


class Baseline:
    """One subscription, one shared identity, one role at each machine's resource group.

    `identity` is its resource id, `principal` its object id, `role` a GUID; `options` are keyword
    arguments of both clients.
    """

    def __init__(
        self, subscription: str, identity: str, principal: str, role: str, **options: Any
    ) -> None:
        self._identity = identity
        self._principal = principal
        roles = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions"
        self._role = f"{roles}/{role}"
        self._compute = ComputeManagementClient(
            subscription_id=subscription, polling_interval=POLLING_INTERVAL, **options
        )
        self._roles = AuthorizationManagementClient(
            subscription_id=subscription, polling_interval=POLLING_INTERVAL, **options
        ).role_assignments
        self._served: set[str] = set()

    def handle(self, event: dict[str, Any]) -> None:
        """One event of Event Grid's own schema. Raises whatever the SDK raises."""
        machine = str(event["subject"])
        if event["eventType"].endswith("DeleteSuccess"):
            self._deleted(machine)
        else:
            self._written(machine)

    def _written(self, machine: str) -> None:
        group, name = _group_and_name(machine)
        found = self._compute.virtual_machines.get(group, name)
        if not self._has_identity(found):
            self._attach(group, name)
        self._assign(machine.rpartition("/providers/")[0])
        self._served.add(machine.lower())

    def _has_identity(self, machine: VirtualMachine) -> bool:
        identity = machine.identity
        attached = (identity and identity.user_assigned_identities) or {}
        return self._identity.lower() in {key.lower() for key in attached}

    def _attach(self, group: str, name: str) -> None:
        identity = VirtualMachineIdentity(
            type="UserAssigned",
            user_assigned_identities={self._identity: UserAssignedIdentitiesValue()},
        )
        update = VirtualMachineUpdate(identity=identity)
        self._compute.virtual_machines.begin_update(group, name, update).result()

    def _assign(self, scope: str) -> None:
        if any(self._held_at(scope)):
            return
        parameters = RoleAssignmentCreateParameters(
            role_definition_id=self._role,
            principal_id=self._principal,
            principal_type="ServicePrincipal",
        )
        # Another thread of the same app may have been quicker: 409 RoleAssignmentExists.
        with suppress(ResourceExistsError):
            self._roles.create(scope, str(uuid.uuid4()), parameters)

    def _held_at(self, scope: str) -> list[str]:
        """The assignments of the role to the principal at exactly this scope."""
        listed = self._roles.list_for_scope(scope, filter=f"principalId eq '{self._principal}'")
        return [
            str(each.id)
            for each in listed
            if str(each.scope).lower() == scope.lower()
            and str(each.role_definition_id).lower() == self._role.lower()
        ]

    def _deleted(self, machine: str) -> None:
        group, name = _group_and_name(machine)
        try:
            self._compute.virtual_machines.get(group, name)
        except ResourceNotFoundError:
            self._served.discard(machine.lower())
            self._clean_up(machine.rpartition("/providers/")[0])

    def _clean_up(self, scope: str) -> None:
        held = self._held_at(scope)
        if any(machine.startswith(scope.lower()) for machine in self._served):
            return
        for assignment in held:
            self._roles.delete_by_id(assignment.lstrip("/"))


def _group_and_name(machine: str) -> tuple[str, str]:
    parts = machine.split("/")
    return parts[4], parts[-1]
