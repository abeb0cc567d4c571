"""The `identity` of a write: what a change makes of what is there, as each type takes it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any, Self

from lanyard.values.compute import Identity
from lanyard.values.compute_types import ComputeType, Verb
from lanyard.values.errors import Because, Permanent, Refused
from lanyard.values.resource_id import ResourceId

type Block = Mapping[str, Any]

#: The most identities that one write may add ("exceed limit '150' in one request").
MOST_AT_ONCE = 150
# What cannot be written safely is looked at again so much later (seconds).
_UNSAFE_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """What is asked of an identity block. An identity that is in both is attached."""

    add: tuple[ResourceId, ...] = ()
    remove: tuple[ResourceId, ...] = ()
    enable_system: bool = False

    @classmethod
    def of(
        cls, add: Iterable[ResourceId], remove: Iterable[ResourceId], enable_system: bool = False
    ) -> Self:
        """Each identity once, whatever its case; additions win over removals."""
        added = tuple(dict.fromkeys(add))
        return cls(added, tuple(each for each in remove if each not in added), enable_system)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the resource carries after a change."""

    system: bool
    user_assigned: tuple[ResourceId, ...]
    #: Whether there are user-assigned identities besides that are not known by their ids.
    others: bool = False

    @property
    def any_assigned(self) -> bool:
        """Whether it has a user-assigned identity."""
        return bool(self.user_assigned) or self.others


def wanted(kind: ComputeType, before: Identity, change: IdentityChange) -> Wanted:
    """What `change` makes of `before`.

    Everything else stays, but for types that hold one identity or one kind of it: there what is
    added replaces it. Raises Permanent, with the table's reason, for what the type cannot take.
    """
    _check(kind, change)
    system = change.enable_system or before.system_principal_id is not None
    kept = [each for each in before.user_assigned if each not in change.remove]
    if change.add and kind.replaces:
        kept = []
    if not kind.combined:
        system = system and not change.add
        kept = [] if change.enable_system else kept
    left = Wanted(system, tuple(dict.fromkeys([*kept, *change.add])), others=not before.whole)
    if kind.required and not (left.system or left.any_assigned):
        raise _refused(kind)
    return left


def identity_blocks(kind: ComputeType, before: Identity, change: IdentityChange) -> list[Block]:
    """The `identity` of each write that makes the change, in order; none where nothing changes.

    The type repeats SystemAssigned where it is on, for "UserAssigned" alone would drop it. Values
    are `{}` to have and, with PATCH, null to remove: any other is refused (InvalidIdentityValues).
    Raises Refused where a write could drop, or change, what is not known by its id.
    """
    after = wanted(kind, before, change)
    changes = _changes(before, after)
    if not changes and after.system == (before.system_principal_id is not None):
        return []
    _check_safe(kind, before, names_any=bool(changes))
    if not after.any_assigned:
        return [{"type": _type(kind, after)}]
    return list(_writes(kind, before, after, changes or _any_attached(before)))


def takes_off(before: Identity, goal: Wanted) -> bool:
    """Whether a change leaves a resource without something that it has."""
    system = before.system_principal_id is not None and not goal.system
    return system or not before.user_assigned.keys() <= set(goal.user_assigned)


def lacking(after: Identity, goal: Wanted, change: IdentityChange) -> list[str]:
    """What of a change a resource does not show: an identity without a principal is not there."""
    attached = after.user_assigned
    lost = [str(each) for each in change.add if attached.get(each) is None]
    lost += [str(each) for each in change.remove if each in attached]
    if goal.system and after.system_principal_id is None:
        lost.append("the system-assigned identity")
    return lost


def is_written(kind: ComputeType, block: Block, before: Identity, after: Identity) -> bool:
    """Whether a resource shows what a block writes: each identity that it names, with a principal,
    and none that it takes off, or leaves out where it names all that stay.
    """
    ids: Mapping[str, Any] = block.get("userAssignedIdentities", {})
    named = {ResourceId.parse(text): value for text, value in ids.items()}
    there = {each for each, value in named.items() if value is not None}
    if any(after.user_assigned.get(each) is None for each in there):
        return False
    system = "SystemAssigned" in str(block["type"])
    if system != (after.system_principal_id is not None):
        return False
    gone = named.keys() if named and kind.merges else before.user_assigned.keys()
    return not (gone - there) & after.user_assigned.keys()


def _check(kind: ComputeType, change: IdentityChange) -> None:
    refused = (
        not kind.attachable
        or (change.enable_system and not kind.system_assigned)
        or (change.add and not kind.user_assigned)
        or (change.add and change.enable_system and not kind.combined)
        or (kind.most_user_assigned is not None and len(change.add) > kind.most_user_assigned)
    )
    if refused:
        raise _refused(kind)


def _refused(kind: ComputeType) -> Permanent:
    return Permanent(f"{kind.name} does not take this: {kind.reason}")


def _check_safe(kind: ComputeType, before: Identity, *, names_any: bool) -> None:
    """An odd key is written as it was read, but where something takes its place. What is not shown
    is left alone by a write that merges, and names what it changes.
    """
    replaced = kind.replaces or not kind.combined
    if not (before.odd and replaced) and not (
        before.shows_none and not (kind.merges and names_any)
    ):
        return
    shown = ", ".join(map(repr, before.odd)) or "user-assigned identities of which it shows none"
    raise Refused(
        Because.ANOTHER_OWNER,
        f"its identity block has what cannot be written back safely: {shown}",
        _UNSAFE_DELAY,
        "write that identity under its plain id, or take it off; it goes on by itself",
        releasable=False,
    )


def _changes(before: Identity, after: Wanted) -> dict[ResourceId, Block | None]:
    """Additions (`{}`) before removals (null), each of these spelled as it is attached, should the
    service compare case.
    """
    additions = [each for each in after.user_assigned if each not in before.user_assigned]
    removals = [each for each in before.user_assigned if each not in after.user_assigned]
    return {**{each: {} for each in additions}, **dict.fromkeys(removals)}


def _any_attached(before: Identity) -> dict[ResourceId, Block | None]:
    """One that is attached: "UserAssigned" with no id is refused (MissingIdentityIds), also where
    only the system-assigned identity is enabled. One that shows its principal is sure to exist.
    """
    ordered = sorted(before.user_assigned, key=lambda each: before.user_assigned[each] is None)
    return {each: {} for each in ordered[:1]}


def _writes(
    kind: ComputeType, before: Identity, after: Wanted, changes: Mapping[ResourceId, Block | None]
) -> Iterator[Block]:
    """In parts of a size that Azure takes. As additions come first, the type of the end is true of
    each. Where unnamed identities might be dropped, all that stay are named with each part.
    """
    there: dict[ResourceId, Block | None] = {each: {} for each in before.user_assigned}
    odd: dict[str, Block | None] = {each: {} for each in before.odd}
    for part in [*batched(changes.items(), MOST_AT_ONCE, strict=False)] or [()]:
        there |= dict(part)
        names = dict(part) if kind.merges else dict(there)
        if kind.verb is Verb.PUT:
            names = {each: value for each, value in names.items() if value is not None}
        ids = {each.text: value for each, value in names.items()}
        if not kind.merges or not ids:
            ids = {**odd, **ids}
        yield {"type": _type(kind, after), "userAssignedIdentities": ids}


def _type(kind: ComputeType, goal: Wanted) -> str:
    words = ["SystemAssigned"] if goal.system else []
    words += ["UserAssigned"] if goal.any_assigned else []
    return kind.separator.join(words) or "None"
