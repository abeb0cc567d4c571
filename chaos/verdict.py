"""Holds what is there after the storm against the policy, and the record against what was done."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from chaos.monitor import Monitor, Removal, Violation
from chaos.oracle import (
    BLOB_READER,
    COMPUTE,
    ROLE_NAMES,
    SYSTEM,
    Need,
    Wants,
    attached,
    is_compute,
    is_dedicated,
    system_principal,
    wants,
)
from chaos.policy import CONDITION, GRACE, TAGS
from chaos.record import Record, Row, listed
from simulator.arm.calls import Call
from simulator.azure import Azure
from simulator.identity import UAMI_TYPE
from simulator.state import Resource, RoleAssignment

#: Of a role assignment: principal, scope (lower case) and role (GUID).
type Content = tuple[str, str, str]

_ASSIGNMENTS = "/providers/microsoft.authorization/roleassignments/"
#: A decision may be on record this long before its write: the call itself takes time.
_BEFORE = 60.0


@dataclass
class Verdict:
    """All violations, in no order. `counts` are for the table."""

    azure: Azure
    app: str
    monitor: Monitor
    record: Record
    counts: dict[str, int] = field(default_factory=dict)

    def violations(self) -> list[Violation]:
        """Everything that is not as it was promised."""
        living = dict(self._living())
        edition = self.monitor.edition
        wanted = {key: wants(resource, edition) for key, resource in living.items()}
        granted = dict(self._granted(living, wanted, excluded=False))
        kept = dict(self._granted(living, wanted, excluded=True))
        self.counts["resources alive at the end"] = len(living)
        self.counts["of these excluded, with an identity"] = 0
        self.counts["writes from before what they acted on"] = self.monitor.late
        self.counts["grants they need"] = len(set(granted))
        return [
            *self.monitor.violations,
            *self._identities(living, wanted),
            *self._assignments(granted, kept),
            *self._dedicated(living, wanted),
            *self._ledger(living),
            *self._grants(granted, kept),
            *self._needed(),
            *self._on_record(),
        ]

    def _living(self) -> Iterator[tuple[str, Resource]]:
        for key, resource in self.azure.state.resources.items():
            if is_compute(resource) and "/rg-storm-" in key:
                yield key, resource

    def _granted(
        self, living: dict[str, Resource], wanted: dict[str, Wants], *, excluded: bool
    ) -> Iterator[tuple[Content, list[str]]]:
        """What should stand → the resources that need it; or may → those that keep it."""
        users: defaultdict[Content, list[str]] = defaultdict(list)
        for key, resource in living.items():
            for need in wanted[key].needs if wanted[key].excluded == excluded else ():
                users[self._principal(need, resource), need.scope, need.role].append(key)
        yield from users.items()

    def _principal(self, need: Need, resource: Resource) -> str:
        if need.identity == SYSTEM:
            return system_principal(resource)
        found = self.azure.state.resources.get(need.identity)
        return str(found.properties["principalId"]) if found else f"none: {need.identity}"

    # What is there.

    def _identities(
        self, living: dict[str, Resource], wanted: dict[str, Wants]
    ) -> Iterator[Violation]:
        for key, resource in living.items():
            shown, foreign = attached(resource), self.monitor.foreign_on(key)
            due = frozenset() if wanted[key].excluded else wanted[key].identities
            for missing in sorted(due - shown.keys()):
                yield Violation("identity missing", key, missing)
            fine = wanted[key].identities | foreign | self.monitor.doubted_on(key)
            for excess in sorted(shown.keys() - fine):
                yield Violation("identity left over", key, excess)
            for lost in sorted(foreign - shown.keys()):
                yield Violation("foreign identity detached", key, lost)
            if wanted[key].excluded:
                # Also what is dead stays on it.
                self.counts["of these excluded, with an identity"] += bool(shown)
                continue
            for identity, principal in shown.items():
                if identity in wanted[key].identities and principal != self._principal(
                    Need(identity, "", ""), resource
                ):
                    yield Violation("identity is dead", key, f"{identity} is {principal}")
            if wanted[key].system and not system_principal(resource):
                yield Violation("identity missing", key, "its system-assigned one")

    def _assignments(
        self, granted: dict[Content, list[str]], kept: dict[Content, list[str]]
    ) -> Iterator[Violation]:
        standing = set()
        for assignment in self.azure.state.role_assignments.values():
            standing.add(_content(assignment))
            yield from self._assignment(assignment, granted.keys() | kept.keys())
        for missing in granted.keys() - standing:
            text = f"{ROLE_NAMES[missing[2]]} at {missing[1]} for {missing[0]}"
            yield Violation("assignment missing", granted[missing][0], text)

    def _assignment(self, found: RoleAssignment, due: Set[Content]) -> Iterator[Violation]:
        principal = self.azure.state.principals.get(found.principal_id)
        alive = principal is not None and principal.deleted_at is None
        text = f"{found.role_definition_id.rpartition('/')[2]} for {found.principal_id}"
        if self.monitor.is_ours(found):
            if _content(found) not in due:
                yield Violation("assignment left over", found.id, text)
            wanted = CONDITION if _content(found)[2] == BLOB_READER else ""
            if (found.condition or "") != wanted:
                yield Violation("another condition", found.id, f"{text}: {found.condition}")
        elif not alive and found.principal_id in self.monitor.known_principals:
            yield Violation("orphaned assignment left over", found.id, text)

    def _dedicated(
        self, living: dict[str, Resource], wanted: dict[str, Wants]
    ) -> Iterator[Violation]:
        """What something still has is not deleted; whether it may have it is told of that."""
        needed = {each.own for each in wanted.values()} | self.monitor.unowned
        needed.update(*(attached(resource) for resource in living.values()))
        for key, resource in self.azure.state.resources.items():
            if is_dedicated(key) and key not in needed:
                yield Violation("dedicated identity left over", key, "no resource needs it")
            made = resource.tags.get("createdBy") == "lanyard" and "/rg-storm-" in key
            if made and not TAGS.items() <= resource.tags.items():
                yield Violation("tags missing", key, str(resource.tags))

    # What is on record.

    def _ledger(self, living: dict[str, Resource]) -> Iterator[Violation]:
        for row in self.record.resources:
            key = row["id"].lower()
            if key not in living:
                yield Violation("record of a dead resource", key, str(dict(row)))
                continue
            dead = set(listed(row, "systemPrincipals")) - {system_principal(living[key])}
            if listed(row, "pending") or listed(row, "goneAt") or dead:
                yield Violation("unfinished record", key, str(dict(row)))

    def _grants(
        self, granted: dict[Content, list[str]], kept: dict[Content, list[str]]
    ) -> Iterator[Violation]:
        needed, allowed = self._claimable(granted), self._claimable(kept)
        standing = set(map(_content, self.azure.state.role_assignments.values()))
        for name, row in self.record.grants.items():
            if row["state"] not in ("active", "revoked"):
                users = sorted(user for grant, user in self.record.claims if grant == name)
                stands = _granted_by(row) in standing
                text = f"{row['state']}: {dict(row)}, claimed by {users}, {stands=}"
                yield Violation("stuck grant", name, text)
        for name, resource in self.record.claims - needed - allowed:
            yield Violation(
                "claim left over", name, f"{resource}: {self._evidence(name, resource)}"
            )
        for name, resource in needed - self.record.claims:
            yield Violation("claim missing", name, resource)
        for name, resource in allowed & self.record.claims:
            if _granted_by(self.record.grants[name]) not in standing:
                yield Violation("what is excluded lost its role", resource, name)

    def _evidence(self, name: str, resource: str) -> str:
        """What else is known of a grant, and of who claims it."""
        row = self.record.grants.get(name)
        standing = set(map(_content, self.azure.state.role_assignments.values()))
        grant = "no row of the grant" if row is None else f"the grant is {row['state']}"
        stands = row is not None and _granted_by(row) in standing
        on_record = any(each["id"].lower() == resource for each in self.record.resources)
        alive = resource in self.azure.state.resources
        return f"{grant}, {stands=}, {on_record=}, {alive=}"

    def _claimable(self, users: dict[Content, list[str]]) -> set[tuple[str, str]]:
        """The grants on record with those who need or keep them."""
        return {
            (name, user)
            for name, row in self.record.grants.items()
            for user in users.get(_granted_by(row), [])
        }

    def _needed(self) -> Iterator[Violation]:
        given: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for decision in self.record.decisions:
            if decision.outcome == "done" and decision.action.startswith("assign "):
                given[decision.resource, decision.action].append(decision.at)
        self.counts["assignments removed"] = len(self.monitor.removals)
        for removal in self.monitor.removals:
            yield from _needed_by(removal, given)

    def _on_record(self) -> Iterator[Violation]:
        """Every write of Lanyard's that Azure answered with success has its decision."""
        texts: defaultdict[str, float] = defaultdict(float)
        for decision in self.record.decisions:
            for key in (decision.action, f"{decision.resource} {_verb(decision.action)}"):
                texts[key] = max(texts[key], decision.at)
            if decision.reason.startswith("remove "):
                texts[decision.reason.lower()] = decision.at
        writes = [call for call in self.azure.calls_of(self.app) if _is_write(call)]
        self.counts["writes that succeeded"] = len(writes)
        for call in writes:
            if not any(at >= call.at - _BEFORE for at in self._told(call, texts)):
                text = f"{call.method} at {call.at:.3f}"
                yield Violation("write without a decision", call.path, text)

    def _told(self, call: Call, texts: dict[str, float]) -> Iterable[float]:
        path, name = call.path.lower(), call.path.rpartition("/")[2].lower()
        if _ASSIGNMENTS in path and call.method == "DELETE":
            return [texts.get(f"remove role assignment {path}", 0.0)]
        if _ASSIGNMENTS in path:
            need = self.monitor.need_of(path)
            return [texts.get(assign_text(need), 0.0)] if need else []
        if "/userassignedidentities/" in path:
            verb = "delete" if call.method == "DELETE" else "create"
            return [at for text, at in texts.items() if text.startswith(f"{verb} identity {name}")]
        return [texts.get(f"{path} identity", 0.0)]


