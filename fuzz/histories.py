"""Histories of an estate, as tests/histories plays them, any number of them: by chance and, led by
coverage, by libFuzzer. Chance finds most: what is seldom here is a meeting of steps, and all lines
of the product are soon covered.
"""

import logging
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support.histories.play import History, play
from tests.support.histories.strategies import histories

#: So many at a time, each time by another seed.
_BATCH = 200
_SETTINGS = settings(
    database=DirectoryBasedExampleDatabase(
        Path(__file__).parents[1] / ".cache" / "fuzz" / "histories-that-fail"
    ),
    deadline=None,
    max_examples=_BATCH,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@settings(_SETTINGS, phases=[Phase.reuse, Phase.shrink])
@given(histories())
def what_is_promised_holds_after_each_step(told: History) -> None:
    """The property. Called without an argument it plays again what failed, and shrinks it."""
    play(told)


def by_chance(seconds: float) -> str:
    """Play histories for so long. The account of the first that fails, made small; "" for none."""
    logging.disable()
    end, played = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        phases = [Phase.generate, Phase.shrink]
        batch = settings(_SETTINGS, phases=phases)(given(histories())(_play))
        if account := _failure(seed(random.SystemRandom().getrandbits(64))(batch)):
            return account
        played += _BATCH
        sys.stderr.write(f"{played} histories by chance: nothing\n")
    return ""


def smallest() -> str:
    """The account of what libFuzzer found, made as small as can be."""
    return _failure(what_is_promised_holds_after_each_step) or "what failed does not fail again"


def _play(told: History) -> None:
    play(told)


def _failure(run: Callable[[], None]) -> str:
    try:
        run()
    except AssertionError as failure:
        return str(failure)
    return ""
