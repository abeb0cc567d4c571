"""What is privileged and what is powerful, over all of Microsoft's built-in roles and custom ones,
at each kind of scope. The expectation is worked out another way: by every pattern as it is written.
"""

from fnmatch import fnmatchcase

import pytest

from lanyard.policy.powerful import power
from lanyard.policy.privileged import hands_out, privilege
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.permissions import Permission, RoleDefinition
from lanyard.values.roles import listed_role
from tests.support.built_in_roles import needs_roles, recorded_roles

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
WIDE = ("/", "/providers/Microsoft.Management/managementGroups/mg", SUBSCRIPTION)
NARROW = (
    GROUP,
    ACCOUNT,
    f"{ACCOUNT}/blobServices/default/containers/$web",
    VAULT,
    MACHINE,
    f"{GROUP}/providers/Microsoft.Web/sites/app/slots/staging",
    f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id",
    f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vn/subnets/s",
)
AUTHORIZATION = "microsoft.authorization"
RIGHTS = [
    f"{AUTHORIZATION}/{each}"
    for each in (
        "roleassignments/write",
        "roledefinitions/write",
        "roleassignmentschedulerequests/write",
        "roleeligibilityschedulerequests/write",
        "denyassignments/delete",
        "elevateaccess/action",
    )
]


def custom(*actions: str, but: tuple[str, ...] = (), data: tuple[str, ...] = ()) -> RoleDefinition:
    return RoleDefinition("custom", "Custom", (Permission(actions, but, data),))


CUSTOM = {
    "writes definitions": (custom("Microsoft.Authorization/roleDefinitions/write"), True, True),
    "schedules": (
        custom("Microsoft.Authorization/roleAssignmentScheduleRequests/write"),
        True,
        True,
    ),
    "makes eligible": (
        custom("Microsoft.Authorization/roleEligibilityScheduleRequests/*"),
        True,
        True,
    ),
    "elevates": (custom("microsoft.authorization/ELEVATEACCESS/action"), True, True),
    "lifts denials": (custom("Microsoft.Authorization/denyAssignments/delete"), True, True),
    "any write": (custom("*/write", but=("Microsoft.Authorization/*",)), True, False),
    "a clone of Contributor": (
        custom(
            "*",
            but=(
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/elevateAccess/Action",
            ),
        ),
        True,
        False,
    ),
    "everything of Microsoft's but four providers": (
        custom(
            "Microsoft.*",
            but=(
                "Microsoft.Authorization/*",
                "Microsoft.Compute/*",
                "Microsoft.KeyVault/*",
                "Microsoft.Web/*",
            ),
        ),
        True,
        False,
    ),
    "a wildcard within a word": (custom("Microsoft.Auth*/roleA*/write"), True, True),
    "all reads": (custom("*/read"), False, False),
    "everything but what changes": (
        custom("*", but=("*/write", "*/action", "*/delete")),
        False,
        False,
    ),
    "a taken-out right": (
        custom("Microsoft.Authorization/*", but=("Microsoft.Authorization/*",)),
        False,
        False,
    ),
    "writes of one type": (custom("*/virtualMachines/write"), False, False),
    "deletes assignments": (custom("Microsoft.Authorization/roleAssignments/delete"), False, False),
}


@pytest.mark.parametrize("name", CUSTOM)
def test_case_B08_a_custom_role_is_privileged_by_what_it_allows(name: str) -> None:
    role, wide, narrow = CUSTOM[name]
    assert {bool(privilege(role, scope)) for scope in WIDE} == {wide}
    assert {bool(privilege(role, scope)) for scope in NARROW} == {narrow}


def test_what_one_entry_takes_out_another_gives() -> None:
    right = "Microsoft.Authorization/roleAssignments/write"
    role = RoleDefinition("r", "R", (Permission(("*",), (right, "*")), Permission((right,))))
    assert privilege(role, GROUP) == right


def test_data_actions_hand_out_rights_within_a_cluster() -> None:
    role = custom(data=("*",))
    scopes = (SUBSCRIPTION, GROUP, CLUSTER, f"{CLUSTER}/namespaces/pay")
    assert all("rolebindings/write" in privilege(role, scope) for scope in scopes)
    assert privilege(role, ACCOUNT) == ""
    assert privilege(custom("Microsoft.ContainerService/managedClusters/*"), CLUSTER) == ""


