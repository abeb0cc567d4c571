"""A plan for programs. The shape is documented in docs/plan.md; what is there keeps its meaning."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lanyard.cli.frame.names import role_as_json
from lanyard.cli.plan.batch import Looked
from lanyard.cli.plan.counts import count
from lanyard.desk.look_ahead import Preview
from lanyard.planning.actions import (
    Action,
    AssignRole,
    CreateIdentity,
    ReleaseGrant,
    ReplaceIdentity,
)
from lanyard.planning.blocked import why_blocked
from lanyard.policy import Policy
from lanyard.policy.unmet_names import unmet
from lanyard.values.compute import PrincipalRef, UserAssigned

#: Of the shape; it grows only when a reader of the old one would go wrong.
SHAPE_VERSION = 1

type Json = dict[str, Any]


def plan_as_json(policy: Policy, looked: Sequence[Looked], *, removals: bool = False) -> Json:
    """The whole plan, unchanged and failed resources included. `removals`: whether the record of a
    deployed app says what may be taken away.
    """
    return {
        "version": SHAPE_VERSION,
        "mode": str(policy.mode),
        "removalsShown": removals,
        "subscriptionNotes": list(unmet(policy)),
        "summary": asdict(count(looked)),
        "resources": [_resource(each) for each in looked],
    }


def _resource(looked: Looked) -> Json:
    common = {"id": str(looked.id), "type": looked.id.type}
    if looked.preview is None:
        return {**common, "status": "failed", "error": looked.error}
    return {**common, "status": _status(looked.preview), **_parts(looked.preview)}


def _status(preview: Preview) -> str:
    if preview.verdict.allowed:
        return "changed"
    return "not done" if preview.plan.actions or preview.plan.blocked else "unchanged"


def _parts(preview: Preview) -> Json:
    return {
        "provisioningState": preview.resource.provisioning_state,
        "restarts": preview.restarts,
        "replacesIdentity": preview.replaces,
        "notes": list(preview.notes),
        "actions": [_action(action) for action in preview.verdict.allowed],
        "held": [
            {**_action(held.action), "reason": held.reason, "release": held.release}
            for held in preview.verdict.held
        ],
        "waiting": [
            {
                "identity": str(wanted.id),
                "reason": why_blocked(wanted, preview.plan).reason,
                "rules": list(wanted.rules),
            }
            for wanted in preview.plan.blocked
        ],
        "impossible": [
            {"rule": problem.rule, "reason": f"{problem.part}: {problem.reason}"}
            for problem in preview.wanted.unfulfillable
        ],
    }


def _action(action: Action) -> Json:
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(action).__name__).lower()
    rules = list(getattr(action, "rules", ()))
    return {"action": name, "text": str(action), "rules": rules, **_details(action)}


def _details(action: Action) -> Mapping[str, Any]:
    match action:
        case AssignRole():
            return {
                "scope": action.scope,
                "role": role_as_json(action.role_id),
                "to": _principal(action.to),
                "principalId": action.principal_id,
                "condition": action.condition,
            }
        case CreateIdentity():
            identity = str(action.id)
            return {
                "identity": identity,
                "location": action.location,
                "dedicated": action.dedicated,
            }
        case ReleaseGrant(grant=grant):
            return {
                "scope": grant.scope,
                "role": role_as_json(grant.role_id),
                "principalId": grant.principal_id,
                "condition": grant.condition,
            }
        case ReplaceIdentity():
            return {"identity": _principal(action.new), "replaces": _principal(action.old)}
    named = getattr(action, "id", None)
    return {} if named is None else {"identity": str(named)}


def _principal(to: PrincipalRef) -> str:
    return str(to.id) if isinstance(to, UserAssigned) else "system"
