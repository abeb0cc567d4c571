"""Which part of the estate a command is to look at. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded, subscription_of
from lanyard.values.subscriptions import Subscription, Subscriptions


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it was asked for: subscriptions by id or name, resource groups by name or id, management
    groups by name.
    """

    subscriptions: Sequence[str] = ()
    resource_groups: Sequence[str] = ()
    management_groups: Sequence[str] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it."""
        return not (self.subscriptions or self.resource_groups or self.management_groups)


@dataclass(frozen=True, slots=True)
class Within:
    """`subscriptions`: ids (lower case). `groups`: names or ids of resource groups (folded). None
    stands for all.
    """

    subscriptions: frozenset[str] | None = None
    groups: frozenset[str] | None = None

    def holds(self, id_: str) -> bool:
        """Whether a resource, or a scope, is in it. What is above subscriptions is in no part."""
        if self.subscriptions is None and self.groups is None:
            return True
        where = subscription_of(id_)
        if where is None:
            return False
        in_subscription = self.subscriptions is None or where.subscription in self.subscriptions
        in_group = self.groups is None or not self.groups.isdisjoint(_groups_of(id_))
        return in_subscription and in_group


EVERYWHERE = Within()


def within(wanted: Wanted, known: Subscriptions) -> Within:
    """That part of what can be read. Raises LanyardError for a subscription or management group
    that is not known, each named, and for a resource group whose id is none.
    """
    if wanted.is_everything:
        return EVERYWHERE
    problems: list[str] = []
    subscriptions: set[str] = set()
    for each in wanted.subscriptions:
        if not (found := {id_ for id_, one in known.items() if _is_called(id_, one, each)}):
            problems.append(f"--subscription {each!r}: you can read none with this id or name")
        subscriptions |= found
    for each in wanted.management_groups:
        name = folded(each.rpartition("/")[2])
        if not (found := {id_ for id_, one in known.items() if name in one.groups}):
            problems.append(f"--management-group {each!r}: you can read no subscription in it")
        subscriptions |= found
    groups = {_group(each, problems) for each in wanted.resource_groups}
    if problems:
        raise LanyardError("\n".join(problems))
    narrowed = bool(wanted.subscriptions or wanted.management_groups)
    return Within(frozenset(subscriptions) if narrowed else None, frozenset(groups) or None)


def _groups_of(id_: str) -> list[str]:
    parts = folded(id_).split("/")
    return [parts[4], "/".join(parts[:5])] if len(parts) > 4 else []


def _is_called(id_: str, one: Subscription, text: str) -> bool:
    wanted = folded(text).removeprefix("/subscriptions/").rstrip("/")
    return wanted in (id_, folded(one.name))


def _group(text: str, problems: list[str]) -> str:
    if not text.startswith("/"):
        return folded(text)
    try:
        parsed = ResourceId.parse(text)
    except InvalidResourceId as error:
        problems.append(f"--resource-group: {error}")
        return ""
    if not parsed.is_resource_group:
        problems.append(f"--resource-group {text!r}: it is no resource group's id")
    return parsed.key
