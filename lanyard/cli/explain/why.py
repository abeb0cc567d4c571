"""Why a role assignment is there: the claims on it, the rules that ask, the event that led to it,
and what would have to change for it to go. Values.
"""

from dataclasses import dataclass

from lanyard.record.decisions import Recorded
from lanyard.values.grants import RoleAssignment, Standing, State
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.stamps import Stamp

_NOT_OURS = "Lanyard did not make it and leaves it alone; whoever made it may delete it"
_ONCE_GONE = "when its principal exists neither in ARM nor in the directory any more"
#: What a user or a group leaves behind is none of Lanyard's business.
_CLEANED_UP = "serviceprincipal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A resource needs the assignment."""

    resource: ResourceId
    exists: bool
    #: Those of the policy that ask for it now.
    rules: tuple[str, ...] = ()
    #: What gave it to the resource, where the record still has it.
    decision: Recorded | None = None
    #: Rules that exclude the resource, which keeps it.
    kept_by: tuple[str, ...] = ()
    #: Of which it is not known whether they are for the resource, which keeps it meanwhile.
    perhaps: tuple[str, ...] = ()
    #: Why its release is not done, where it is due or would be: by the list of what is held, the
    #: mode and a pause; "" where nothing is in its way.
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One role assignment."""

    assignment: RoleAssignment
    #: The name of its role, or its GUID where that is not known.
    role: str
    #: What Lanyard has on record of it, if it has anything.
    standing: Standing | None = None
    claims: tuple[Claim, ...] = ()
    #: So many claims were not read.
    more: int = 0
    #: Who had its removal undone.
    kept_by: str = ""
    #: What `plan` says where a rule asks for it on another condition; "" where none does.
    otherwise: str = ""
    #: Why it stays although nothing claims it, or although its principal is gone; "" where it goes.
    held: str = ""

    @property
    def lanyards(self) -> bool:
        """Whether Lanyard made it, or it was adopted."""
        return self.standing is not None and self.standing.ours

    @property
    def adopted(self) -> bool:
        """Whether somebody else made it, and a person had it adopted."""
        stamp = Stamp.of(self.assignment.description)
        return self.lanyards and stamp is not None and stamp.adoption is not None

    @property
    def condition_changed(self) -> bool:
        """Whether somebody changed the condition under which Lanyard gave it."""
        if self.standing is None or not self.standing.ours:
            return False
        given = self.standing.state is State.ACTIVE
        return given and not self.assignment.serves(self.standing.grant)

    def ways_out(self) -> list[str]:
        """What would have to change for it to go, in words."""
        kept = f"{self.kept_by} has to withdraw the undo: lanyard undo --withdraw DECISION"
        if not self.lanyards:
            return [kept if self.kept_by else f"{_NOT_OURS}; {self._once_gone()}"]
        ways = [_way_out(claim) for claim in self.claims]
        if self.more:
            ways.append(f"{self.more} more resources have to give it up")
        if self.kept_by:
            ways.append(kept)
        return ways or [self._unclaimed()]

    def _unclaimed(self) -> str:
        if self.held:
            return f"nothing claims it, and its removal is held: {self.held}"
        return "nothing claims it: the next sweep removes it"

    def _once_gone(self) -> str:
        """What becomes of what others gave, once nobody can use it."""
        if folded(self.assignment.text("principalType") or _CLEANED_UP) != _CLEANED_UP:
            return "what users and groups hold is not cleaned up"
        if self.held:
            return f"{_ONCE_GONE}, its removal is held: {self.held}"
        return f"it is cleaned up {_ONCE_GONE}"


def _way_out(claim: Claim) -> str:
    if not claim.exists and claim.held:
        return f"{claim.resource} is gone, and the release of its claim is held: {claim.held}"
    if not claim.exists:
        return f"{claim.resource} is gone: its claim is released when it is looked at"
    if not claim.rules and claim.kept_by:
        rules = " and ".join(f"'{rule}'" for rule in claim.kept_by)
        return (
            f"{claim.resource} is deleted, or rule {rules} excludes {claim.resource} no more: its "
            "match passes it by"
        )
    if not claim.rules and claim.perhaps:
        rules = " and ".join(f"'{rule}'" for rule in claim.perhaps)
        return (
            f"{claim.resource} is deleted, or a sweep finds that rule {rules} is not for its "
            "subscription, whose name or management groups are not known"
        )
    if not claim.rules:
        unasked = f"no rule asks for it for {claim.resource} any more"
        if claim.held:
            return f"{unasked}, and the release of its claim is held: {claim.held}"
        return f"{unasked}: its claim is being released"
    rules = " and ".join(f"'{rule}'" for rule in claim.rules)
    return f"{claim.resource} is deleted, or rule {rules} is no longer for it or gives less"