@pytest.mark.parametrize(
    ("operation", "counts", "not_at"),
    [
        ("Microsoft.Storage/storageAccounts/listKeys/action", (GROUP, ACCOUNT), (VAULT, MACHINE)),
        (
            "Microsoft.Compute/virtualMachines/runCommand/action",
            (GROUP, MACHINE),
            (ACCOUNT, f"{MACHINE}/extensions/e"),
        ),
        ("Microsoft.KeyVault/vaults/accessPolicies/write", (SUBSCRIPTION, VAULT), (ACCOUNT,)),
        ("Microsoft.Foo/bars/listKeys/action", (GROUP,), (ACCOUNT,)),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            (GROUP, f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"),
            (VAULT,),
        ),
        ("Microsoft.Web/sites/*", (f"{GROUP}/providers/Microsoft.Web/sites/a",), (MACHINE,)),
        ("*/write", (GROUP,), (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v",)),
    ],
)
def test_a_power_counts_where_its_type_can_lie(
    operation: str, counts: tuple[str, ...], not_at: tuple[str, ...]
) -> None:
    assert all(power(custom(operation), scope) for scope in counts)
    assert not any(power(custom(operation), scope) for scope in not_at)


def test_signing_in_to_machines_is_a_power_and_reading_is_none() -> None:
    login = "Microsoft.Compute/virtualMachines/login/action"
    found = power(custom(data=(login,)), MACHINE)
    assert found is not None
    assert str(found) == f"can sign in to machines ({login})"
    assert power(custom(login), MACHINE) is None
    assert power(custom("*/read", data=("*/read",)), "/") is None


AKS = "Microsoft.ContainerService/managedClusters"


@pytest.mark.parametrize(
    "permission",
    [
        Permission(("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments/write",)),
        Permission(("Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/write",)),
        Permission(("Microsoft.Cache/redis/accessPolicyAssignments/write",)),
        Permission(("Microsoft.Kusto/clusters/principalAssignments/write",)),
        Permission(("Microsoft.Sql/servers/administrators/write",)),
        Permission(data_actions=(f"{AKS}/groups/impersonate/action",)),
        Permission(data_actions=(f"{AKS}/rbac.authorization.k8s.io/clusterroles/escalate/action",)),
        Permission(("Microsoft.Kubernetes/connectedClusters/*",)),
        Permission(("Microsoft.Compute/virtualMachineScaleSets/write",)),
    ],
    ids=lambda one: str((one.actions or one.data_actions)[0]),
)
def test_what_lets_its_holder_in_elsewhere_is_powerful(permission: Permission) -> None:
    assert power(RoleDefinition("r", "R", (permission,)), GROUP)


def test_everything_may_be_said_in_many_patterns() -> None:
    letters = tuple(f"Microsoft.{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz")
    but = ("Microsoft.Authorization/*",)
    assert privilege(custom(*letters, but=but), SUBSCRIPTION) == "Microsoft.a*"
    assert privilege(custom(*letters[1:], but=but), SUBSCRIPTION) == ""
    halves = tuple(Permission(some, but) for some in (letters[:13], letters[13:]))
    assert privilege(RoleDefinition("r", "R", halves), SUBSCRIPTION) == "Microsoft.a*"


def _literally(role: RoleDefinition, scope: str) -> bool:
    for permission in role.permissions:
        given, taken = (
            [pattern.lower() for pattern in patterns]
            for patterns in (permission.actions, permission.not_actions)
        )
        if scope in WIDE and {"*", "*/write"} & set(given):
            return True
        for right in RIGHTS:
            named = any(fnmatchcase(right, pattern) for pattern in given)
            if named and not any(fnmatchcase(right, pattern) for pattern in taken):
                return True
    return False


def _binds_in_clusters(role: RoleDefinition) -> bool:
    return "rbac.authorization.k8s.io" in hands_out(role, "/")


@needs_roles
@pytest.mark.parametrize("scope", [*WIDE, *NARROW])
def test_every_built_in_role_is_privileged_by_its_actions(scope: str) -> None:
    roles = recorded_roles()
    assert len(roles) == 636
    rest = [role for role in roles if not _binds_in_clusters(role)]
    assert len(rest) == 630
    found = {role.name: bool(privilege(role, scope)) for role in rest}
    assert found == {role.name: _literally(role, scope) for role in rest}


@needs_roles
@pytest.mark.parametrize("scope", [*WIDE, *NARROW, CLUSTER])
def test_a_listed_role_is_known_without_a_call_as_its_definition_has_it(scope: str) -> None:
    recorded = {role.id: role for role in recorded_roles()}
    listed_roles = [listed for guid in BUILT_IN_ROLES.values() if (listed := listed_role(guid))]
    assert len(listed_roles) > 70
    for listed in listed_roles:
        role = recorded[listed.id]
        assert privilege(listed, scope) == privilege(role, scope), role.name
        assert bool(power(listed, scope)) is bool(power(role, scope)), role.name


@needs_roles
def test_every_built_in_role_that_lists_keys_by_name_is_powerful() -> None:
    for role in recorded_roles():
        named = [
            action
            for permission in role.permissions
            for action in permission.actions
            if action.lower().endswith(("/listkeys/action", "/listcredentials/action"))
            and "*" not in action
        ]
        if named:
            assert power(role, "/"), role.name


@needs_roles
def test_no_reader_is_powerful() -> None:
    roles = {role.name: role for role in recorded_roles()}
    for name in ("Reader", "Storage Blob Data Reader", "Key Vault Secrets User", "AcrPull"):
        assert power(roles[name], "/") is None


@needs_roles
def test_every_built_in_role_that_is_privileged_is_known_to_be_without_a_call() -> None:
    """So `validate` warns of each."""
    for role in recorded_roles():
        assert not privilege(role, "/") or listed_role(role.id) is not None, role.name
