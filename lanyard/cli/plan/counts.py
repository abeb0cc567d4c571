"""What a plan comes to, in numbers. What many resources share is counted once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanyard.cli.frame.names import counted
from lanyard.cli.plan.batch import Looked
from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReplaceIdentity,
    UpgradeInstances,
    is_removal,
)
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.grants import content_of
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a plan comes to."""

    create: int  # identities to make
    attach: int  # to attach, also again, also in the place of another one
    enable: int  # system-assigned identities
    assign: int  # roles
    upgrade: int  # resources whose instances are to be brought up to date
    remove: int  # whatever is taken away
    restart: int  # resources that restart with it
    replace: int  # resources whose one identity is replaced
    held: int  # actions that are not done, with a reason
    waiting: int  # identities to attach that do not exist
    impossible: int  # parts of a rule that a resource cannot have
    changed: int  # resources with something to do
    unchanged: int  # resources that have all they should have
    failed: int  # resources of which nothing is known


def count(looked: Sequence[Looked]) -> Counts:
    """The numbers of a look ahead."""
    seen = [each for each in looked if each.preview is not None]
    previews = [each.preview for each in seen if each.preview is not None]
    allowed = _distinct((p.resource.id, action) for p in previews for action in p.verdict.allowed)
    held = _distinct((p.resource.id, held.action) for p in previews for held in p.verdict.held)
    return Counts(
        create=_number(CreateIdentity, allowed),
        attach=sum(_attaches(action) for action in allowed),
        enable=sum(_enables(action) for action in allowed),
        assign=_number(AssignRole, allowed),
        upgrade=_number(UpgradeInstances, allowed),
        remove=sum(is_removal(action) for action in allowed),
        restart=sum(p.restarts for p in previews),
        replace=sum(p.replaces for p in previews),
        held=len(held),
        waiting=sum(len(p.plan.blocked) for p in previews),
        impossible=sum(len(p.wanted.unfulfillable) for p in previews),
        changed=sum(bool(p.verdict.allowed) for p in previews),
        unchanged=sum(not (p.plan.actions or p.plan.blocked) for p in previews),
        failed=len(looked) - len(seen),
    )


def in_words(counts: Counts) -> str:
    """`3 to attach, 2 to assign, 1 held, 4 resources unchanged`; what is zero is left out."""
    parts = [
        (counts.create, "to create"),
        (counts.attach, "to attach"),
        (counts.enable, "to enable"),
        (counts.assign, "to assign"),
        (counts.upgrade, "to bring up to date"),
        (counts.remove, "to remove"),
        (counts.restart, "to restart"),
        (counts.replace, "to have their identity replaced"),
        (counts.held, "held"),
        (counts.waiting, "waiting"),
        (counts.impossible, "impossible"),
        (counts.failed, "failed"),
    ]
    shown = [f"{number} {words}" for number, words in parts if number]
    if counts.unchanged:
        shown.append(f"{counted(counts.unchanged, 'resource')} unchanged")
    return ", ".join(shown if counts.changed else ["no changes", *shown])


def _distinct(actions: Iterable[tuple[ResourceId, Action]]) -> list[Action]:
    """An identity is made once and a role assigned once, however many resources share them."""
    distinct: dict[object, Action] = {}
    for resource, action in actions:
        match action:
            case CreateIdentity(id=identity):
                key: object = (CreateIdentity, identity)
            case AssignRole(to=UserAssigned() as to):
                key = (AssignRole, content_of(action.scope, action.role_id, to))
            case _:
                key = (resource, action)
        distinct.setdefault(key, action)
    return list(distinct.values())


def _attaches(action: Action) -> bool:
    if isinstance(action, ReplaceIdentity):
        return isinstance(action.new, UserAssigned)
    return isinstance(action, AttachIdentity | ReattachIdentity)


def _enables(action: Action) -> bool:
    if isinstance(action, ReplaceIdentity):
        return isinstance(action.new, SystemAssigned)
    return isinstance(action, EnableSystemIdentity)


def _number(kind: type | object, actions: Iterable[Action]) -> int:
    return sum(isinstance(action, kind) for action in actions)  # type: ignore[arg-type]
