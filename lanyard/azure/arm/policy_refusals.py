"""What Azure Policy refuses (403 `RequestDisallowedByPolicy`), by the assignment that does.

The answer names it in `additionalInfo`, of type `PolicyViolation`; older answers in their message
alone, as JSON (azure-policy documentation, "Troubleshoot errors").
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError

from lanyard.azure.arm.answers import Json, member, part, text
from lanyard.azure.arm.failures import code_of
from lanyard.values.errors import Because, Refused

_CODE = "RequestDisallowedByPolicy"
#: It is tried again so much later (seconds): the assignment may be changed, or an exemption made.
_DELAY = 3600.0
_IDENTIFIERS = re.compile(r"Policy identifiers: '(.*)'", re.DOTALL)


def refused_by_policy(what: str, error: HttpResponseError) -> Refused | None:
    """The refusal, with the name of each assignment that it is by; None for another answer."""
    if code_of(error) != _CODE:
        return None
    names = ", ".join(dict.fromkeys(_assignments(_error(error)))) or "which it does not name"
    return Refused(
        Because.AZURE_POLICY,
        f"{what}: refused by Azure Policy: {names}",
        _DELAY,
        "give it what the policy asks for, with 'tags' in 'identities'; or have it exempted",
        releasable=False,
    )


def _error(error: HttpResponseError) -> Json:
    try:
        body = json.loads(error.response.text()) if error.response is not None else {}
    except (AttributeError, LookupError, RecursionError, ValueError):
        return {}
    if not isinstance(body, Mapping):
        return {}
    return part(body, "error") or body  # a service may leave the envelope out, as AKS does


def _assignments(error: Json) -> Iterator[str]:
    infos = member(error, "additionalInfo")
    for each in infos if isinstance(infos, list) else ():
        info = part(each, "info") if isinstance(each, Mapping) else {}
        if name := _shown(info, "policyAssignmentDisplayName", "policyAssignmentId"):
            yield name
    if not infos:
        yield from (_shown(one, "name", "id") for one in _in_message(text(error, "message")))


def _shown(found: Json, name: str, id_: str) -> str:
    """Its name for people, and its id."""
    both = [text(found, name), text(found, id_)]
    return " ".join(f"({one})" if one.startswith("/") else one for one in both if one)


def _in_message(message: str) -> Iterator[Json]:
    found = _IDENTIFIERS.search(message)
    try:
        listed: Any = json.loads(found[1]) if found else []
    except (RecursionError, ValueError):
        return
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping):
            yield part(each, "policyAssignment")
