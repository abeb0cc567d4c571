"""Taking one part back after the other."""

from dataclasses import dataclass, field

from lanyard.desk.onboarding.steps import Resources, Step, Verb, doing, explained
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_within


@dataclass
class Removal:
    """`going`: the ids (lower case) of what was, or would be, removed; `failed`: of what is still
    there.
    """

    resources: Resources
    write: bool
    going: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    async def of(self, id_: str, api_version: str, about: str) -> Step:
        """Remove one, or only plan to. What holds something that is still there is not tried."""
        if inside := next((each for each in self.failed if _holds(id_, each)), ""):
            return self._fail(id_, about, f"not tried: {inside} is still there")
        self.going.add(folded(id_))
        if not self.write:
            return Step(id_, about, Verb.REMOVE)
        try:
            await self.resources.delete(id_, api_version)
        except LanyardError as error:
            return self._fail(id_, about, explained(error, doing(Verb.REMOVE, id_), id_))
        return Step(id_, about, Verb.REMOVE, done=True)

    def _fail(self, id_: str, about: str, error: str) -> Step:
        self.failed.add(id_)
        return Step(id_, about, Verb.REMOVE, error=error)


def _holds(id_: str, inside: str) -> bool:
    return folded(inside) != folded(id_) and is_within(inside, id_)
