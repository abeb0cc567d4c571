"""A month of a large or a small app, as its record has it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lanyard.desk.report.month import month_named
from lanyard.desk.report.report import Report, report_of
from lanyard.planning.orders import Kind, Refusal
from lanyard.record.decisions import SWEEP, Decision, Recorded, app_name
from lanyard.record.held import Answer, Entry
from lanyard.values.errors import Because
from lanyard.values.removed import Became, RemovedAssignment, RemovedAttachment
from lanyard.values.resource_id import ResourceId

MONTH = "2026-10"
NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000000"
APP = app_name("11111111-0000-4000-8000-000000000000")
POLICY = "3f2a9c41d07e"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ROLES = ("Storage Blob Data Reader", "Key Vault Secrets User", "AcrPull")


def a_month(
    machines: int = 40,
    rules: int = 6,
    *,
    rule: str = "machines of team",
    person: str = "ada@example.com",
    reason: str = "INC-4711",
) -> Report:
    """October of 2026: so many machines came, some of them left, of as many rules."""
    recorded = [*_lines(machines, rules, rule), *_by_people(person, reason)]
    held = [_held(number, reason) for number in range(0, machines, 10)]
    return report_of(month_named(MONTH, NOW), NOW, recorded, held)


def _lines(machines: int, rules: int, rule: str) -> Iterator[Recorded]:
    yield _recorded(-30, 0, Decision("", "sweep", "done", "sweep: nothing", key=SWEEP))
    for number in range(machines):
        named = (f"{rule} {number % rules}" if rules > 1 else rule,)
        resource = _machine(number)
        day = number % 31
        cause = {"eventId": f"e{number}", "policy": POLICY if number % 9 == 8 else ""}
        identity = f"id-team-{number % rules}"
        yield _recorded(
            day,
            number,
            Decision(resource, f"attach identity {identity}", "done", "attached",
                     key=f"attach identity|{identity}", rules=named, cause=cause),
        )  # fmt: skip
        for place, role in enumerate(_ROLES):
            yield _recorded(
                day,
                machines * (place + 1) + number,
                Decision(
                    resource, f"assign {role} at {SUBSCRIPTION}/resourceGroups/rg-data to "
                    f"{identity}", "done", "already assigned" if number >= rules else "assigned",
                    key=f"assign role|{identity}|{role}", rules=named, cause=cause,
                ),
            )  # fmt: skip
        if number % 5 == 4:
            yield from _removal(day, machines * 5 + number, resource, identity, named)


def _removal(
    day: int, number: int, resource: str, identity: str, rules: tuple[str, ...]
) -> Iterator[Recorded]:
    identities = f"{SUBSCRIPTION}/resourceGroups/rg-id/providers/{_IDENTITIES}"
    attachment = RemovedAttachment(resource, f"{identities}/{identity}", "p")
    removed = attachment if number % 3 else _assignment()
    taken = _recorded(
        day,
        number,
        Decision(resource, f"detach identity {identity}", "intended", f"remove {removed}",
                 key=f"detach identity|{identity}", rules=rules,
                 evidence=("no rule asks for it by two reads",), removed=removed),
    )  # fmt: skip
    yield taken
    became = Became.DONE if number % 2 else Became.FAILED
    yield _recorded(
        day,
        number + 1,
        Decision(resource, f"detach identity {identity}", "done", "detached",
                 key=f"detach identity|{identity}", became={taken.id: became}),
    )  # fmt: skip


def _assignment() -> RemovedAssignment:
    scope = f"{SUBSCRIPTION}/resourceGroups/rg-data"
    roles = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
    properties = {
        "scope": scope,
        "roleDefinitionId": f"{roles}/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "principalId": "22222222-0000-4000-8000-000000000000",
    }
    return RemovedAssignment({"id": f"{roles}/roleAssignments/1", "properties": properties})


def _by_people(person: str, reason: str) -> Iterator[Recorded]:
    yield _recorded(9, 1, Decision("", "pause removals", "done", reason), person)
    yield _recorded(9, 2, Decision("", "resume", "done", reason), person)
    yield _recorded(12, 3, Decision("", "policy changed", "done", f"version {POLICY}: {reason}"))


def _held(number: int, reason: str) -> Entry:
    refusal = Refusal(
        key=f"detach identity|{number}",
        because=Because.BUDGET,
        action=f"detach identity id-team-{number}",
        reason=f"the hour's removals are used up: {reason}",
        release="it goes on by itself; or release it",
        releasable=True,
        kind=Kind.REMOVAL,
    )
    return Entry(
        full_id=f"{number:032x}",
        resource=ResourceId.parse(_machine(number)),
        principal="",
        refusal=refusal,
        since=NOW - timedelta(days=number % 20 + 1),
        answer=Answer.NONE,
        by="",
    )


def _machine(number: int) -> str:
    group = f"{SUBSCRIPTION}/resourceGroups/rg-{number % 7}"
    return f"{group}/providers/Microsoft.Compute/virtualMachines/vm-{number}"


def _recorded(day: int, number: int, decision: Decision, by: str = APP) -> Recorded:
    at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=day, seconds=number % 80_000)
    return Recorded(f"{at:%Y-%m-%d}T{number:012}", at, by, POLICY, decision)
