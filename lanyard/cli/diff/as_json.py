"""A difference for programs; the other forms show this document. Its keys keep their meaning."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lanyard.cli.diff.sources import Compared
from lanyard.cli.frame.names import role_as_json
from lanyard.desk.difference.access import Attached, Role, Who
from lanyard.desk.difference.difference import (
    Change,
    IdentityChange,
    PolicyDifference,
    ResourceChange,
)
from lanyard.desk.difference.rollout import Rollout
from lanyard.planning.orders import Refusal
from lanyard.policy.unmet_names import unmet

type Json = dict[str, Any]

_CHANGE = (
    "`kind` (`identity` or `role`), `identity` (id, or `system`), `of` (the resource whose "
    "system-assigned one it is; else null); of a role `role` (`id`, `name`), `scope`, `condition`, "
    "`privileged` (why it counts as that; else null); `rules`: `name`, `place`"
)
SHAPE = {
    "version": "`1`",
    "old": "`name` as given, `digest`, `mode` of the policy in force; `subscriptionNotes`: what is "
    "odd about those that it names",
    "new": "the same of the new one",
    "byRecord": "whether the record of a deployed app says what is Lanyard's; false: what the old "
    "policy gives and what stands counts as that",
    "summary": "counts: resources `lookedAt`, those that `gain`, `lose`, `restart`, are `replaced` "
    "or have something newly `held`; identities `made`, `deleted`, `identitiesGain`, "
    "`identitiesLose`; `privilegedGained`, `privilegedLost` (roles of identities)",
    "resources[]": "those that differ, by id: `id`, `type`, `restarts`, `replacesIdentity`",
    "resources[].gains[]": f"what it has then and has not now: {_CHANGE}",
    "resources[].loses[]": "what it has now and has not then, alike",
    "resources[].held[]": "what is newly not done: `action`, `because`, `reason`, `release`",
    "identities[]": "those that differ: `id`, `system`, `made`, `deleted`",
    "identities[].gains[]": "roles, as above, whoever gives them",
    "identities[].loses[]": "the same, lost",
    "rollout": "`mode`; `additions`: resources that are given something, `additionsPerHour` and "
    "the `additionHours` that this makes (null: no such limit, or never); `removals` in all, "
    "`graceMinutes` that each waits, `perHour`, the `hours` that the budget makes of it (null: "
    "never), `stopsAfter` so many in an hour (null: it does not), `deletions` of identities, each "
    "at least `deleteAfterHours` later",
}


def difference_as_json(
    old: Compared,
    new: Compared,
    found: PolicyDifference,
    plan: Rollout,
    *,
    by_record: bool,
) -> Json:
    """The whole of it."""
    return {
        "version": 1,
        "old": _policy(old),
        "new": _policy(new),
        "byRecord": by_record,
        "summary": _summary(found),
        "resources": [_resource(each, old, new) for each in found.resources],
        "identities": [_identity(each, old, new) for each in found.identities],
        "rollout": {
            "mode": str(plan.mode),
            "additions": plan.additions,
            "additionsPerHour": plan.additions_per_hour,
            "additionHours": plan.addition_hours,
            "removals": plan.removals,
            "graceMinutes": plan.grace_minutes,
            "perHour": plan.per_hour,
            "hours": plan.hours,
            "stopsAfter": plan.stops_after,
            "deletions": plan.deletions,
            "deleteAfterHours": plan.delete_after_hours,
        },
    }


def _policy(compared: Compared) -> Json:
    policy = compared.policy
    return {
        "name": compared.name,
        "digest": policy.digest,
        "mode": str(policy.mode),
        "subscriptionNotes": list(unmet(policy)),
    }


def _summary(found: PolicyDifference) -> Json:
    resources, identities = found.resources, found.identities
    roles = [change for each in identities for change in each.changes if change.privileged]
    return {
        "lookedAt": found.looked_at,
        "gain": _having(resources, lost=False),
        "lose": _having(resources, lost=True),
        "restart": sum(each.restarts for each in resources),
        "replaced": sum(each.replaces for each in resources),
        "held": sum(bool(each.held) for each in resources),
        "made": sum(each.made for each in identities),
        "deleted": sum(each.deleted for each in identities),
        "identitiesGain": _having(identities, lost=False),
        "identitiesLose": _having(identities, lost=True),
        "privilegedGained": sum(not change.lost for change in roles),
        "privilegedLost": sum(change.lost for change in roles),
    }


def _having(every: Sequence[ResourceChange | IdentityChange], *, lost: bool) -> int:
    return sum(any(change.lost is lost for change in each.changes) for each in every)


def _resource(each: ResourceChange, old: Compared, new: Compared) -> Json:
    return {
        "id": str(each.id),
        "type": each.id.type,
        "restarts": each.restarts,
        "replacesIdentity": each.replaces,
        **_changes(each.changes, old, new),
        "held": [_held(entry) for entry in each.held],
    }


def _identity(each: IdentityChange, old: Compared, new: Compared) -> Json:
    return {
        "id": str(each.who.id),
        "system": each.who.system,
        "made": each.made,
        "deleted": each.deleted,
        **_changes(each.changes, old, new),
    }


def _changes(changes: Iterable[Change], old: Compared, new: Compared) -> Json:
    every = list(changes)
    return {
        "gains": [_change(change, new.places) for change in every if not change.lost],
        "loses": [_change(change, old.places) for change in every if change.lost],
    }


def _change(change: Change, places: Mapping[str, str]) -> Json:
    access = change.access
    rules = [{"name": rule, "place": places.get(rule, "")} for rule in change.rules]
    match access:
        case Attached():
            return {"kind": "identity", **_who(access.who), "rules": rules}
        case Role():
            return {
                "kind": "role",
                **_who(access.who),
                "role": role_as_json(access.role_id),
                "scope": access.written,
                "condition": access.condition or None,
                "privileged": change.privileged or None,
                "rules": rules,
            }


def _who(who: Who) -> Json:
    if who.system:
        return {"identity": "system", "of": str(who.id)}
    return {"identity": str(who.id), "of": None}


def _held(entry: Refusal) -> Json:
    return {
        "action": entry.action,
        "because": str(entry.because),
        "reason": entry.reason,
        "release": entry.release,
    }
