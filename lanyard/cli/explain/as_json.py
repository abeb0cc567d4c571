"""Why something has access, for programs. What is there keeps its meaning."""

from collections.abc import Iterable, Mapping
from typing import Any

from lanyard.cli.explain.explanation import Explanation
from lanyard.cli.explain.why import Claim, Why
from lanyard.cli.frame.held_entries import ENTRY_SHAPE, entry_as_json

type Json = dict[str, Any]

SHAPE = {
    "version": "`1`",
    "target": "as it was given",
    "id": "of what was found: a whole resource id, the id of a role assignment, an object id",
    "identities[]": "of a resource: what it has attached, and its system-assigned identity; of an "
    "identity, or its object id: that one",
    "identities[].id": "id of the identity, or `system`",
    "identities[].principalId": "its object id; null while Azure does not show it",
    "identities[].attachedByLanyard": "whether the record says that Lanyard attached it",
    "identities[].rules[]": "rules that ask for it: `name`, `place` (file and line)",
    "holder": "of an object id that no resource shows, where the directory does: `kind` (as Graph "
    "names it: `user`, `group`, `servicePrincipal`), `name`; else null",
    "hadBy[]": "of an identity: ids of the resources that have it; null for anything else",
    "assignments[]": "role assignments of it",
    "assignments[].id": "of the role assignment",
    "assignments[].role": "`id` (GUID), `name`",
    "assignments[].scope": "where it gives the role",
    "assignments[].principalId": "whom it is for",
    "managedBy": "the service that manages the resource, or its id; empty for none",
    "excludedBy[]": "as above, and `because`: rules that exclude it, and by what; what it has of "
    "them stays, nothing is added",
    "undecided[]": "as above: rules that may be for it, as the name or the management groups of "
    "its subscription are not known; what it has of them stays, nothing is added",
    "notFor[]": "as above, and `misses[]`: rules for its type that are not for it, and each "
    "condition that it does not meet, in words; first those that lack least",
    "keepsAll[]": "what of those rules is not known for it: `rule` as above, `part`, `reason`; "
    "where there is any, it keeps everything that Lanyard gave it",
    "assignments[].madeByLanyard": "whether it is Lanyard's own",
    "assignments[].adopted": "whether somebody else made that, and it was adopted",
    "assignments[].condition": "under which it holds; null for none",
    "assignments[].conditionChanged": "whether somebody changed that of Lanyard's own",
    "assignments[].otherCondition": "whether a rule asks for it on another condition than it "
    "stands on: it changes unless somebody has it so",
    "assignments[].keptBy": "who had its removal undone; else empty",
    "assignments[].claims[]": "resources that need it, by Lanyard's record; ten at most",
    "assignments[].claims[].resource": "its id",
    "assignments[].claims[].exists": "whether ARM has it now",
    "assignments[].claims[].rules[]": "as above: the rules that ask for it now",
    "assignments[].claims[].given": "the decision: `id`, `at`, `cause` (the event); null where the "
    "record of 31 days has none",
    "assignments[].moreClaims": "how many claims there are beyond those",
    "assignments[].toGo[]": "what would have to change for it to go, in words",
    "held[]": "what is not done that is about it, as `lanyard held --all` lists it",
    **{f"held[].{key}": meaning for key, meaning in ENTRY_SHAPE.items()},
    "damaged[]": "rows of Lanyard's tables that cannot be read: what they are about is shown as "
    "nobody's",
}


def explanation_as_json(target: str, explanation: Explanation, places: Mapping[str, str]) -> Json:
    """The whole of it. `places`: where each rule stands."""

    def named(rule: str, **more: Any) -> Json:
        return {**_rule(rule, places), **more}

    had_by, excluded = explanation.had_by, explanation.excluded_by
    known = explanation.known
    return {
        "version": 1,
        "target": target,
        "id": explanation.id,
        "identities": [
            {
                "id": identity.id,
                "principalId": identity.principal,
                "attachedByLanyard": identity.by_lanyard,
                "rules": _rules(identity.rules, places),
            }
            for identity in explanation.identities
        ],
        "holder": None if known is None else {"kind": known.kind, "name": known.name},
        "hadBy": None if had_by is None else list(had_by),
        "managedBy": explanation.managed_by,
        "excludedBy": [named(rule, because=because) for rule, because in excluded.items()],
        "undecided": _rules(explanation.undecided, places),
        "notFor": [named(one.rule, misses=list(one.misses)) for one in explanation.not_for],
        "keepsAll": [
            {"rule": named(one.rule), "part": one.part, "reason": one.reason}
            for one in explanation.keeps_all
        ],
        "assignments": [_assignment(why, places) for why in explanation.assignments],
        "held": [entry_as_json(entry) for entry in explanation.held],
        "damaged": list(explanation.damaged),
    }


def _assignment(why: Why, places: Mapping[str, str]) -> Json:
    assignment = why.assignment
    return {
        "id": assignment.id,
        "role": {"id": assignment.role_id, "name": why.role},
        "scope": assignment.scope,
        "principalId": assignment.principal_id,
        "madeByLanyard": why.lanyards,
        "adopted": why.adopted,
        "condition": assignment.condition,
        "conditionChanged": why.condition_changed,
        "otherCondition": bool(why.otherwise),
        "keptBy": why.kept_by,
        "claims": [_claim(claim, places) for claim in why.claims],
        "moreClaims": why.more,
        "toGo": why.ways_out(),
    }


def _claim(claim: Claim, places: Mapping[str, str]) -> Json:
    given = claim.decision
    return {
        "resource": str(claim.resource),
        "exists": claim.exists,
        "rules": _rules(claim.rules, places),
        "given": None
        if given is None
        else {"id": given.id, "at": given.at.isoformat(), "cause": dict(given.decision.cause)},
    }


def _rules(rules: Iterable[str], places: Mapping[str, str]) -> list[Json]:
    return [_rule(rule, places) for rule in rules]


def _rule(rule: str, places: Mapping[str, str]) -> Json:
    return {"name": rule, "place": places.get(rule, "")}
