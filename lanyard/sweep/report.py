"""What one sweep found, as a value and in a line for the log."""

from dataclasses import dataclass, field

from lanyard.planning.orphans import Orphan, OrphanKind

_WORDS = {
    "CreateIdentity": "identities to make",
    "AttachIdentity": "identities to attach",
    "ReattachIdentity": "identities to attach again",
    "EnableSystemIdentity": "system-assigned identities to enable",
    "ReplaceIdentity": "identities to replace",
    "AssignRole": "roles to assign",
    "DetachIdentity": "identities to detach",
    "UpgradeInstances": "scale sets to bring up to date",
    "ReleaseGrant": "roles to unassign",
    "DeleteIdentity": "identities to delete",
    "RemoveOrphans": "principals to clean up after",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What one sweep found."""

    #: Compute resources that are listed.
    listed: int = 0
    #: Of them, those that are not as desired.
    drifted: int = 0
    #: Resources on record that are not listed.
    missing: int = 0
    #: Identities that have another principal than the one on record.
    identities: int = 0
    #: Grants whose assignment, ours or another owner's, someone deleted or changed.
    deleted_grants: int = 0
    assignments: int = 0
    orphans: tuple[Orphan, ...] = ()
    #: The number of role assignments of the subscriptions that are near their limit.
    near_limit: dict[str, int] = field(default_factory=dict)
    #: The ids of user-assigned identities that no resource has.
    unused_identities: tuple[str, ...] = ()
    #: The ids of those that resources show and no listing has.
    unlisted_identities: tuple[str, ...] = ()
    #: Assigned roles without a definition.
    roles_gone: tuple[str, ...] = ()
    #: What would be done to the drifted ones, by kind.
    planned: dict[str, int] = field(default_factory=dict)
    #: Resources that a rule excludes and that keep what they have of it.
    excluded: int = 0
    #: Resources that a rule names, and leaves alone because another service manages them.
    managed: int = 0
    #: Subscriptions (lower case) in which anything is listed.
    seen: frozenset[str] = frozenset()
    #: Subscriptions on record that can no longer be read.
    unseen: tuple[str, ...] = ()
    #: Subscriptions (lower case) in which something that is on record cannot be read.
    partly_seen: frozenset[str] = frozenset()
    #: What else could not be read, each with the reason: nothing is concluded of it.
    unread: tuple[str, ...] = ()
    #: Rows that cannot be read: what they are about is left alone.
    damaged: tuple[str, ...] = ()
    #: What is odd about the subscriptions that the policy names by name or management group.
    subscription_notes: tuple[str, ...] = ()
    #: Whether its time was over before all was on the queue: the next one goes on.
    cut_short: bool = False
    #: Why no orphan was looked for that only the directory can show, or "".
    no_directory: str = ""


def difference(report: SweepReport) -> str:
    """What would be done to the resources that are not as a policy wants them, for people."""
    planned = [
        f"{report.planned[kind]} {_WORDS[kind]}" for kind in _WORDS if kind in report.planned
    ]
    return f"{report.drifted} of {report.listed} resources: " + (", ".join(planned) or "nothing")


def describe(report: SweepReport) -> str:
    """One line for the log and the record."""
    by_kind = {kind: [o for o in report.orphans if o.kind is kind] for kind in OrphanKind}
    parts = [
        f"{report.listed} resources and {report.assignments} role assignments listed",
        f"{report.drifted} not as desired",
        f"{report.missing} known and not listed",
        f"{report.identities} identities changed",
        f"{report.deleted_grants} grants deleted or changed by others",
        *(f"{len(found)} {kind} orphans" for kind, found in by_kind.items()),
        f"{len(report.unused_identities)} identities without use",
        *(f"{one} is shown by resources and not listed" for one in report.unlisted_identities),
        *(f"{n} role assignments in {s}, of 4,000" for s, n in report.near_limit.items()),
        *(f"subscription {one} is on record and cannot be read any more" for one in report.unseen),
        *(f"role {role} is assigned and has no definition" for role in report.roles_gone),
        *(f"not read: {each}" for each in report.unread),
        *(f"left alone: {each}" for each in report.damaged),
        *report.subscription_notes,
    ]
    if report.excluded:
        parts.append(f"{report.excluded} excluded, which keep what they have")
    if report.managed:
        parts.append(f"{report.managed} managed by another service, which are left alone")
    if report.no_directory:
        parts.append(f"orphans only as far as the ledger knows: {report.no_directory}")
    if report.cut_short:
        parts.append("its time was over: the next sweep goes on from there")
    return "sweep: " + ", ".join(parts)
