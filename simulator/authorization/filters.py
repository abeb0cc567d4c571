"""The `$filter` of the role assignment and role definition lists."""

import re
from dataclasses import dataclass

from simulator.authorization import errors

_AT_SCOPE = re.compile(r"atScope\(\)", re.IGNORECASE)
_PRINCIPAL = re.compile(r"principalId\s+eq\s+'([^']*)'", re.IGNORECASE)
_ASSIGNED_TO = re.compile(r"assignedTo\('([^']*)'\)", re.IGNORECASE)
_ROLE_NAME = re.compile(r"roleName\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_ROLE_TYPE = re.compile(r"type\s+eq\s+'([^']*)'", re.IGNORECASE)
_AT_SCOPE_AND_BELOW = re.compile(r"atScopeAndBelow\(\)", re.IGNORECASE)


@dataclass(frozen=True)
class Filter:
    """Of role assignments. `at_scope`: only at or above. Ids are in lower case."""

    at_scope: bool = False
    principal_id: str | None = None
    assigned_to: str | None = None


@dataclass(frozen=True)
class DefinitionFilter:
    """Of role definitions; both in lower case."""

    role_name: str | None = None
    kind: str | None = None


def assignment_filter(text: str | None) -> Filter:
    """`atScope()`, `principalId eq '…'`, `assignedTo('…')`, `atScope() and assignedTo('…')`.

    Raises AzureError 400 for anything else, `atScope()` with `principalId` included.
    """
    result = Filter()
    for term in _terms(text):
        if _AT_SCOPE.fullmatch(term):
            result = Filter(True, result.principal_id, result.assigned_to)
        elif match := _PRINCIPAL.fullmatch(term):
            result = Filter(result.at_scope, match[1].lower(), result.assigned_to)
        elif match := _ASSIGNED_TO.fullmatch(term):
            result = Filter(result.at_scope, result.principal_id, match[1].lower())
        else:
            raise _unsupported(text)
    if result.principal_id and (result.at_scope or result.assigned_to):
        raise _unsupported(text)
    return result


def definition_filter(text: str | None) -> DefinitionFilter:
    """`roleName eq '…'`, `type eq '…'`, `atScope()`, `atScopeAndBelow()`, joined by `and`."""
    result = DefinitionFilter()
    for term in _terms(text):
        if match := _ROLE_NAME.fullmatch(term):
            result = DefinitionFilter(match[1].replace("''", "'").lower(), result.kind)
        elif match := _ROLE_TYPE.fullmatch(term):
            result = DefinitionFilter(result.role_name, match[1].lower())
        elif not (_AT_SCOPE.fullmatch(term) or _AT_SCOPE_AND_BELOW.fullmatch(term)):
            raise _unsupported(text)
    return result


def _terms(text: str | None) -> list[str]:
    if not text:
        return []
    return [term.strip() for term in re.split(r"\s+and\s+", text, flags=re.IGNORECASE)]


def _unsupported(text: str | None) -> Exception:
    return errors.bad_request(f"The filter '{text}' is not supported.")
