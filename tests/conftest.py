"""For all tests: nothing is timed, whoever else uses the machine."""

import os

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: the storms mostly wait."""
    assert config.option.numprocesses in ("auto", "logical")
    return (os.process_cpu_count() or 1) + 1
