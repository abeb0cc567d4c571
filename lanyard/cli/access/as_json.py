"""Who has access, for programs, and what is shown to people. What is there keeps its meaning."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lanyard.desk.access.giver import Giver
from lanyard.desk.access.holdings import Holding, Seen, Where
from lanyard.desk.access.who import Known, Members
from lanyard.desk.scan.report import scope_level

type Json = dict[str, Any]

SHAPE = {
    "version": "`1`",
    "target": "id of what was asked for",
    "listed": "whether it is known to be there: a resource that is new, or of a type that Resource "
    "Graph does not list, is not; nor is one that is misspelt",
    "summary": "counts: `at`, `above`, `below` it, and `lanyard`: of all of these, Lanyard's",
    "directory": "`read`, whether the directory was; `reason`, why not, or null",
    "access[]": "a role assignment each: at it first, then above it, the nearest first, then below",
    "access[].where": "`at`, `above` or `below`",
    "access[].scope": "where it gives the role",
    "access[].level": "how wide that is: `tenant root`, `management group`, `subscription`, "
    "`resource group` or `resource`",
    "access[].assignment": "id of the role assignment",
    "access[].role": "`id` (GUID), `name`",
    "access[].condition": "under which it holds; null for none",
    "access[].created": "when it was made, as Azure has it",
    "access[].principalId": "object id of who holds it",
    "access[].holder": "who that is: `kind` (`systemAssigned`, `userAssigned`, `application`, "
    "`user`, `group`, `unknown` to the directory, `undetermined`), `name` in the directory and "
    "what a user `signsInAs` (null where it does not show them), the `resource` that it is the "
    "identity of (or null), and the `resources` that have this identity",
    "access[].holder.members[]": "of a group, also through other groups: `principalId`, `kind`, "
    "`name`, `signsInAs`; null where it is no group, or they are not known",
    "access[].holder.membersUnread": "why they are not known, or null",
    "access[].by": "`lanyard`; `anotherLanyard`: another installation's; `putBack`: Lanyard's "
    "once, a person had it put back and keeps it; `others`",
    "access[].heldByTheApp": "whether the app's own identity holds it; false where the app is not "
    "known (--storage, --app-principal)",
    "access[].rules[]": "rules of the policy that ask for just this now, for a resource that has "
    "its identity: `name`, `place` (file and line); null where no policy was read",
}


def access_as_json(
    seen: Seen, found: Sequence[Holding], places: Mapping[str, str], *, by_policy: bool
) -> Json:
    """The whole of it. `places`: where each rule stands."""
    where = Counter(each.where for each in found)
    failure = seen.names.failure
    return {
        "version": 1,
        "target": str(seen.place),
        "listed": seen.is_listed,
        "summary": {
            **{each.value: where[each] for each in Where},
            "lanyard": sum(each.giver is Giver.LANYARD for each in found),
        },
        "directory": {"read": not failure, "reason": failure or None},
        "access": [_holding(each, places if by_policy else None) for each in found],
    }


def _holding(holding: Holding, places: Mapping[str, str] | None) -> Json:
    assignment = holding.assignment
    return {
        "where": holding.where.value,
        "scope": assignment.scope,
        "level": scope_level(assignment.scope).value,
        "assignment": assignment.id,
        "role": {"id": assignment.role_id, "name": holding.role},
        "condition": assignment.condition,
        "created": assignment.created or None,
        "principalId": assignment.principal_id,
        "holder": _holder(holding),
        "by": holding.giver.value,
        "heldByTheApp": holding.is_the_apps,
        "rules": None if places is None else _rules(holding.rules, places),
    }


def _holder(holding: Holding) -> Json:
    members = holding.members
    return {
        "kind": holding.holder.kind.value,
        **_names(holding.known),
        "resource": holding.holder.resource or None,
        "resources": list(holding.users),
        "members": _members(members),
        "membersUnread": members.unread or None if members is not None else None,
    }


def _names(known: Known | None) -> Json:
    name, signs_in_as = (known.name, known.signs_in_as) if known is not None else ("", "")
    return {"name": name or None, "signsInAs": signs_in_as or None}


def _members(members: Members | None) -> list[Json] | None:
    if members is None or members.unread:
        return None
    return [{"principalId": one.id, "kind": one.kind, **_names(one)} for one in members.known]


def _rules(rules: Iterable[str], places: Mapping[str, str]) -> list[Json]:
    return [{"name": rule, "place": places.get(rule, "")} for rule in rules]
