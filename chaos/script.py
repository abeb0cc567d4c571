"""What people do in the storm, decided by the seed alone: who lives where, changes, dies when."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.policy import FIRST, Edition

VM, SITE, APP = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Web/sites",
    "Microsoft.App/containerApps",
)
LOCATION = "westeurope"
_NEXT_REGIONAL = "id-compute"
type Tags = dict[str, str]


@dataclass(frozen=True)
class Create:
    """`system`: with a system-assigned identity; `foreign`: with an identity of somebody else."""

    tags: Tags
    system: bool
    foreign: bool


@dataclass(frozen=True)
class Retag:
    """The tags are replaced: other rules match from now on."""

    tags: Tags


@dataclass(frozen=True)
class Exclude:
    """A tag that every rule excludes is set, or (`on` is false) taken off; the others stay."""

    on: bool


@dataclass(frozen=True)
class Replace:
    """It is deleted and made again under its name at once, with its tags, as Terraform does."""


@dataclass(frozen=True)
class Strip:
    """Every identity is taken off the resource."""


@dataclass(frozen=True)
class SystemOff:
    """The system-assigned identity is switched off, the others stay."""


@dataclass(frozen=True)
class GiveRole:
    """Somebody gives a role elsewhere to the system-assigned identity."""


@dataclass(frozen=True)
class Move:
    """To another resource group, with its identities."""

    group: str


@dataclass(frozen=True)
class Delete:
    """The resource is deleted, and people wait until it is gone."""


@dataclass(frozen=True)
class DeleteGroup:
    """The group with all that is in it is deleted, and made again, empty."""

    group: str


@dataclass(frozen=True)
class DeleteIdentity:
    """A shared user-assigned identity is deleted under those who use it."""

    name: str


@dataclass(frozen=True)
class DeleteAssignment:
    """Somebody deletes the role assignments of a shared identity by hand."""

    identity: str


@dataclass(frozen=True)
class PolicyChange:
    """Another edition of the policy. `typo`: one that is corrected before its grace is over."""

    edition: Edition
    typo: bool = False


@dataclass(frozen=True)
class Remember:
    """The tables are copied, as a backup does."""


@dataclass(frozen=True)
class PutBack:
    """The tables, but for the decisions, are again what was copied."""


@dataclass(frozen=True)
class LoseTable:
    """One table with all that is in it."""

    table: str


type Step = Create | Retag | Exclude | Replace | Strip | SystemOff | GiveRole | Move | Delete
type Loss = Remember | PutBack | LoseTable
type Upheaval = DeleteGroup | DeleteIdentity | DeleteAssignment


@dataclass(frozen=True)
class Life:
    """One resource: what is done to it, and the seconds that pass before each step."""

    name: str
    type: str
    group: str
    steps: tuple[tuple[float, Step], ...]


@dataclass(frozen=True)
class Script:
    """The lives in the order they begin; all else by how many have begun."""

    groups: tuple[str, ...]
    lives: tuple[Life, ...]
    upheavals: dict[int, Upheaval] = field(default_factory=dict)
    kills: tuple[int, ...] = ()
    policies: tuple[tuple[int, PolicyChange], ...] = ()
    losses: tuple[tuple[int, Loss], ...] = ()


def write_script(seed: int, scale: int, kills: int) -> Script:
    """`scale` lives; `kills` moments at which the host is killed."""
    author = _Author(random.Random(seed), scale)
    lives = tuple(author.life(number) for number in range(scale))
    upheavals = {author.moment(): upheaval for upheaval in author.upheavals()}
    # When it is the one that all compute shares, whatever came before.
    upheavals[scale - scale // 10] = DeleteIdentity(f"{_NEXT_REGIONAL}-{LOCATION}")
    dice = random.Random(seed + 1)
    times = tuple(sorted(dice.randrange(scale // 10, scale) for _ in range(kills)))
    policies = tuple(_policies(random.Random(seed + 3), scale))
    losses = tuple(_losses(random.Random(seed + 4), scale))
    return Script((*author.lasting, *author.doomed), lives, upheavals, times, policies, losses)


def _policies(dice: random.Random, scale: int) -> Iterator[tuple[int, PolicyChange]]:
    """A rule's identity changes, another one's scope, and somebody mistypes the scope of all."""
    kinds = ["identity", "scope", "typo"]
    dice.shuffle(kinds)
    edition = FIRST
    for number, kind in enumerate(kinds, 1):
        match kind:
            case "identity":
                edition = replace(edition, regional=_NEXT_REGIONAL)
            case "scope":
                edition = replace(edition, team_group="rg-shared")
        typo = kind == "typo"
        told = replace(edition, groups="rg-strom-*") if typo else edition
        yield scale * number // 4, PolicyChange(told, typo)


def _losses(dice: random.Random, scale: int) -> Iterator[tuple[int, Loss]]:
    """A table is lost, and later all are put back, or the other way round."""
    lost = LoseTable(dice.choice(("lanyardgrants", "lanyardresources")))
    steps: list[Loss] = [Remember(), PutBack()]
    steps.insert(dice.randrange(3), lost)
    for number, step in enumerate(steps, 2):
        yield scale * number // 6, step


def teams_of(scale: int) -> int:
    """Few enough members each that a team comes to its last one again and again."""
    return max(2, min(scale // 12, 120))


#: As often as they are named here.
_CHANGES: tuple[Any, ...] = (
    *(Retag,) * 6,
    *(Exclude,) * 6,
    *(Replace, GiveRole) * 3,
    *(Strip,) * 3,
    *(SystemOff, Move) * 2,
)


class _Author:
    """Every decision of the script comes from one stream of chance."""

    def __init__(self, dice: random.Random, scale: int) -> None:
        self._dice = dice
        self._scale = scale
        self.lasting = tuple(f"rg-storm-{n}" for n in range(max(3, scale // 100)))
        self.doomed = tuple(f"rg-storm-doomed-{n}" for n in range(max(1, scale // 200)))
        self._teams = teams_of(scale)

    def life(self, number: int) -> Life:
        """Born with some tags; changed up to three times; more often than not it dies."""
        dice = self._dice
        kind = dice.choices((VM, SITE, APP), (6, 3, 1))[0]
        doomed = dice.random() < 0.12
        group = dice.choice(self.doomed if doomed else self.lasting)
        steps: list[Step] = [self._create(), *self._changes(group)]
        if dice.random() < 0.1:
            steps += [Delete(), self._create()]
        if not doomed and dice.random() < 0.55:
            steps.append(Delete())
        timed = tuple((self._pause(step), step) for step in steps)
        return Life(f"r{number:05d}", kind, group, timed)

    def moment(self) -> int:
        """How many lives have begun when something happens."""
        return self._dice.randrange(self._scale // 4, self._scale)

    def upheavals(self) -> Iterator[Upheaval]:
        """Each doomed group falls once; some teams' identities and assignments are deleted."""
        yield from (DeleteGroup(group) for group in self.doomed)
        for _ in range(max(1, self._scale // 60)):
            yield DeleteIdentity(self._team_identity())
            yield DeleteAssignment(self._team_identity())

    def _changes(self, group: str) -> Iterator[Step]:
        for _ in range(self._dice.choices((0, 1, 2, 3), (4, 4, 2, 1))[0]):
            yield self._change(group)

    def _change(self, group: str) -> Step:
        kind = self._dice.choice(_CHANGES)
        if kind is Retag:
            return Retag(self._tags())
        if kind is Exclude:
            return Exclude(on=self._dice.random() < 0.7)
        if kind is Move:
            # A move out of a group that falls would only be skipped.
            return Move(self._dice.choice(self.lasting)) if group in self.lasting else GiveRole()
        change: Step = kind()
        return change

    def _create(self) -> Create:
        return Create(self._tags(), self._dice.random() < 0.3, self._dice.random() < 0.15)

    def _tags(self) -> Tags:
        dice, tags = self._dice, {"cost": f"c{self._dice.randrange(9)}"}
        if dice.random() < 0.08:
            tags["lanyard"] = "ignore"
        if dice.random() < 0.4:
            tags["team"] = self._team()
        if dice.random() < 0.15:
            tags["own"] = "yes"
        if dice.random() < 0.15:
            tags["system"] = "yes"
        return tags

    def _team(self) -> str:
        return f"t{self._dice.randrange(self._teams)}"

    def _team_identity(self) -> str:
        return f"id-team-{self._team()}-{LOCATION}"

    def _pause(self, step: Step) -> float:
        """Often none, now and then long enough for Lanyard to have finished, or for a grace."""
        if isinstance(step, Exclude):
            return self._dice.choice((3.0, 15.0, 30.0))  # What is to be kept has to be there.
        return self._dice.choice((0.0, 0.0, 0.2, 1.0, 3.0, 8.0, 15.0, 30.0))
