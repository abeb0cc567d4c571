"""The estate at a glance: compute and its identities, who holds what, and what is left behind.

Pure, over what the listings show at one moment: no ledger, no policy, nothing of Lanyard in Azure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from lanyard.desk.access.giver import Giver, giver_of
from lanyard.desk.access.holdings import rules_asking, users_of
from lanyard.desk.scan.given import GivenByRules
from lanyard.desk.scan.holders import MANAGED, HolderKind, Holders
from lanyard.desk.scan.report import (
    SHARED_FROM,
    AccessRow,
    AssignmentRow,
    ComputeRow,
    Estate,
    IdentityRow,
    RoleRow,
    Scan,
    SubscriptionRow,
    subscription_id_of,
)
from lanyard.desk.within import EVERYWHERE, Within
from lanyard.policy import Policy
from lanyard.policy.privileged import hands_out, privilege
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.listed import ListedAssignment
from lanyard.values.permissions import RoleDefinition
from lanyard.values.resource_id import folded
from lanyard.values.roles import listed_role, role_name

# What others made may serve, too: no rule gave it.
_GAVE = (Giver.LANYARD, Giver.PUT_BACK)
_IDENTITY = "/providers/microsoft.managedidentity/userassignedidentities/"


def scan(
    estate: Estate,
    part: Within = EVERYWHERE,
    policy: Policy | None = None,
    given: GivenByRules | None = None,
) -> Scan:
    """Look a part of the estate over: who holds what there may be anywhere in it. `policy`: whose
    rules may ask for what stands; `given`: what an app has on record of that.
    """
    holders = Holders(estate.resources, estate.directory)
    every = [*_assignment_rows(estate, holders)]
    rows = [row for row in every if part.holds(row.assignment.scope)]
    by_scope = _by_subscription(rows)
    listed = (each for each in estate.resources if part.holds(each.id))
    compute = [each.compute for each in listed if each.compute is not None]
    identities = [row for row in _identity_rows(estate, every, holders) if part.holds(row.id)]
    held = [row for row in rows if row.holder.kind in MANAGED]
    return Scan(
        at=estate.at,
        compute=_compute_rows(compute),
        without_identity=tuple(sorted(r.id for r in compute if _identities_of(r) == "none")),
        subscriptions=tuple(_subscription_rows(estate, part, compute, by_scope)),
        above=by_scope[""],
        access=_access_rows(rows, estate, policy, given or GivenByRules()),
        damaged=None if given is None else given.damaged,
        roles=tuple(_role_rows(held)),
        identities=len(identities),
        unused=tuple(row for row in identities if not row.resources),
        shared=tuple(row for row in identities if row.resources >= SHARED_FROM),
        privileged=tuple(row for row in held if row.privileged),
        orphans=tuple(row for row in rows if row.holder.kind is HolderKind.UNKNOWN),
        not_determined=estate.directory.failure,
        undetermined=sum(row.holder.kind is HolderKind.UNDETERMINED for row in rows),
    )


def _compute_rows(resources: Iterable[ComputeResource]) -> tuple[ComputeRow, ...]:
    """The most frequent type first."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for resource in resources:
        kind = compute_type(resource.id.type)
        counts[kind.name if kind else resource.id.type][_identities_of(resource)] += 1
    rows = [ComputeRow(name, **counted) for name, counted in counts.items()]
    return tuple(sorted(rows, key=lambda row: (-row.total, row.type)))


def _identities_of(resource: ComputeResource) -> str:
    """Which of the counts of a ComputeRow it is in."""
    system = resource.identity.system_principal_id is not None
    if resource.identity.user_assigned:
        return "both" if system else "user"
    return "system" if system else "none"


def _assignment_rows(estate: Estate, holders: Holders) -> Iterator[AssignmentRow]:
    evidence = (
        "the directory does not know its principal, in an answer that holds "
        f"{estate.directory.control_principal}, which ARM shows",
        "no resource that ARM lists shows its principal",
    )
    for assignment in estate.authorization.assignments:
        holder = holders.of(assignment)
        yield AssignmentRow(
            assignment,
            _name_of(assignment.role_id, estate),
            holder,
            _privilege(assignment, estate),
            _age_days(assignment.created, estate.at),
            evidence if holder.kind is HolderKind.UNKNOWN else (),
        )


