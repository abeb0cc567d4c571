"""How work can fail, by what to do next. A refused action is not a failure: see `verdict.Held`."""

from enum import StrEnum


class Because(StrEnum):
    """Why an action is not done: what programs go by. The texts beside it are for people."""

    MODE = "mode"
    RULE_MODE = "ruleMode"
    PAUSED = "paused"
    BUDGET = "budget"
    DISMISSED = "dismissed"
    UNKNOWN_PRINCIPAL = "unknownPrincipal"
    NO_DIRECTORY = "noDirectory"
    REPORTED_ONLY = "reportedOnly"
    PRIVILEGED = "privileged"
    ROLE = "role"
    REPLACEMENT = "replacement"
    RESTART = "restart"
    IMDS_DEFAULT = "imdsDefault"
    CONFLICT = "conflict"
    IDENTITY_WAITS = "identityWaits"
    NO_IDENTITY = "noIdentity"
    RULE = "rule"
    SUBSCRIPTION = "subscription"
    WAITS = "waits"
    FAILED = "failed"
    IN_USE = "inUse"
    CANNOT_BE_ASKED = "cannotBeAsked"
    ANOTHER_OWNER = "anotherOwner"
    INSTANCES = "instances"
    MOVED = "moved"
    OWN_IDENTITY = "ownIdentity"
    AZURE_POLICY = "azurePolicy"
    NOT_DONE = "notDone"
    LOCKED = "locked"
    DENIED = "denied"


#: So many attempts may fail before a message is given up; and where Azure refuses what may pass in
#: seconds, and does not.
MAX_ATTEMPTS = 12
FEW_ATTEMPTS = 4


_LASTING = {Because.LOCKED, Because.DENIED, Because.AZURE_POLICY}


class LanyardError(Exception):
    """The base of what Lanyard raises on purpose. The message says what a person does next."""


class Temporary(LanyardError):
    """Try again after `delay` seconds: the same call can succeed later.

    `uncertain`: nobody knows whether what was asked for was done (no answer came, or none that can
    be read); otherwise the answer says that it was not.
    """

    def __init__(self, message: str, delay: float, *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.delay = delay
        self.uncertain = uncertain


class Unreachable(Temporary):
    """No connection came about: the work waits, and a person need not."""


class MayPass(Temporary):
    """Azure refuses it in a way that may pass. Where it has not after `attempts` more, it is final:
    an outage ends, and a refusal may last. `code` is Azure's error code, "" where it has none.
    """

    def __init__(
        self,
        message: str,
        delay: float,
        code: str = "",
        *,
        attempts: int = FEW_ATTEMPTS,
        uncertain: bool = False,
    ) -> None:
        super().__init__(message, delay, uncertain=uncertain)
        self.code = code
        self.attempts = attempts


class NotDone(MayPass):
    """Azure answered that it was done, and shows that it was not."""


class NotYet(Temporary):
    """Nothing failed: time has to pass first (a grace period, a budget). Not counted as a try."""


class AtWork(NotYet):
    """ARM has to finish somebody's work on the resource first: it refuses, or loses, a write beside
    it.
    """


class ComesWith(NotYet):
    """It waits for another action of its plan, and comes back with that."""


class Refused(NotYet):
    """What nothing is wrong with may not be done now: a removal past the budget or during a pause,
    a grant of which another owner's assignment takes the place.

    `release` says what a person can do about it; `releasable`: whether releasing it is enough.
    """

    def __init__(
        self, because: Because, message: str, delay: float, release: str, *, releasable: bool
    ) -> None:
        super().__init__(message, delay)
        self.because = because
        self.release = release
        self.releasable = releasable

    @property
    def lasts(self) -> bool:
        """Whether Azure goes on refusing it until somebody does something about that."""
        return self.because in _LASTING


class Permanent(LanyardError):
    """Trying again without a change elsewhere cannot succeed. `code` is Azure's error code,
    `uncertain` as Temporary has it.
    """

    def __init__(self, message: str, code: str = "", *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.uncertain = uncertain


class NoIdentity(Permanent):
    """A role is not given because its identity is not there, or not attached: that has its own
    failure.
    """


class GivenUp(Permanent):
    """What failed, or was waited for, for the last time, which is `last`."""

    def __init__(self, last: Temporary) -> None:
        code = last.code if isinstance(last, MayPass) else ""
        super().__init__(f"given up, because {last}", code, uncertain=last.uncertain)
        self.last = last
