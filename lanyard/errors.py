"""How work can fail, by what to do next. A refused action is not a failure: see `guard.Held`."""


class LanyardError(Exception):
    """The base of what Lanyard raises on purpose. The message tells a person what to do next."""


class Temporary(LanyardError):
    """Try again after `delay` seconds: the same call can succeed later."""

    def __init__(self, message: str, delay: float) -> None:
        super().__init__(message)
        self.delay = delay


class NotYet(Temporary):
    """Nothing failed: time has to pass first (a grace period, a budget). Not counted as a try."""


class Permanent(LanyardError):
    """Trying again without a change elsewhere cannot succeed. `code` is Azure's error code."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