def _access_rows(
    rows: Sequence[AssignmentRow], estate: Estate, policy: Policy | None, given: GivenByRules
) -> tuple[AccessRow, ...]:
    users = users_of(estate.resources)
    assignments = [row.assignment for row in rows]
    asking = rules_asking(assignments, estate.resources, policy)
    found = []
    for row in rows:
        content, giver = row.assignment.content, giver_of(row.assignment, given.installation)
        having = users.get(folded(row.holder.resource), ())
        gave = given.of(content) if giver in _GAVE else ()
        found.append(AccessRow(row, having, giver, asking.get(content, ()), gave))
    return tuple(sorted(found, key=_place_of))


def _place_of(access: AccessRow) -> tuple[str, ...]:
    row = access.row
    return (
        folded(row.assignment.scope),
        folded(row.role),
        folded(row.holder.resource),
        (row.assignment.id),
    )


def _name_of(role: str, estate: Estate) -> str:
    listed = estate.authorization.roles.get(role)
    return listed.name if listed is not None and listed.name else role_name(role)


def _privilege(assignment: ListedAssignment, estate: Estate) -> str:
    """Why an assignment lets its holder get more; "" for one that does not."""
    listed = estate.authorization.roles.get(assignment.role_id)
    role = listed.definition if listed is not None else listed_role(assignment.role_id)
    if not isinstance(role, RoleDefinition):
        return "its definition is not listed: it is not known what it allows"
    if hands_out(role, assignment.scope):
        return "can hand out rights"
    return "can write everything below it" if privilege(role, assignment.scope) else ""


def _age_days(created: str, at: datetime) -> int | None:
    try:
        return max((at - datetime.fromisoformat(created)).days, 0)
    except (ValueError, TypeError):  # no time, or one without a zone
        return None


def _by_subscription(rows: Iterable[AssignmentRow]) -> defaultdict[str, Counter[HolderKind]]:
    found: defaultdict[str, Counter[HolderKind]] = defaultdict(Counter)
    for row in rows:
        found[subscription_id_of(row.assignment.scope)][row.holder.kind] += 1
    return found


def _subscription_rows(
    estate: Estate,
    part: Within,
    compute: Iterable[ComputeResource],
    holders: Mapping[str, Counter[HolderKind]],
) -> Iterator[SubscriptionRow]:
    """In the order of their names; one that only resources or assignments name has none."""
    by_id: defaultdict[str, list[ComputeResource]] = defaultdict(list)
    for resource in compute:
        by_id[resource.id.subscription].append(resource)
    names = {id_: listed.name for id_, listed in estate.subscriptions.items()}
    whole = (one for one in names if part.holds(f"/subscriptions/{one}"))
    known = {*whole, *by_id, *holders} - {""}
    for one in sorted(known, key=lambda each: (names.get(each, "").casefold(), each)):
        counted = holders.get(one, Counter())
        yield SubscriptionRow(one, names.get(one, ""), _compute_rows(by_id[one]), counted)


def _role_rows(rows: Iterable[AssignmentRow]) -> list[RoleRow]:
    """The most frequent first."""
    names: dict[str, str] = {}
    counts: defaultdict[str, Counter[HolderKind]] = defaultdict(Counter)
    for row in rows:
        names[row.assignment.role_id] = row.role
        counts[row.assignment.role_id][row.holder.kind] += 1
    found = [RoleRow(role, names[role], counted) for role, counted in counts.items()]
    return sorted(found, key=lambda row: (-sum(row.holders.values()), row.name))


def _identity_rows(
    estate: Estate, rows: Iterable[AssignmentRow], holders: Holders
) -> list[IdentityRow]:
    """Every user-assigned identity that is listed: the most used first, then by id."""
    held = Counter(row.assignment.principal_id for row in rows)
    found = [
        IdentityRow(listed.id, holders.uses(listed.id), held[listed.own_principal or ""])
        for listed in estate.resources
        if _IDENTITY in folded(listed.id)
    ]
    return sorted(found, key=lambda row: (-row.resources, folded(row.id)))
