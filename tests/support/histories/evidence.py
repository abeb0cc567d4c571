"""What an installation can know of a resource: what ARM answered it, what was reported to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from simulator.arm.calls import Call
from simulator.azure import Azure
from tests.support.histories.places import Place

#: Seconds between two reads that answer 404, that they count as two.
_SECOND_LOOK = 60.0


@dataclass(frozen=True)
class Evidence:
    """That a resource is gone. `misses`: when reads answered 404. `deleted`: a delete event says
    so, after which no write was told, and of this life Lanyard has seen nothing yet.
    """

    misses: tuple[float, ...]
    deleted: bool

    def complete(self, graph_lied: bool) -> bool:
        """Whether it is as much as was promised to be asked for."""
        if not self.misses:
            return False
        return self.deleted or graph_lied or self.misses[-1] - self.misses[0] >= _SECOND_LOOK


@dataclass(frozen=True)
class Looks:
    """Of the installation whose identity is `app` (object id). `born`: since when each resource
    lives, by its lower-case id.
    """

    azure: Azure
    born: Mapping[str, float]
    app: str
    #: Every event that was delivered: (id of the resource, "write" or "delete", its time).
    events: list[tuple[str, str, float]] = field(default_factory=list)

    def evidence(self, place: Place) -> Evidence:
        """That a living resource is gone: what was seen of it since it was last seen."""
        born, seen = self.born.get(place.id, 0.0), 0.0
        misses: list[float] = []
        for call in self._reads(place.id):
            if call.status == 200:
                misses, seen = [], call.at
            elif call.status == 404 and call.at >= born:
                misses.append(call.at)
        told = [each for each in self.events if place.id == each[0] or _is_below(place, each[0])]
        written = max((at for _, verb, at in told if verb == "write"), default=-1.0)
        deleted = max((at for _, verb, at in told if verb == "delete"), default=-1.0)
        return Evidence(tuple(misses), deleted > max(written, -0.5) and seen < born)

    def was_read(self, resource: str, since: float) -> bool:
        """Whether the resource was read after `since`: what it needs could be known."""
        return any(call.at >= since and call.status == 200 for call in self._reads(resource))

    def was_deceived(self, place: Place) -> bool:
        """Whether ARM ever said that this life of a resource was not there: then its record may
        have ended, and what is on the resource is nobody's that it knows.
        """
        born = self.born.get(place.id, 0.0)
        return any(call.status == 404 and call.at >= born for call in self._reads(place.id))

    def _reads(self, resource: str) -> Iterator[Call]:
        for call in self.azure.calls:
            if (call.method, call.path.lower(), call.caller) == ("GET", resource, self.app):
                yield call


def _is_below(place: Place, group: str) -> bool:
    return place.id.startswith(f"{group}/")
