"""Every difference that passes, each with its reason; and what is not replayed.

All of them are about what no client steers by. States, identities, ids, types, locations, tags,
statuses and links are never among them.
"""

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
        "version",
        "latestRevisionName",
        "latestReadyRevisionName",
        "lastModifiedTimeUtc",
        "hostNames",
        "defaultHostName",
        "servicePrincipalNames",
    }
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
        lambda _e, d: _is_null(d) or (_free(d) and d.theirs in _EMPTY and d.ours in _EMPTY),
    ),
    Reason(
        "a member that a service fills by itself, which no request set",
        lambda e, d: _free(d) and d.ours in (None, "0 rows") and not _sent(e, d),
    ),
    Reason(
        "a member that a service takes and does not show",
        lambda e, d: _free(d) and d.theirs is None and _sent(e, d),
    ),
    Reason(
        "a value that a service sets in the place of an empty one",
        lambda _e, d: _free(d) and (d.ours in (*_EMPTY, 0)),
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
        "App Service answers a PUT with the configuration of before",
        lambda e, d: e.method == "PUT" and d.where.startswith("body properties.siteConfig."),
    ),
    Reason(
        "Microsoft has worded it anew since",
        lambda e, d: (
            _last(d) in ("description", "message")
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
    return _last(difference) in set(_names(exchange.sent))


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)
