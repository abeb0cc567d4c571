"""`lanyard explain`: why a resource, a principal or a role assignment has what it has."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import role_as_json, short
from lanyard.cli.frame.options import Command, Json, PolicyPath, Quiet, storage_rights
from lanyard.cli.frame.short_ids import whole_id
from lanyard.cli.frame.targets import BadTargets
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import shown_time
from lanyard.cli.why import Claim, Explainer, Why
from lanyard.planning.desired import Unfulfillable, desired
from lanyard.policy import Policy, load_policy
from lanyard.policy.load import rule_places
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import LanyardError
from lanyard.values.grants import shown_condition
from lanyard.values.resource_id import ResourceId, folded, is_guid
from lanyard.values.roles import role_name

_ABOUT = f"""\
Show why something has access: for a resource, each identity it has and each role that those hold;
for a principal (object id), each role it holds; for a role assignment, that one. Of each: whether
Lanyard made it, which resources claim it, by which rule (file and line) and after which event it
was given, and what would have to change for it to go.

{storage_rights("Storage Table Data Reader")}
You need Reader on the subscriptions, too.
"""
_AFTER = """\
examples:
  lanyard explain /subscriptions/…/virtualMachines/vm1 --storage stlanyard
  lanyard explain vm1                                     where one resource alone is called so
  lanyard explain 2f0c1a34-0000-0000-0000-000000000000
  lanyard explain /subscriptions/…/roleAssignments/8e81973e-… --json

exit codes:
  0  explained, also where it has nothing
  1  an error: it does not exist, no credentials, a missing right
"""
_SHAPE = {
    "version": "`1`",
    "target": "as it was given",
    "identities[]": "of a resource: what it has attached, and its system-assigned identity",
    "identities[].id": "id of the identity, or `system`",
    "identities[].principalId": "its object id; null while Azure does not show it",
    "identities[].attachedByLanyard": "whether the record says that Lanyard attached it",
    "identities[].rules[]": "rules that ask for it: `name`, `place` (file and line)",
    "assignments[]": "role assignments of it",
    "assignments[].id": "of the role assignment",
    "assignments[].role": "`id` (GUID), `name`",
    "assignments[].scope": "where it gives the role",
    "assignments[].principalId": "whom it is for",
    "managedBy": "the service that manages the resource, or its id; empty for none",
    "excludedBy[]": "as above: rules that exclude it; what it has of them stays, nothing is added",
    "undecided[]": "as above: rules that may be for it, as the name or the management groups of "
    "its subscription are not known; what it has of them stays, nothing is added",
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
    "damaged[]": "rows of Lanyard's tables that cannot be read: what they are about is shown as "
    "nobody's",
}
_ASSIGNMENT = "/providers/microsoft.authorization/roleassignments/"


@dataclass(frozen=True, slots=True)
class Attached:
    """An identity that a resource has; `id` is "system" for the system-assigned one."""

    id: str
    principal: str | None
    by_lanyard: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What was found of the target."""

    #: Those that the resource has.
    identities: tuple[Attached, ...] = ()
    #: Those of it, or of what it has.
    assignments: tuple[Why, ...]
    #: Rules that exclude the resource: what it has of them stays, and nothing is added.
    excluded_by: tuple[str, ...] = ()
    #: The other service that manages it, "" for none: rules leave it alone for that, too.
    managed_by: str = ""
    #: What of them is not known for it: all that Lanyard gave it stays.
    keeps_all: tuple[Unfulfillable, ...] = ()
    #: Rows that cannot be read: what they are about is shown as nobody's.
    damaged: tuple[str, ...] = ()
    #: Rules of which it is not known whether they are for it: what it has of them stays.
    undecided: tuple[str, ...] = ()


