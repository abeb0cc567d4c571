"""The record of a resource after what was done to it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from lanyard.planning.actions import (
    Action,
    AttachIdentity,
    CreateIdentity,
    DeleteIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    RemoveOrphans,
    ReplaceIdentity,
)
from lanyard.planning.givers import identity_key
from lanyard.planning.outcomes import Outcome, only
from lanyard.planning.plan import Plan
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import after_repairs
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because, Permanent, Refused, Temporary
from lanyard.values.grants import Grant
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Done:
    """What the outcomes of a plan come to. `assigned` are grants that are claimed and assigned."""

    outcomes: tuple[Outcome, ...]
    assigned: frozenset[Grant]
    principals: Mapping[PrincipalRef, str]
    #: The identities that the resource showed when it was read last.
    shown: Set[ResourceId] = frozenset()
    #: Identities that were not on record as attached before.
    newly_attached: Set[ResourceId] = frozenset()

    def done[T](self, kind: type[T]) -> list[T]:
        """The actions of one kind that were done."""
        return only(kind, (o.action for o in self.outcomes if o.failure is None))

    def refused[T](self, kind: type[T]) -> list[T]:
        """The actions of one kind that failed for good, or were not let begin; not where nobody
        knows whether they were done, nor where only the budget was spent.
        """
        return only(kind, (o.action for o in self._certain if _is_refused(o.failure)))

    @property
    def _certain(self) -> list[Outcome]:
        """Of what failed, that which Azure did not do."""
        return [o for o in self.outcomes if o.failure and not o.failure.uncertain]

    @property
    def actions(self) -> list[Action]:
        """All that were done."""
        return [outcome.action for outcome in self.outcomes if outcome.failure is None]

    @property
    def no_longer_ours(self) -> frozenset[PrincipalRef]:
        """Attachments that were taken back, or never came to be."""
        detached = {UserAssigned(action.id) for action in self.done(DetachIdentity)}
        refused = {UserAssigned(a.id) for a in self.refused(AttachIdentity) if not a.in_repair}
        replaced = {action.old for action in self.done(ReplaceIdentity)}
        never = {action.new for action in only(ReplaceIdentity, (o.action for o in self._certain))}
        return frozenset(detached | refused | replaced | never)

    @property
    def not_attached(self) -> frozenset[ResourceId]:
        """What a write that was refused for now did not attach: whoever does so meanwhile, it is
        theirs.
        """
        ids = {a.id for a in only(AttachIdentity, (o.action for o in self._certain))}
        return frozenset((ids & self.newly_attached) - self.shown)

    @property
    def repaired(self) -> frozenset[ResourceId]:
        """Identities whose repair came to its end, or was not begun: nothing was taken off."""
        repaired = {a.id for a in self.done(AttachIdentity)} | set(self._not_begun())
        return frozenset(repaired | {a.id for a in self.done(ReattachIdentity)})

    def _not_begun(self) -> Iterator[ResourceId]:
        for action, failure in ((o.action, o.failure) for o in self.outcomes if o.failure):
            match action:
                case ReattachIdentity(id=id) if id in self.shown and not failure.uncertain:
                    yield id
                case AttachIdentity(id=id, rules=()) if isinstance(failure, Permanent):
                    yield id  # no rule asks for it, and it cannot be

    @property
    def released(self) -> frozenset[str]:
        """The names of the grants whose claim is gone."""
        names = {action.grant.name for action in self.done(ReleaseGrant)}
        return frozenset(names - {grant.name for grant in self.assigned})

    @property
    def attached(self) -> dict[str, str]:
        """The principals of the identities (by their keys) that were attached, or enabled."""
        refs: list[PrincipalRef] = [UserAssigned(each.id) for each in self.done(AttachIdentity)]
        refs += [action.new for action in self.done(ReplaceIdentity)]
        refs += [UserAssigned(each.id) for each in self.done(ReattachIdentity)]
        refs += [SystemAssigned() for _ in self.done(EnableSystemIdentity)]
        return {ref.key: self.principals[ref] for ref in refs if ref in self.principals}


def _is_refused(failure: Temporary | Permanent | None) -> bool:
    if isinstance(failure, Refused):
        return failure.because is not Because.BUDGET
    return isinstance(failure, Permanent)


def settled(record: ResourceRecord, done: Done, *, gone: bool) -> ResourceRecord:
    """The record after this; what failed stays on it, and is tried or undone again.

    `gone`: the resource is no more.
    """
    cleaned = {action.principal_id for action in done.done(RemoveOrphans)}
    after = replace(
        record,
        dedicated=_dedicated(record, done),
        attachments=_attachments(record, done),
        in_repair=frozenset() if gone else record.in_repair - done.repaired,
        grants=_unsettled(record.grants, done) | done.assigned,
        pending=_unsettled(record.pending, done),
        system_principals=record.system_principals - cleaned,
        gone_at={p: at for p, at in record.gone_at.items() if p not in cleaned},
        instances_lag=record.instances_lag and not gone,
        confirmed=_confirmed(record, done),
        repairs=after_repairs(record, done.actions, _given_up(done)),
    )
    return _without_a_resource(after) if gone else after


def _without_a_resource(record: ResourceRecord) -> ResourceRecord:
    """What Lanyard attached to it keeps no record, and stays on one while something of the resource
    is to go: a listing that is late or wrong may show by then that it was moved.
    """
    bare = replace(record, attachments={})
    return bare if bare.empty else record


def unfinished_repairs(in_repair: Set[ResourceId], todo: Plan) -> frozenset[ResourceId]:
    """Those that a plan still has to bring to an end: somebody else may have done so, or nobody
    wants it any more. One whose identity does not exist yet waits for it.
    """
    planned = {a.id for a in todo.actions if isinstance(a, AttachIdentity | ReattachIdentity)}
    return frozenset(in_repair & (planned | {identity.id for identity in todo.blocked}))


def _attachments(record: ResourceRecord, done: Done) -> dict[ResourceId, float]:
    not_ours = done.no_longer_ours | {UserAssigned(one) for one in done.not_attached}
    known = record.attachments.items()
    return {one: at for one, at in known if UserAssigned(one) not in not_ours}


def _dedicated(record: ResourceRecord, done: Done) -> dict[ResourceId, Dedicated]:
    """One that could not be made may be made by someone else: then it is theirs."""
    not_ours = {action.id for action in done.refused(CreateIdentity)}
    gone = not_ours | {action.id for action in done.done(DeleteIdentity)}
    return {one: own for one, own in record.dedicated.items() if one not in gone}


def _unsettled(grants: Iterable[Grant], done: Done) -> frozenset[Grant]:
    names = done.released | {grant.name for grant in done.assigned}
    return frozenset(grant for grant in grants if grant.name not in names)


def _confirmed(record: ResourceRecord, done: Done) -> dict[str, str]:
    taken_back = {identity.key for identity in done.no_longer_ours}
    known = {**record.confirmed, **done.attached}
    return {key: principal for key, principal in known.items() if key not in taken_back}


def _given_up(done: Done) -> set[str]:
    """The keys (`repair_key`) of the identities that are no longer wanted."""
    return {identity_key(identity) for identity in done.no_longer_ours}
