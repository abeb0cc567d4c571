"""Microsoft.Authorization's errors (azure-facts section 3; texts recorded or quoted in issues)."""

from simulator.errors import AzureError


def principal_not_found(principal_id: str, tenant_id: str) -> AzureError:
    """400; the GUID without dashes and the two blanks before "See" are Azure's (recorded)."""
    return AzureError(
        400,
        "PrincipalNotFound",
        f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant_id}. "
        "Check that you have the correct principal ID. If you are creating this principal and then "
        "immediately assigning a role, this error might be related to a replication delay. In this "
        "case, set the role assignment principalType property to a value, such as "
        "ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
    )


def unmatched_principal_type(principal_id: str, actual: str, given: str) -> AzureError:
    """400, spelling as in Azure."""
    return AzureError(
        400,
        "UnmatchedPrincipalType",
        f"The PrincipalId '{principal_id.replace('-', '')}' has type '{actual}' , which is "
        f"different from specified PrinciaplType '{given}'.",
    )


def exists(conflicting_name: str) -> AzureError:
    """409 with the text of 2025, which names the other assignment."""
    return AzureError(
        409,
        "RoleAssignmentExists",
        "The role assignment already exists. The ID of the conflicting role assignment is "
        f"{conflicting_name.replace('-', '')}.",
    )


def update_not_permitted() -> AzureError:
    """400 for a name that stands for another principal, role or scope."""
    return AzureError(
        400,
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    )


def limit_exceeded(limit: int) -> AzureError:
    """400; the number is in Azure's text too."""
    return AzureError(
        400,
        "RoleAssignmentLimitExceeded",
        f"The role assignment limit for the subscription ({limit}) has been exceeded. No more role "
        "assignments can be created.",
    )


def assignment_not_found(name: str) -> AzureError:
    """404."""
    return AzureError(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")


def definition_not_found(name: str, *, status: int = 400) -> AzureError:
    """400 when assigned, 404 when read."""
    return AzureError(
        status,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{name.replace('-', '')}' does not exist.",
    )


def invalid_name(name: str, kind: str) -> AzureError:
    """400 for a name that is no GUID; `kind` is "assignment" or "definition"."""
    return AzureError(
        400,
        f"InvalidRole{kind.capitalize()}Id",
        f"The role {kind} ID '{name}' is not valid. The role {kind} ID must be a GUID.",
    )


def bad_request(message: str) -> AzureError:
    """400 for a body or a filter that does not hold what it must."""
    return AzureError(400, "BadRequestFormat", message)


def invalid_condition() -> AzureError:
    """400; the text is Azure's and says no more, even where the version is what is wrong."""
    return AzureError(400, "InvalidCondition", "The given role assignment condition is invalid.")


def built_in_role(name: str) -> AzureError:
    """403 for a change to a role that Microsoft made."""
    return AzureError(
        403,
        "BuiltInRoleCannotBeModified",
        f"The role definition '{name}' is built in and cannot be changed or deleted.",
    )


def role_in_use(name: str) -> AzureError:
    """400 for the deletion of a role that is still assigned."""
    return AzureError(
        400,
        "RoleDefinitionHasAssignments",
        f"There are existing role assignments referencing role (code: {name}).",
    )
