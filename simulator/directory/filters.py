"""The `$filter` expressions on users and service principals that are simulated, one clause each.

Names compare without regard to case, as in Graph. Source: Microsoft Graph v1.0, "Advanced query
capabilities", and what the Azure CLI sends.
"""

import re
from collections.abc import Callable, Mapping

from simulator.directory.errors import bad_request
from simulator.state import Principal
from simulator.tokens.jwt import user_principal_name

type Wanted = Callable[[Principal], bool]
type Clause = Callable[[Principal, str], bool]

_TEXT = r"'((?:[^']|'')*)'"


def service_principal_names(principal: Principal) -> list[str]:
    """By which tokens are asked for it: its application's id, and the addresses it is known by."""
    return [principal.client_id, *principal.addresses]


def _named(principal: Principal, name: str) -> bool:
    return principal.display_name.lower() == name


def _starts(principal: Principal, name: str) -> bool:
    return principal.display_name.lower().startswith(name)


def _is_client(principal: Principal, name: str) -> bool:
    return principal.client_id.lower() == name


def _has_name(principal: Principal, name: str) -> bool:
    return name in (each.lower() for each in service_principal_names(principal))


def _signs_in_as(principal: Principal, name: str) -> bool:
    return user_principal_name(principal).lower() == name


#: Clause → whether a principal fits the lower-case text in it.
_OF_SERVICE_PRINCIPALS: Mapping[str, Clause] = {
    rf"servicePrincipalNames/any\((\w+):\s*\1 eq {_TEXT}\)": _has_name,
    rf"appId eq {_TEXT}": _is_client,
    rf"displayName eq {_TEXT}": _named,
    rf"startswith\(displayName,\s*{_TEXT}\)": _starts,
}
_OF_USERS: Mapping[str, Clause] = {
    rf"userPrincipalName eq {_TEXT}": _signs_in_as,
    rf"displayName eq {_TEXT}": _named,
    rf"startswith\(displayName,\s*{_TEXT}\)": _starts,
}


def service_principal_filter(text: str | None) -> Wanted:
    """Which service principals `$filter` means; all without one. Raises AzureError."""
    return _all if text is None else _filter(text, _OF_SERVICE_PRINCIPALS)


def user_filter(text: str | None) -> Wanted:
    """Which users `$filter` means; all without one. Raises AzureError."""
    return _all if text is None else _filter(text, _OF_USERS)


def _all(_principal: Principal) -> bool:
    return True


def _filter(text: str, clauses: Mapping[str, Clause]) -> Wanted:
    for pattern, fits in clauses.items():
        if match := re.fullmatch(pattern, text.strip(), re.IGNORECASE):
            name = match[match.lastindex or 0].replace("''", "'").lower()
            return _fitting(fits, name)
    raise bad_request(f"The $filter '{text}' is not simulated.")


def _fitting(fits: Clause, name: str) -> Wanted:
    return lambda principal: fits(principal, name)
