"""What the command line says about the sizes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`machines` of the burst, `instances` of the app that work on it (0: as many as Azure would
    start), `runs` of what is timed on this computer; medians are taken over those. `moments`: so
    many new machines, whose events come at any moment between two polls of the idle queue.
    """

    machines: int = 1000
    instances: int = 0
    runs: int = 7
    resources: int = 10_000
    assignments: int = 4_000
    moments: int = 401
