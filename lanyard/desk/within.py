"""Which part of the estate a command is to look at. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lanyard.policy.problems import near
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
    """`subscriptions`: ids (lower case). `groups`: ids of resource groups (folded). None stands for
    all.
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
        in_group = self.groups is None or _group_of(id_) in self.groups
        return in_subscription and in_group


EVERYWHERE = Within()


def within(wanted: Wanted, known: Subscriptions, groups: Iterable[ResourceId] = ()) -> Within:
    """That part of what is listed. `groups`: every resource group that is, empty ones included;
    needed where groups are wanted.

    Raises LanyardError that names each subscription, management group and resource group that is
    not listed, and what is near: a misspelt one would look like one in which there is nothing.
    """
    if wanted.is_everything:
        return EVERYWHERE
    problems: list[str] = []
    part = Within(_subscriptions(wanted, known, problems))
    inside = [one for one in groups if problems or part.holds(one.text)]
    found = frozenset(
        one.key for text in wanted.resource_groups for one in _group(text, inside, problems)
    )
    if problems:
        raise LanyardError("\n".join(problems))
    return Within(part.subscriptions, found or None)


def did_you_mean(text: str, known: Mapping[str, str]) -> str:
    """What follows on a name that nothing has: the nearest of those that are known (names, each
    with what to write for it), "" where none is near.
    """
    meant = near(text, known)
    return f"; did you mean {known[meant]!r}?" if meant else ""


def _subscriptions(
    wanted: Wanted, known: Subscriptions, problems: list[str]
) -> frozenset[str] | None:
    found: set[str] = set()
    for each in wanted.subscriptions:
        if not (some := {id_ for id_, one in known.items() if is_called(id_, one, each)}):
            problems.append(
                f"--subscription {each!r}: you can read none with this id or name"
                + did_you_mean(_bare(each), _names(known))
            )
        found |= some
    for each in wanted.management_groups:
        name = folded(each.rpartition("/")[2])
        if not (some := {id_ for id_, one in known.items() if name in one.groups}):
            named = {group: group for one in known.values() for group in one.groups}
            problems.append(
                f"--management-group {each!r}: you can read no subscription in it"
                + did_you_mean(name, named)
            )
        found |= some
    narrowed = wanted.subscriptions or wanted.management_groups
    return frozenset(found) if narrowed else None


def is_called(id_: str, one: Subscription, text: str) -> bool:
    """Whether a text means a subscription: its id, also as a scope, or its name, in any case."""
    return _bare(text) in (id_, folded(one.name))


def _bare(text: str) -> str:
    return folded(text).removeprefix("/subscriptions/").rstrip("/")


def _names(known: Subscriptions) -> dict[str, str]:
    names = {one.name: one.name for one in known.values() if one.name}
    return names | {id_: id_ for id_ in known}


def _group_of(id_: str) -> str:
    parts = folded(id_).split("/")
    return "/".join(parts[:5]) if len(parts) > 4 else ""


def _group(text: str, known: Iterable[ResourceId], problems: list[str]) -> list[ResourceId]:
    """Those that a text means: one by its id, all of a name."""
    wanted = text
    if text.startswith("/"):
        try:
            parsed = ResourceId.parse(text)
        except InvalidResourceId as error:
            problems.append(f"--resource-group: {error}")
            return []
        if not parsed.is_resource_group:
            problems.append(f"--resource-group {text!r}: it is no resource group's id")
            return []
        wanted = parsed.key
    # By ids, or by names; what is near is known by the name.
    found = [one for one in known if folded(wanted) in (one.key, folded(one.name))]
    if not found:
        named = {one.name: one.text if text.startswith("/") else one.name for one in known}
        near_it = did_you_mean(wanted.rpartition("/")[2], named)
        problems.append(f"--resource-group {text!r}: none that is listed has this name{near_it}")
    return found
