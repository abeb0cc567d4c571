"""The condition under which the app assigns and removes roles: which, and to whom. Pure."""

from collections.abc import Iterable

#: Azure refuses a longer condition (Azure ABAC, limits).
MAX_CONDITION = 8 * 1024

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ASSIGN, REMOVE = f"{ASSIGNMENTS}/write", f"{ASSIGNMENTS}/delete"
#: To which kind of principal.
ASSIGNEE = "ServicePrincipal"


def delegation(assignable: Iterable[str], removable: Iterable[str]) -> str:
    """The condition (version 2.0) that lets roles (GUIDs) be assigned, and assignments of roles
    removed; "" where it is to let nothing through that needs one.

    A clause for each verb: without the second it could remove any assignment, without the first
    make any. Every other action passes.
    """
    assigned, removed = sorted(assignable), sorted(removable)
    clauses = [
        _clause("write", "Request", assigned) if assigned else "",
        _clause("delete", "Resource", removed) if removed else "",
    ]
    return " AND ".join(filter(None, clauses))


def _clause(verb: str, source: str, roles: Iterable[str]) -> str:
    return (
        f"((!(ActionMatches{{'{ASSIGNMENTS}/{verb}'}})) OR "
        f"(@{source}[{ASSIGNMENTS}:RoleDefinitionId] "
        f"ForAnyOfAnyValues:GuidEquals {{{', '.join(roles)}}} AND "
        f"@{source}[{ASSIGNMENTS}:PrincipalType] "
        f"ForAnyOfAnyValues:StringEqualsIgnoreCase {{'{ASSIGNEE}'}}))"
    )
