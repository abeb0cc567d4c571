"""What `lanyard adopt` found and did, for programs."""

from typing import Any

from lanyard.cli.adopt.found import Found, whose
from lanyard.cli.frame.names import role_as_json
from lanyard.desk.adoption.candidates import Assigned, Attached, Candidate

SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was changed",
    "release": "whether it is about what was adopted",
    "scope": "id of the scope",
    "items[]": "what was found",
    "items[].kind": "`assignment` or `attachment`",
    "items[].assignment": "id of the role assignment; else null",
    "items[].role": "of an assignment: `id` (GUID), `name`; else null",
    "items[].scope": "of an assignment: where it gives the role; else null",
    "items[].condition": "of an assignment: its condition; null for none",
    "items[].identity": "of an attachment: id of the identity; else null",
    "items[].principalId": "whose access it is",
    "items[].resources[]": "ids of the resources in the scope that the policy gives it to; with "
    "--release those that claim it",
    "items[].rules[]": "the rules that give it; empty with --release",
    "items[].whose": "whose it is now, in words, as far as it shows",
    "items[].refused": "why it is not to be adopted; empty where it may be",
    "items[].done": "whether it was adopted, or released",
    "items[].error": "why it was not; else empty",
    "unread[]": "`id`, `error`: a resource or role assignment that could not be looked at, and why",
    "damaged[]": "rows that cannot be read: what they are about is left alone",
}


def as_json(found: Found, *, dry_run: bool) -> dict[str, Any]:
    """In the shape of the command's help."""
    return {
        "version": 1,
        "dryRun": dry_run,
        "release": found.release,
        "scope": str(found.scope),
        "items": [_item(item, found) for item in found.items],
        "unread": [{"id": one, "error": why} for one, why in found.unread.items()],
        "damaged": [*map(str, found.damaged)],
    }


def _item(item: Candidate, found: Found) -> dict[str, Any]:
    nothing = dict.fromkeys(("assignment", "role", "scope", "condition", "identity"))
    return {
        "kind": "assignment" if isinstance(item.what, Assigned) else "attachment",
        **nothing,
        **_details(item.what),
        "resources": [str(one) for one in item.resources],
        "rules": [*item.rules],
        "whose": whose(item.what),
        "refused": item.refused,
        "done": item.what.key in found.done,
        "error": found.errors.get(item.what.key, ""),
    }


def _details(what: Assigned | Attached) -> dict[str, Any]:
    match what:
        case Assigned(assignment, grant):
            return {
                "assignment": assignment.id,
                "role": role_as_json(grant.role_id),
                "scope": grant.scope,
                "condition": assignment.condition,
                "principalId": grant.principal_id,
            }
        case Attached(identity=identity, principal_id=principal):
            return {"identity": str(identity), "principalId": principal}
