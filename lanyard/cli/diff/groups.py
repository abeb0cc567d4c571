"""A difference in groups, made of its document: what many gain or lose alike is one line."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from lanyard.cli.frame.lines import Line
from lanyard.cli.frame.names import counted, short
from lanyard.values.grants import shown_condition

type Json = dict[str, Any]


def lines(document: Json) -> list[Line]:
    """Privileged changes first, then what is lost, what is gained, and what is held."""
    changes = [*_roles(document), *_attachments(document), *_life(document)]
    order = {"-": 0, "+": 1}
    changes.sort(key=lambda line: (not line.privileged, order[line.mark], -len(line.ids)))
    return [*changes, *_held(document)]


def _roles(document: Json) -> Iterator[Line]:
    """By identity; of system-assigned ones, those of many resources together."""
    found: defaultdict[_Roles, list[str]] = defaultdict(list)
    for each in document["identities"]:
        whose = "" if each["system"] else each["id"]
        for mark, change in _changes(each):
            privileged = change["privileged"] or ""
            found[_Roles(mark, whose, _role(change), _rules(change), privileged)].append(each["id"])
    users = _users(document)
    for roles, ids in found.items():
        whom = users.get(roles.identity, ()) if roles.identity else tuple(ids)
        yield Line(
            mark=roles.mark,
            what=roles.what,
            rules=roles.rules,
            ids=whom,
            privileged=roles.privileged,
        )


class _Roles(NamedTuple):
    """A role that is gained or lost alike. `identity`: its id; "" for system-assigned ones."""

    mark: str
    identity: str
    role: str
    rules: tuple[str, ...]
    privileged: str

    @property
    def what(self) -> str:
        verb = "loses" if self.mark == "-" else "gains"
        whose = short(self.identity) if self.identity else "the system-assigned identity"
        return f"{whose} {verb} {self.role}"


def _role(change: Json) -> str:
    on = f" on condition {shown_condition(change['condition'])}" if change["condition"] else ""
    return f"{change['role']['name']} at {short(change['scope'])}{on}"


def _users(document: Json) -> dict[str, tuple[str, ...]]:
    """The resources that gain or lose a role through each user-assigned identity."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for resource in document["resources"]:
        for _, change in _changes(resource):
            if change["kind"] == "role":
                found[change["identity"]][resource["id"]] = None
    return {identity: tuple(resources) for identity, resources in found.items()}


def _attachments(document: Json) -> Iterator[Line]:
    found: defaultdict[tuple[str, str, tuple[str, ...]], list[Json]] = defaultdict(list)
    for resource in document["resources"]:
        for mark, change in _changes(resource):
            if change["kind"] != "identity":
                continue
            system = change["identity"] == "system"
            whose = "the system-assigned identity" if system else short(change["identity"])
            verb = "detach" if mark == "-" else "enable" if system else "attach"
            found[mark, f"{verb} {whose}", _rules(change)].append(resource)
    for (mark, what, rules), resources in found.items():
        replaced = sum(each["replacesIdentity"] for each in resources)
        notes = (f"{replaced} replace the identity that they work with",) if replaced else ()
        ids = tuple(each["id"] for each in resources)
        restarts = sum(each["restarts"] for each in resources)
        yield Line(mark=mark, what=what, rules=rules, ids=ids, restarts=restarts, notes=notes)


def _life(document: Json) -> Iterator[Line]:
    for key, mark, verb in (("deleted", "-", "delete"), ("made", "+", "make")):
        if ids := [each["id"] for each in document["identities"] if each[key]]:
            yield Line(mark=mark, what=f"{verb} {counted(len(ids), 'identity')}", ids=tuple(ids))


def _held(document: Json) -> Iterator[Line]:
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for resource in document["resources"]:
        for held in resource["held"]:
            found[held["action"], held["reason"], held["release"]].append(resource["id"])
    for (action, reason, release), ids in found.items():
        notes = (f"held: {reason}", f"to release it: {release}")
        yield Line(mark="‖", what=action, ids=tuple(ids), notes=notes)


def _changes(each: Json) -> Iterator[tuple[str, Json]]:
    yield from (("-", change) for change in each["loses"])
    yield from (("+", change) for change in each["gains"])


def _rules(change: Json) -> tuple[str, ...]:
    rules = change["rules"]
    return tuple(
        f"{one['name']} ({one['place']})" if one["place"] else one["name"] for one in rules
    )


def headline(document: Json) -> str:
    """What it comes to; what is zero is left out."""
    summary = document["summary"]
    parts = [
        (summary["lose"], "lose"),
        (summary["gain"], "gain"),
        (summary["restart"], "restart"),
        (summary["replaced"], "have their identity replaced"),
        (summary["held"], "have something held"),
    ]
    shown = [f"{number:,} {words}" for number, words in parts if number]
    of = f"of {counted(summary['lookedAt'], 'resource')}"
    text = f"{of} {', '.join(shown)}" if shown else f"{of} none changes"
    roles = [
        (summary["privilegedGained"], "gained"),
        (summary["privilegedLost"], "lost"),
    ]
    privileged = [f"{counted(n, 'privileged role')} {words}" for n, words in roles if n]
    return "; ".join([text, *privileged])


def rollout(document: Json) -> list[str]:
    """How it goes, in sentences; none where nothing has to wait."""
    plan = document["rollout"]
    return [*document["new"]["subscriptionNotes"], *_additions(plan), *_removals(plan)]


def _additions(plan: Json) -> list[str]:
    number, most, hours = plan["additions"], plan["additionsPerHour"], plan["additionHours"]
    if plan["mode"] == "observe" or most is None or number <= most:
        return []
    given = f"{counted(number, 'resource')} to be given something"
    if hours is None:
        return [f"{given}: the budget (limits.additions.perHour) is 0, a person releases each."]
    return [f"{given}: the budget of {most} an hour makes at least {hours} hours of it."]


def _removals(plan: Json) -> list[str]:
    if not plan["removals"]:
        return []
    if plan["mode"] != "full":
        return [f"The mode of the new policy is {plan['mode']}: nothing is taken away."]
    sentences = [
        f"{counted(plan['removals'], 'removal')}, once a sweep has put the difference on record "
        f"(within five minutes); each {plan['graceMinutes']:g} minutes after it was first due, "
        "and after what takes its place is there."
    ]
    if plan["hours"] is None:
        sentences.append("The budget (limits.removals.perHour) is 0: a person releases each.")
    elif plan["hours"] > 1:
        sentences.append(
            f"The budget of {plan['perHour']} an hour makes at least {plan['hours']} hours of it."
        )
    if plan["stopsAfter"] is not None:
        sentences.append(
            f"After {plan['stopsAfter']} in an hour Lanyard stops all removals "
            "(limits.removals.percent) until a person runs 'lanyard resume'."
        )
    if plan["deletions"]:
        sentences.append(
            f"{counted(plan['deletions'], 'identity')} of one resource: deleted after up to "
            f"{plan['deleteAfterHours']:g} hours, and cannot be put back."
        )
    return sentences


def source(document: Json) -> str:
    """What is taken for Lanyard's, in a sentence."""
    if document["byRecord"]:
        return "What is Lanyard's is by the record of the deployed app."
    return (
        "Without the record of a deployed app (--storage), what the old policy gives and what "
        "stands counts as Lanyard's."
    )
