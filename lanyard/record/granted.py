"""The row of a grant as it is read and written: its state, whose its assignment is, under which
name that stands, and what is remembered of it.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import FiniteFloat, TypeAdapter

from lanyard.ports.tables import Row
from lanyard.record.repairs import once_more
from lanyard.record.rows import Columns
from lanyard.values.grants import Grant, GrantKind, State
from lanyard.values.resource_id import folded

#: The table, as people are shown it.
TABLE = "grants"
#: How long a remover has between `revoking` and `revoked`.
REVOKE_SECONDS = 120.0
#: The end of a claim that others outlive is noted once in so many seconds: thousands end together.
NOTED_EVERY = 30.0
_MOMENTS = TypeAdapter(tuple[FiniteFloat, ...])


class Missing(StrEnum):
    """What is known of an assignment of ours that was made and is not there, or not so."""

    #: Somebody deleted it, or changed its condition.
    TAKEN = "taken"
    #: It never was there: Azure answered that it was done, and did not do it.
    NOT_DONE = "notDone"
    #: It went with its scope, or nobody can say.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What is remembered of a grant in whatever state. In seconds since the epoch; 0: never."""

    #: When the last claim that was dropped was last needed.
    unclaimed_since: float = 0.0
    #: When nobody that is listed needed it, as far as was asked since then.
    unneeded_since: float = 0.0
    #: The first 404 of ARM since the assignment was last read or made.
    missing_since: float = 0.0
    #: Since when the assignment stands: it was made then, or found to be there.
    stands_since: float = 0.0
    #: Since when what has its name is known to be another owner's: somebody changed the stamp.
    theirs_since: float = 0.0
    #: When somebody took the assignment away, or changed its condition, the last one last.
    taken_at: tuple[float, ...] = ()
    #: When it was made, by Azure's answer, and found not to be there, the last one last.
    not_done_at: tuple[float, ...] = ()

    @property
    def is_unneeded(self) -> bool:
        """Whether it was asked who needs it since its last claim went, and nobody did."""
        return bool(self.unneeded_since) and (
            self.unneeded_since + NOTED_EVERY >= self.unclaimed_since
        )

    def stands(self, now: float) -> "Moments":
        """It stands from now on. What is done with it by whom is looked for since then, and nobody
        who needed it before counts.
        """
        return replace(self, stands_since=now, missing_since=0.0, unclaimed_since=0.0)

    def after(self, missing: Missing, now: float) -> "Moments":
        """It was found not to be as it was given once more, and that became of it."""
        match missing:
            case Missing.TAKEN:
                return replace(self, taken_at=once_more(self.taken_at, now))
            case Missing.NOT_DONE:
                return replace(self, not_done_at=once_more(self.not_done_at, now))
            case Missing.UNKNOWN:
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant's row, read."""

    grant: Grant
    state: State
    ours: bool
    #: The end of a remover's time, in seconds since the epoch.
    until: float
    moments: Moments
    #: The resource (lower-case id) that the assignment is being made for, or "": nobody is at it.
    maker: str
    #: The id of the assignment where it was adopted under another name, else "".
    adopted: str
    #: The version that it was read at; None for what is not written yet.
    row: Row | None = field(default=None, compare=False)

    @property
    def read_as(self) -> Row:
        """The version that it was read at."""
        assert self.row is not None, "it was never read"
        return self.row

    @property
    def assignment_id(self) -> str:
        """The id of the assignment that carries it, where it is ours."""
        return self.adopted or self.grant.assignment_id

    @property
    def written(self) -> float:
        """When the row was written."""
        return self.until - REVOKE_SECONDS

    def moments_on(self, condition: str | None) -> Moments:
        """The moments of who makes it on a condition: on another one than it had it never stood."""
        if condition == self.grant.condition:
            return self.moments
        return replace(self.moments, stands_since=0.0)

    def gives(self, grant: Grant) -> bool:
        """Whether the assignment is there, under the condition that is wanted."""
        return self.state is State.ACTIVE and self.grant.condition == grant.condition


def adopted_as(grant: Grant, assignment_id: str) -> str:
    """An id of the assignment that is not the one that its name makes, else ""."""
    own = not assignment_id or folded(assignment_id) == folded(grant.assignment_id)
    return "" if own else assignment_id


def values_of(granted: Granted) -> dict[str, str]:
    """The columns of its row."""
    grant, moments = granted.grant, granted.moments
    return {
        "state": granted.state.value,
        "kind": grant.kind.value,
        "scope": grant.scope,
        "roleId": grant.role_id,
        "principalId": grant.principal_id,
        "condition": grant.condition or "",
        "ours": str(granted.ours),
        "until": str(granted.until),
        "unclaimedSince": str(moments.unclaimed_since),
        "unneededSince": str(moments.unneeded_since),
        "missingSince": str(moments.missing_since),
        "theirsSince": str(moments.theirs_since),
        "standsSince": str(moments.stands_since),
        "takenAt": json.dumps(moments.taken_at),
        "notDoneAt": json.dumps(moments.not_done_at),
        "maker": granted.maker,
        "adopted": granted.adopted,
    }


def granted_in(row: Row) -> Granted:
    """What a row holds. Raises DamagedRow."""
    columns = Columns(TABLE, row)
    grant = Grant(
        columns.text("scope"),
        columns.text("roleId"),
        columns.text("principalId"),
        columns.text("condition") or None,
        columns.choice("kind", GrantKind),
    )
    if grant.name != row.partition:
        raise columns.damaged("scope", "or another one is not what the grant's name was made of")
    state, ours = columns.choice("state", State), columns.flag("ours")
    return Granted(
        grant=grant,
        state=state,
        ours=ours,
        until=columns.number("until"),
        moments=Moments(
            unclaimed_since=columns.number("unclaimedSince"),
            unneeded_since=columns.number("unneededSince"),
            missing_since=columns.number("missingSince"),
            stands_since=columns.number("standsSince"),
            theirs_since=columns.number("theirsSince"),
            taken_at=columns.json("takenAt", _MOMENTS),
            not_done_at=columns.json("notDoneAt", _MOMENTS),
        ),
        maker=columns.text("maker"),
        adopted=columns.text("adopted"),
        row=row,
    )