def run(
    target: Annotated[
        str, typer.Argument(metavar="ID", help="Of a resource, a principal, a role assignment.")
    ],
    policy: PolicyPath = Path("lanyard.yaml"),
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Explain; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    loaded, places = load_policy(policy), rule_places(policy)

    async def explain() -> Explanation:
        async with connect.app(azure, where) as app:
            explainer = Explainer(app, await app.in_force(loaded))
            explained = await _explained(target, explainer)
            return replace(explained, damaged=tuple(map(str, explainer.damaged)))

    found = asyncio.run(explain())
    if json:
        terminal.json(_as_json(target, found, places))
    else:
        _show(target, found, places, terminal)
    return 0


async def _explained(target: str, explainer: Explainer) -> Explanation:
    if _ASSIGNMENT in folded(target):
        why = await explainer.of_assignment(target)
        if why is None:
            raise LanyardError(f"{target} does not exist")
        return Explanation(assignments=(why,))
    if is_guid(target):
        return Explanation(assignments=tuple(await explainer.of_principal_anywhere(folded(target))))
    return await _of_resource(await _resource_id(target, explainer), explainer)


async def _resource_id(target: str, explainer: Explainer) -> ResourceId:
    resource = await whole_id(target, explainer.app.reading.inventory)
    if not resource.type:
        raise BadTargets(f"{target} is a scope: name a resource, a principal or an assignment")
    return resource


async def _of_resource(resource: ResourceId, explainer: Explainer) -> Explanation:
    found = await explainer.resource(resource)
    if found is None:
        raise LanyardError(f"{resource} does not exist; 'lanyard history --resource' has its past")
    record = await explainer.record(resource)
    identities = _attached(found, record, explainer.policy)
    principals = [one.principal for one in identities if one.principal is not None]
    why = await explainer.of_principals(principals, resource)
    kept = desired(explainer.policy, found).kept
    return Explanation(
        identities=tuple(identities),
        assignments=tuple(why),
        excluded_by=kept.excluding,
        managed_by=found.managed_by,
        keeps_all=kept.unfilled,
        undecided=kept.undecided,
    )


def _attached(resource: ComputeResource, record: ResourceRecord, policy: Policy) -> list[Attached]:
    wanted = desired(policy, resource)
    attached = [
        Attached(
            identity.text,
            principal,
            identity in record.attachments,
            wanted.identities[identity].rules if identity in wanted.identities else (),
        )
        for identity, principal in sorted(resource.identity.user_assigned.items())
    ]
    if (own := resource.identity.system_principal_id) is not None:
        attached.append(Attached("system", own, False, wanted.system))
    return attached


def _as_json(target: str, explanation: Explanation, places: Mapping[str, str]) -> dict[str, Any]:
    return {
        "version": 1,
        "target": target,
        "identities": [
            {
                "id": identity.id,
                "principalId": identity.principal,
                "attachedByLanyard": identity.by_lanyard,
                "rules": _rules(identity.rules, places),
            }
            for identity in explanation.identities
        ],
        "managedBy": explanation.managed_by,
        "excludedBy": _rules(explanation.excluded_by, places),
        "undecided": _rules(explanation.undecided, places),
        "keepsAll": [
            {"rule": _rules((one.rule,), places)[0], "part": one.part, "reason": one.reason}
            for one in explanation.keeps_all
        ],
        "assignments": [_assignment(why, places) for why in explanation.assignments],
        "damaged": list(explanation.damaged),
    }


def _assignment(why: Why, places: Mapping[str, str]) -> dict[str, Any]:
    assignment = why.assignment
    return {
        "id": assignment.id,
        "role": role_as_json(assignment.role_id),
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


def _claim(claim: Claim, places: Mapping[str, str]) -> dict[str, Any]:
    given = claim.decision
    return {
        "resource": str(claim.resource),
        "exists": claim.exists,
        "rules": _rules(claim.rules, places),
        "given": None
        if given is None
        else {"id": given.id, "at": given.at.isoformat(), "cause": dict(given.decision.cause)},
    }


def _rules(rules: tuple[str, ...], places: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": rule, "place": places.get(rule, "")} for rule in rules]


def _show(
    target: str, explanation: Explanation, places: Mapping[str, str], terminal: Terminal
) -> None:
    terminal.show((target, "bold"))
    if explanation.managed_by:
        terminal.show((f"  managed by another service: {explanation.managed_by}", "dim"))
    for rule in explanation.excluded_by:
        named = _by_rules((rule,), places).removeprefix(", ")
        terminal.show((f"  excluded, so it keeps what it has and gets nothing new: {named}", "dim"))
    for rule in explanation.undecided:
        named = _by_rules((rule,), places).removeprefix(", ")
        unknown = "its subscription's name or management groups are not known: it keeps what it has"
        terminal.show((f"  {unknown}, and gets nothing new, of {named}", "yellow"))
    for one in explanation.keeps_all:
        why_all = f"{one.part} of rule {one.rule}: {one.reason}"
        terminal.show((f"  keeps everything that Lanyard gave it: {why_all}", "dim"))
    for identity in explanation.identities:
        by = "attached by Lanyard" if identity.by_lanyard else "not attached by Lanyard"
        name = "system-assigned identity" if identity.id == "system" else short(identity.id)
        terminal.show(f"  {name}", (f"  {by}{_by_rules(identity.rules, places)}", "dim"))
    for why in explanation.assignments:
        _show_assignment(why, places, terminal)
    if not explanation.assignments:
        terminal.show(("  holds no role", "green"))
    for damage in explanation.damaged:
        terminal.report((f"! left alone: {damage}", "yellow"))


def _show_assignment(why: Why, places: Mapping[str, str], terminal: Terminal) -> None:
    assignment = why.assignment
    whose = ("Lanyard's", "green") if why.lanyards else ("not Lanyard's", "yellow")
    whose = ("Lanyard's, adopted", "green") if why.adopted else whose
    what = f"  {role_name(assignment.role_id)} at {assignment.scope}  "
    terminal.show((what, "bold"), whose)
    terminal.show((f"    {assignment.id}", "dim"))
    for claim in why.claims:
        terminal.show(f"    claimed by {claim.resource}{_by_rules(claim.rules, places)}")
        if claim.decision is not None:
            terminal.show((f"      given {_after(claim)}", "dim"))
    if why.condition_changed:
        given = shown_condition(assignment.condition)
        changed = f"somebody changed its condition, to {given}: the next sweep puts it back"
        terminal.show((f"    {changed}", "yellow"))
    if why.otherwise:
        terminal.show((f"    {why.otherwise}", "yellow"))
    if why.kept_by:
        terminal.show(f"    kept by {why.kept_by}, who had its removal undone")
    for way in why.ways_out():
        terminal.show((f"    to go: {way}", "dim"))


def _by_rules(rules: tuple[str, ...], places: Mapping[str, str]) -> str:
    named = [f"{rule} ({places[rule]})" if rule in places else rule for rule in rules]
    return f", rule: {'; '.join(named)}" if named else ""


def _after(claim: Claim) -> str:
    assert claim.decision is not None
    cause = claim.decision.decision.cause
    words = [cause.get("eventType") or cause.get("source", ""), cause.get("correlationId", "")]
    return f"{shown_time(claim.decision.at)}, after {' '.join(filter(None, words))}"


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
