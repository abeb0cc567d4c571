"""Every difference that passes, each with its reason; and what is not replayed.

All of them are about what no client steers by. States, identities, ids, types, locations, tags,
statuses and links are never among them.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.conformance.compare import Difference
from tests.support.conformance.recordings import Exchange

_EMPTY: tuple[object, ...] = (None, "null", "", [], {}, False)
#: Members that steer a client: equal, or the exchange is different.
_STEERING = re.compile(
    r"^body (value\[\] ?\.?)?(id|name|type|kind|location|identity|tags|status|error|nextLink"
    r"|properties\.(provisioningState|principalId|principalType|clientId|tenantId|scope"
    r"|roleDefinitionId|condition|conditionVersion|level|topic|source|topicType"
    r"|keyVaultReferenceIdentity|identityProfile|endpointUrl))(\.|\[|$)"
)
#: What a service makes up by a rule of its own: names of hosts, revisions, versions.
_MADE_UP = frozenset(
    {
        "primaryEndpoints",
        "accountEndpoint",
        "ConnectionString",
        "InstrumentationKey",
        "fqdn",
        "endpoint",
        "version",
        "latestRevisionName",
        "latestReadyRevisionName",
        "lastModifiedTimeUtc",
        "hostNames",
        "defaultHostName",
        "servicePrincipalNames",
    }
)
_ACCESS = re.compile(
    r"principalId|objectId|/userAssignedIdentities/|/role(Assignments|Definitions)/", re.IGNORECASE
)
_SCRUBBED = ("neutral", "user@example.com", "192.0.2.1")


@dataclass(frozen=True)
class Reason:
    """Why a difference passes."""

    text: str
    fits: Callable[[Exchange, Difference], bool]


def _last(difference: Difference) -> str:
    return re.split(r"[ .]", difference.where)[-1].removesuffix("[]")


def _is_cli(exchange: Exchange) -> bool:
    return exchange.source.startswith("Azure/azure-cli")


def _extra_quota(difference: Difference, part: str) -> bool:
    return (
        difference.where.startswith("quota") and part in difference.where and not difference.theirs
    )


def _free(difference: Difference) -> bool:
    return difference.where.startswith("body ") and not _STEERING.match(difference.where)


def _is_null(difference: Difference) -> bool:
    """To every client null is as absent."""
    null = (None, "null")
    member = difference.where.startswith("body ")
    return member and difference.theirs in null and difference.ours in null


def _scrubbed(theirs: Any) -> bool:
    texts = theirs if isinstance(theirs, list) else [theirs]
    return any(isinstance(t, str) and any(word in t for word in _SCRUBBED) for t in texts)


def _spelling(value: Any) -> str:
    return re.sub(r"\.0(?=\D|$)", "", str(value)).lower()


REASONS = (
    Reason(
        "azure-cli's test kit strips `…-subscription-reads` and `retry-after` from what it records",
        lambda e, d: (
            _is_cli(e)
            and (
                _extra_quota(d, "-subscription-reads")
                or (d.where == "header retry-after" and d.theirs is None)
            )
        ),
    ),
    Reason(
        "quota headers `…-global-…` are sent since 2024: older recordings have none",
        lambda _e, d: _extra_quota(d, "-global-"),
    ),
    Reason(
        "azure-service-operator's recorder keeps the last quota header alone",
        lambda e, d: not _is_cli(e) and _extra_quota(d, "-subscription-"),
    ),
    Reason(
        "a member that is empty is written out by one, left out by the other",
        lambda _e, d: _is_null(d) or (_free(d) and _is_left_out_empty(d)),
    ),
    Reason(
        "a member that a service fills by itself, which no request set",
        lambda e, d: (
            _free(d)
            and _is_not_filled(e, d)
            and not (d.shown_before or _sent(e, d) or _means_access(d.theirs))
        ),
    ),
    Reason(
        "a member that a service takes and does not show",
        lambda e, d: _free(d) and d.theirs is None and _sent(e, d),
    ),
    Reason(
        "a value that a service sets in the place of an empty one",
        lambda e, d: _free(d) and d.ours in (*_EMPTY, 0) and _sent_empty(e, d),
    ),
    Reason(
        "hosts, revisions and versions are named here by another rule",
        lambda _e, d: _free(d) and bool(_MADE_UP & set(re.split(r"[ .\[\]]+", d.where))),
    ),
    Reason(
        "who prepared the recording put other words in the place of names and addresses",
        lambda _e, d: d.where.startswith("body ") and _scrubbed(d.theirs),
    ),
    Reason(
        "a value of an enumeration or a size is spelled anew",
        lambda _e, d: _free(d) and _spelling(d.theirs) == _spelling(d.ours),
    ),
    Reason(
        "until 2022 Compute's buckets were of 3 and of 30 minutes",
        lambda e, d: (
            d.where.startswith("quota Microsoft.Compute/")
            and "30Min;" in e.answer_headers.get("x-ms-ratelimit-remaining-resource", "")
        ),
    ),
    Reason(
        "until 2020 the writes of Azure Monitor were counted as those of all services",
        lambda e, d: (
            d.where.startswith("quota x-ms-ratelimit-remaining-subscription-")
            and "/providers/microsoft.insights/" in e.path.lower()
            and re.search(r" 20(1\d|20) ", e.answer_headers.get("date", "")) is not None
        ),
    ),
    Reason(
        "App Service answers a PUT with the configuration of before",
        lambda e, d: e.method == "PUT" and d.where.startswith("body properties.siteConfig."),
    ),
    Reason(
        "Microsoft has worded it, or a built-in role, anew since",
        lambda e, d: (
            _last(d) in ("description", "message", "actions", "notActions")
            and ("roleDefinitions" in e.uri or "already exists." in str(d.theirs))
        ),
    ),
)

#: Paths whose exchanges are not claimed: nothing of them is simulated.
NOT_CLAIMED: dict[str, str] = {
    r"/providers/[^/]+/operations$": "the catalogue of a provider's operations",
    r"/revokeTokens$": "tokens of the simulator are not revoked",
    r"/components/[^/]+/ApiKeys": "keys of Application Insights",
    r"/providers/Microsoft\.App$": "which other types and places a provider has",
}


def not_claimed(exchange: Exchange) -> str | None:
    """Why an exchange is not replayed, None where it is."""
    found = (why for path, why in NOT_CLAIMED.items() if re.search(path, exchange.path))
    return next(found, None)


def reason_of(exchange: Exchange, difference: Difference) -> Reason | None:
    """Why a difference passes, None where it does not."""
    return next((each for each in REASONS if each.fits(exchange, difference)), None)


def _sent(exchange: Exchange, difference: Difference) -> bool:
    return _last(difference) in {name for name, _ in _members(exchange.sent)}


def _is_not_filled(exchange: Exchange, difference: Difference) -> bool:
    """Left out here, or a list within it that stays empty; Graph writes out what it lacks."""
    if exchange.host == "graph.microsoft.com":
        return difference.ours in (None, "null", "0 rows") and difference.where != "body value[]"
    return difference.ours is None or (
        difference.ours == "0 rows" and difference.where != "body value[]"
    )


def _sent_empty(exchange: Exchange, difference: Difference) -> bool:
    sent = [value for name, value in _members(exchange.sent) if name == _last(difference)]
    return difference.ours not in (None, "0 rows") and any(each in _EMPTY for each in sent)


def _is_left_out_empty(difference: Difference) -> bool:
    """Nothing on the one side, on the other something that says no more than that."""
    pair = (difference.theirs, difference.ours)
    return any(each in (None, "null") for each in pair) and all(each in _EMPTY for each in pair)


def _means_access(value: Any) -> bool:
    """Whether it names an identity, a principal or an assignment, at any depth."""
    return bool(_ACCESS.search(json.dumps(value)))


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        for each in value.values():
            yield from _members(each)
    elif isinstance(value, list):
        for each in value:
            yield from _members(each)
