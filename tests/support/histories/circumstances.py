"""What befell an installation that decides under which name a broken promise counts."""

from dataclasses import dataclass, field

#: That something else than what Lanyard made was taken.
_WHOSE = frozenset({"theirs", "17.1 edited", "17.1 attached again", "17.1 made again"})
#: That something was taken which is needed.
_NEEDED = frozenset(
    {
        "needed",
        "16.1 make before break",
        "16.2 gone",
        "16.4 used elsewhere",
        "16.5 exclude",
        "17.3 unseen",
        "17.4 in use",
    }
)
#: That something was taken too early.
_EARLY = frozenset({"16.3 grace", "16.3 own identity", "17.4 gone"})


@dataclass(kw_only=True)
class Circumstances:
    """Tables that were lost or put back, resources that were moved."""

    #: Rows were lost at some time.
    lost: bool = False
    #: Tables were put back at some time.
    put_back: bool = False
    #: What the tables say of the last sweep was lost or is older than it, and none was since.
    relearning: bool = False
    #: Resource Graph left rows out at some time, and nothing in its answers showed it: whether a
    #: resource was moved cannot be known then.
    hidden: bool = False
    #: Resources (lower-case ids) that came by a move.
    moved: set[str] = field(default_factory=set)
    #: (resource, identity) that no record says any more that Lanyard attached.
    unknown_attachments: set[tuple[str, str]] = field(default_factory=set)
    #: Identities of one resource that no record says any more that Lanyard made.
    unknown_identities: set[str] = field(default_factory=set)

    def move(self, old: str, new: str) -> None:
        """A resource (lower-case ids) was moved."""
        self.moved.add(new)
        self.unknown_attachments = {
            (new if resource == old else resource, identity)
            for resource, identity in self.unknown_attachments
        }

    def taken(self, promise: str, *, moved: bool) -> str:
        """The name under which a taking counts. `moved`: from something that was moved."""
        if self.put_back and promise in _WHOSE | _NEEDED:
            return "17.3 put back"
        if (self.put_back or self.lost) and promise in _EARLY:
            return "17.3 graces"
        if self.lost and promise in _NEEDED:
            return "17.3 relearning"
        return "17.6 moved" if moved and promise in _NEEDED | _EARLY else promise

    def missing(self, promise: str, *, moved: bool) -> str:
        """The name under which it counts that something is missing in the end."""
        if moved:
            return "17.6 moved"
        if self.lost or self.put_back:
            return "17.3 list" if promise == "held" else "17.3 drift"
        return promise

    def left(self, promise: str, *, moved: bool) -> str:
        """The name under which it counts that something stays in the end which nobody needs."""
        if moved:
            return "17.6 moved"
        if self.lost or self.put_back:
            return "17.3 list" if promise == "held" else "17.3 left over"
        return promise
