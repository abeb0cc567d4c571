"""By which rules a deployed app gave what stands, as its record has it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.planning.givers import grant_key
from lanyard.record.ledger import Ledger
from lanyard.record.rows import DamagedRow
from lanyard.values.grants import Content, Grant


@dataclass(frozen=True, slots=True)
class GivenByRules:
    """What an app has on record. `damaged`: its rows that cannot be read, a sentence each."""

    #: The names of the rules, by the key of what they gave to any resource.
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    #: The app's installation (GUID, lower case); "" where it is not known.
    installation: str = ""

    def of(self, content: Content[str]) -> tuple[str, ...]:
        """The rules that gave a role assignment; none where that is not on record."""
        return self.rules.get(grant_key(Grant(*content)), ())


async def read_given(ledger: Ledger, installation: str) -> GivenByRules:
    """Of every resource on record. Raises Temporary, Permanent."""
    damaged: list[DamagedRow] = []
    found: defaultdict[str, set[str]] = defaultdict(set)
    async for record in ledger.records(damaged):
        for key, rules in record.given_by.items():
            found[key] |= {*rules}
    rules_of = {key: tuple(sorted(rules)) for key, rules in found.items()}
    return GivenByRules(rules_of, tuple(map(str, damaged)), installation)
