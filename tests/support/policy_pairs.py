"""Pairs of policies by chance, for an estate that the simulator seeds."""

import json
import random
from typing import Any

TYPES = ("Microsoft.Compute/virtualMachines", "Microsoft.Web/sites")
_ROLES = (
    "Storage Blob Data Reader",
    "Key Vault Secrets User",
    "Monitoring Metrics Publisher",
    "Contributor",
    "User Access Administrator",
)
_SCOPES = ("{resourceGroup}", "{resource}", "{subscription}")
_CONDITION = (
    "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})))"
)
type Json = dict[str, Any]


def random_policy(dice: random.Random, subscription: str, existing: str) -> str:
    """A policy of one to four rules. `existing`: the id of an identity that somebody made."""
    rules = [_rule(dice, number) for number in range(dice.randint(1, 4))]
    policy: Json = {
        "version": 1,
        "mode": dice.choice(["full", "full", "full", "full", "add-only"]),
        "identities": {
            "regional": {"name": "id-l-{location}", "resourceGroup": "rg-000"},
            "existing": {"id": existing},
            "own": {"name": "id-{resource.hash}", "per": "resource", "deleteAfterHours": 1},
        },
        "rules": rules,
        "limits": {"removals": {"perHour": 100_000, "percent": 100, "graceMinutes": 0}},
        "orphans": {"graceMinutes": 0},
    }
    if dice.random() < 0.5:
        scope = f"/subscriptions/{subscription}"
        policy["privileged"] = {"allow": [{"role": "Contributor", "scopes": [scope]}]}
    return json.dumps(policy)


def changed(policy: str, dice: random.Random) -> str:
    """The same with a rule or a setting of one changed, left out or added: what people do."""
    document: Json = json.loads(policy)
    rules: list[Json] = document["rules"]
    at = dice.randrange(len(rules))
    match dice.choice(["drop", "add", "change", "change", "exclude"]):
        case "drop":
            rules.pop(at)
        case "add":
            rules.append(_rule(dice, 9))
        case "exclude":
            rules[at]["match"]["exclude"] = {"tags": {"env": dice.choice(["prod", "dev"])}}
        case _:
            rules[at] = {**_rule(dice, 9), "name": rules[at]["name"]}
    return json.dumps(document)


def _rule(dice: random.Random, number: int) -> Json:
    attach = dice.sample(["regional", "existing", "own"], dice.choice([0, 1, 1, 2]))
    system = not attach or dice.random() < 0.3
    whom = [*attach, *(["system"] if system else [])]
    return {
        "name": f"rule {number}",
        "match": _match(dice),
        "attach": attach,
        "system": system,
        "grant": [_grant(dice, whom) for _ in range(dice.randint(0, 2))],
        "mode": dice.choice(["full", "full", "full", "full", "observe", "add-only"]),
        "imdsDefault": dice.choice(["accept", "hold"]),
        "restart": dice.choice(["accept", "accept", "avoid"]),
    }


def _match(dice: random.Random) -> Json:
    match: Json = {"types": dice.sample(TYPES, dice.choice([1, 1, 2]))}
    if dice.random() < 0.5:
        match["tags"] = {"env": dice.choice(["prod", "test", "dev"])}
    if dice.random() < 0.3:
        match["resourceGroups"] = [dice.choice(["rg-000", "rg-00*", "rg-001"])]
    if dice.random() < 0.3:
        match["locations"] = [dice.choice(["westeurope", "northeurope"])]
    return match


def _grant(dice: random.Random, whom: list[str]) -> Json:
    grant = {"role": dice.choice(_ROLES), "scope": dice.choice(_SCOPES), "to": dice.choice(whom)}
    if dice.random() < 0.1 and grant["role"].startswith("Storage"):
        grant["condition"] = _CONDITION
    return grant
