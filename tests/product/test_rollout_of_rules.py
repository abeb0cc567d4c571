"""A policy of sixty rules goes into force by its parts, and `lanyard diff` foresees each step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from lanyard.desk.difference.access import every_access
from lanyard.desk.difference.difference import PolicyDifference
from tests.support.cases import begun, hours
from tests.support.estate import Estate, parsed
from tests.support.what_happens import compared, deviations, everything, settled

TEAMS, STAGES = 30, ("dev", "prod")
RULES = [f"{stage}-{team:02}" for stage in STAGES for team in range(TEAMS)]
#: Not every rule has a machine.
MACHINES = {name: {"rule": name} for name in RULES if name.endswith(("1", "5"))}


@dataclass(frozen=True)
class Rollout:
    """The whole file: sixty rules, each with an identity of its own."""

    modes: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(RULES, "observe"))
    renamed: frozenset[str] = frozenset()
    per_hour: int = 50

    def now(self, *rules: str, mode: str) -> "Rollout":
        return replace(self, modes={**self.modes, **dict.fromkeys(rules, mode)})

    def without(self, rule: str) -> "Rollout":
        return replace(self, modes={one: mode for one, mode in self.modes.items() if one != rule})

    def renaming(self, rule: str) -> "Rollout":
        return replace(self, renamed=self.renamed | {rule})

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from ("version: 1", "mode: full", "identities:")
        for rule in self.modes:
            name = f"id-new-{rule}" if rule in self.renamed else f"id-{rule}"
            yield f'  {rule}: {{name: "{name}-{{location}}", resourceGroup: rg-identities}}'
        yield "rules:"
        for rule, mode in self.modes.items():
            yield f"  - name: {rule}"
            yield f"    mode: {mode}"
            match = f"types: [Microsoft.Compute/virtualMachines], tags: {{rule: {rule}}}"
            yield f"    match: {{{match}}}"
            yield f"    attach: [{rule}]"
            yield f'    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: {rule}}}]'
        yield f"limits: {{removals: {{perHour: {self.per_hour}, percent: 100, graceMinutes: 0}}}}"


class Story:
    """The steps, each foreseen first."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.policy = estate, Rollout()

    async def step(self, policy: Rollout) -> PolicyDifference:
        """What `diff` says of it, which then happens."""
        estate, old, new = self.estate, parsed(self.policy.text()), parsed(policy.text())
        found = await compared(estate, old, new, by_record=True)
        await settled(estate, policy.text())
        self.policy = policy
        assert deviations(every_access(found.after.world), await everything(estate)) == []
        return found

    async def has(self) -> set[str]:
        """The machines that have an identity."""
        return {name for name in MACHINES if await self.estate.identity_of(name)}


def gains(found: PolicyDifference) -> set[str]:
    return {each.id.name for each in found.resources if any(not c.lost for c in each.changes)}


def losses(found: PolicyDifference) -> set[str]:
    return {each.id.name for each in found.resources if any(c.lost for c in each.changes)}


async def test_sixty_rules_go_into_force_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rollout().text())
    for name, tags in MACHINES.items():
        await estate.create_vm(name, tags=tags)
    story = Story(estate)

    observed = await story.step(Rollout())
    assert (gains(observed), await story.has()) == (set(), set())

    dev = {name for name in MACHINES if name.startswith("dev")}
    on = story.policy.now(*(rule for rule in RULES if rule.startswith("dev")), mode="full")
    assert gains(await story.step(on)) == dev
    assert await story.has() == dev

    for rule in ("prod-01", "prod-05", "prod-11"):
        assert gains(await story.step(story.policy.now(rule, mode="full"))) == {rule}

    back = await story.step(story.policy.now("prod-05", mode="observe"))
    assert (gains(back), losses(back)) == (set(), set())
    assert await story.has() == {*dev, "prod-01", "prod-05", "prod-11"}

    renamed = await story.step(story.policy.renaming("prod-05"))
    assert (gains(renamed), losses(renamed)) == (set(), set())
    reasons = {held.reason for each in renamed.resources for held in each.held}
    assert reasons == {
        "rule 'prod-05', which asks for it, is in mode observe",
        "rule 'prod-05', which gave it, is in mode observe",
    }
    assert list(await estate.identity_of("prod-05")) == ["id-prod-05-westeurope"]

    removed = story.policy.without("prod-11")
    assert losses(await story.step(removed)) == {"prod-11"}
    assert await story.has() == {*dev, "prod-01", "prod-05"}


async def test_what_a_removed_rule_gave_goes_by_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    full = replace(Rollout(), per_hour=1).now("dev-01", mode="full")
    estate = await begun(monkeypatch, full.text())
    await estate.create_vm("dev-01", tags={"rule": "dev-01"})
    await settled(estate, full.text())
    assert (len(estate.assignments()), len(await estate.identity_of("dev-01"))) == (1, 1)
    estate.change_policy(full.without("dev-01").text())
    await hours(estate, 1)
    assert len(estate.assignments()) + len(await estate.identity_of("dev-01")) == 1
    await hours(estate, 2)
    assert len(estate.assignments()) + len(await estate.identity_of("dev-01")) == 0
