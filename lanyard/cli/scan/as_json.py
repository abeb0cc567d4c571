"""A scan for programs, and what the page shows. What is there keeps its meaning."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

from lanyard.cli.plan.counts import Counts
from lanyard.desk.scan.holders import HolderKind
from lanyard.desk.scan.report import (
    AGE_UNKNOWN,
    AGES,
    OLDEST,
    AccessRow,
    AssignmentRow,
    ComputeRow,
    IdentityRow,
    Scan,
    SubscriptionRow,
)
from lanyard.policy import Policy
from lanyard.policy.unmet_names import unmet
from lanyard.sweep.listings import LIMIT, NEAR_LIMIT

type Json = dict[str, Any]

_HOLDERS = (
    "`systemAssigned`, `userAssigned`, `application`, `user`, `group`, `unknown` (to the "
    "directory), `undetermined` (the directory cannot be read)"
)
SHAPE = {
    "version": "`1`",
    "at": "when, ISO 8601, UTC",
    "summary": "counts: `subscriptions`, `compute` resources, of them `withoutIdentity`; "
    "user-assigned `identities`, of them `unusedIdentities` and `sharedIdentities`; role "
    "`assignments`, of them `privileged` ones of managed identities and `orphans` (null where "
    "not determined); subscriptions `nearLimit`",
    "compute[]": "a type: `type`, `total`, and by the identities they have `none`, `system`, "
    "`user`, `both`; the most frequent first",
    "withoutIdentity[]": "compute resources that have none, by id: `id`, `type`",
    "subscriptions[]": "by name: `id`, `name`, `compute` (as above), `assignments` at and below "
    "it, `limit`, `nearLimit`",
    "subscriptions[].holders": f"its assignments by who holds them: {_HOLDERS}",
    "aboveSubscriptions": "`assignments` at management groups and the tenant's root, `holders`",
    "access[]": "every role assignment, by scope, role and holder, as `privileged[]`: "
    "`assignment`, `scope`, `level`, `role`, `principalId`, `holder`, `privileged`, `created`, "
    "`ageDays`, `evidence`",
    "access[].users[]": "ids of the resources that have the identity which holds it",
    "access[].condition": "under which alone it gives the role (ABAC), or null",
    "access[].giver": "who gave it, as far as it shows that: `lanyard`, `putBack` (Lanyard's once, "
    "kept by a person since), `others`; with --storage `anotherLanyard`: not this app",
    "access[].rules[]": "with --policy: the rules that ask for just this now",
    "access[].givenBy[]": "with --storage: the rules that gave it, as the app's record has it",
    "record": "with --storage: what was read of the app's record; else null",
    "record.damaged[]": "its rows that cannot be read, a sentence each",
    "roles[]": "roles that managed identities hold: `id`, `name`, `assignments`, `holders`",
    "identities": "user-assigned ones that a person should look at",
    "identities.unused[]": "attached to nothing: `id`, `resources` (0), `assignments`",
    "identities.shared[]": "attached to ten resources or more: `id`, `resources`, `assignments`",
    "privileged[]": "assignments of managed identities that let them give themselves more",
    "privileged[].assignment": "id of the role assignment",
    "privileged[].scope": "where it gives the role",
    "privileged[].level": "how wide that is: `tenant root`, `management group`, `subscription`, "
    "`resource group` or `resource`",
    "privileged[].role": "`id` (GUID), `name`",
    "privileged[].principalId": "whom it is for",
    "privileged[].holder": "`kind`, and the `resource` that it is the identity of (or null)",
    "privileged[].privileged": "why it counts as that; null where it does not",
    "privileged[].created": "when the assignment was made, as Azure has it",
    "privileged[].ageDays": "days since then; null where Azure does not show it",
    "privileged[].evidence[]": "what proves that it is orphaned, in words",
    "orphans": "assignments whose principal is gone",
    "orphans.determined": "whether the directory could be asked",
    "orphans.reason": "why not, or null",
    "orphans.undetermined": "how many assignments may be orphaned or not",
    "orphans.byAge[]": "`age` of the assignment in words, `count`",
    "orphans.assignments[]": "the orphaned ones, as `privileged[]`: `assignment`, `scope`, "
    "`level`, `role`, `principalId`, `holder`, `privileged`, `created`, `ageDays`, `evidence`",
    "policy": "with --policy: `mode`, `byListing` (true: no resource was read by itself), "
    "`subscriptionNotes` (what is odd about those that it names), and the counts of "
    "`lanyard plan`; else null",
}


def scan_as_json(scan: Scan, policy: Policy | None, changes: Counts | None) -> Json:
    """The whole of it."""
    return {
        "version": 1,
        "at": scan.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "summary": _summary(scan),
        "compute": [_compute(row) for row in scan.compute],
        "withoutIdentity": [{"id": id_.text, "type": id_.type} for id_ in scan.without_identity],
        "subscriptions": [_subscription(row) for row in scan.subscriptions],
        "aboveSubscriptions": {
            "assignments": sum(scan.above.values()),
            "holders": _holders(scan.above),
        },
        "access": [_access(each) for each in scan.access],
        "record": None if scan.damaged is None else {"damaged": list(scan.damaged)},
        "roles": [
            {
                "id": row.role_id,
                "name": row.name,
                "assignments": sum(row.holders.values()),
                "holders": _holders(row.holders),
            }
            for row in scan.roles
        ],
        "identities": {
            "unused": [_identity(row) for row in scan.unused],
            "shared": [_identity(row) for row in scan.shared],
        },
        "privileged": [_assignment(row) for row in scan.privileged],
        "orphans": {
            "determined": not scan.not_determined,
            "reason": scan.not_determined or None,
            "undetermined": scan.undetermined,
            "byAge": _by_age(scan.orphans),
            "assignments": [_assignment(row) for row in scan.orphans],
        },
        "policy": _policy(policy, changes),
    }


def _summary(scan: Scan) -> Json:
    return {
        "subscriptions": len(scan.subscriptions),
        "compute": sum(row.total for row in scan.compute),
        "withoutIdentity": sum(row.none for row in scan.compute),
        "identities": scan.identities,
        "unusedIdentities": len(scan.unused),
        "sharedIdentities": len(scan.shared),
        "assignments": scan.assignments,
        "privileged": len(scan.privileged),
        "orphans": None if scan.not_determined else len(scan.orphans),
        "nearLimit": sum(row.assignments >= NEAR_LIMIT for row in scan.subscriptions),
    }


def _compute(row: ComputeRow) -> Json:
    return {
        "type": row.type,
        "total": row.total,
        "none": row.none,
        "system": row.system,
        "user": row.user,
        "both": row.both,
    }


def _subscription(row: SubscriptionRow) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "compute": [_compute(each) for each in row.compute],
        "assignments": row.assignments,
        "limit": LIMIT,
        "nearLimit": row.assignments >= NEAR_LIMIT,
        "holders": _holders(row.holders),
    }


def _holders(counts: Mapping[HolderKind, int]) -> Json:
    return {kind.value: counts.get(kind, 0) for kind in HolderKind}


def _identity(row: IdentityRow) -> Json:
    return {"id": row.id, "resources": row.resources, "assignments": row.assignments}


def _assignment(row: AssignmentRow) -> Json:
    assignment = row.assignment
    return {
        "assignment": assignment.id,
        "scope": assignment.scope,
        "level": row.level.value,
        "role": {"id": assignment.role_id, "name": row.role},
        "principalId": assignment.principal_id,
        "holder": {"kind": row.holder.kind.value, "resource": row.holder.resource or None},
        "privileged": row.privileged or None,
        "created": assignment.created or None,
        "ageDays": row.age_days,
        "evidence": list(row.evidence),
    }


def _access(access: AccessRow) -> Json:
    return {
        **_assignment(access.row),
        "users": list(access.users),
        "condition": access.row.assignment.condition,
        "giver": access.giver.value,
        "rules": list(access.rules),
        "givenBy": list(access.given_by),
    }


def _by_age(rows: Iterable[AssignmentRow]) -> Sequence[Json]:
    counts = Counter(row.age for row in rows)
    ages = [*(name for _, name in AGES), OLDEST]
    if counts[AGE_UNKNOWN]:
        ages.append(AGE_UNKNOWN)
    return [{"age": age, "count": counts[age]} for age in ages]


def _policy(policy: Policy | None, changes: Counts | None) -> Json | None:
    if policy is None or changes is None:
        return None
    return {
        "mode": policy.mode.value,
        "byListing": True,
        "subscriptionNotes": list(unmet(policy)),
        **asdict(changes),
    }