def _content(assignment: RoleAssignment) -> Content:
    role = assignment.role_definition_id.rpartition("/")[2].lower()
    return assignment.principal_id, assignment.scope.lower(), role


def _granted_by(grant: Row) -> Content:
    return grant["principalId"], grant["scope"].lower(), grant["roleId"]


def _needed_by(removal: Removal, given: dict[tuple[str, str], list[float]]) -> Iterator[Violation]:
    """Given, wanted all the time since, and removed nevertheless, or before its grace was over."""
    if removal.need is None:
        return
    action = assign_text(removal.need)
    for resource, since, until in removal.needed_by:
        end = min(until, removal.at)
        if not any(since <= at < end for at in given.get((resource, action), [])):
            continue
        text = f"{action}, at {removal.at:.3f}, wanted since {since:.3f} until {until:.3f}"
        if until >= removal.at:
            yield Violation("removed while it was needed", resource, text)
        elif removal.at < until + GRACE:
            yield Violation("removed within its grace", resource, text)


def assign_text(need: Need) -> str:
    """How a decision names the assignment (lower case)."""
    to = "system-assigned identity" if need.identity == SYSTEM else need.identity
    return f"assign {ROLE_NAMES[need.role]} at {need.scope} to {to.rpartition('/')[2]}".lower()


def _verb(action: str) -> str:
    """Attaching, detaching, enabling: all of them are writes of the identity block."""
    return "identity" if action.startswith(("attach", "detach", "enable")) else action


def _is_write(call: Call) -> bool:
    succeeded = call.status is not None and call.status < 300
    known = any(kind in call.path.lower() for kind in (*COMPUTE, _ASSIGNMENTS, UAMI_TYPE))
    return call.method in ("PUT", "PATCH", "DELETE") and succeeded and known
