"""For all tests: nothing is timed, whoever else uses the machine; and what runs beside what."""

import os

import pytest
from hypothesis import settings

from tests.support.order import in_order

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

#: Their tests mostly wait for processes and for messages.
_WAITING = ("tests/e2e/", "tests/host/", "tests/simulator/functions_host/")
#: In the order of their time, the longest first.
_LONGEST = (
    "tests/e2e/test_chaos.py",
    "tests/e2e/test_demo.py",
    "tests/e2e/test_every_command.py",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than there are processors: about so many wait at any time."""
    assert config.option.numprocesses in ("auto", "logical")
    return (os.process_cpu_count() or 1) + 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside other workers files begin as `in_order` says; the tests of one keep their order."""
    if not hasattr(config, "workerinput"):
        return
    files = list(dict.fromkeys(_file_of(item) for item in items))
    ordered = in_order(files, lambda file: file.startswith(_WAITING), _LONGEST)
    place = {file: number for number, file in enumerate(ordered)}
    items.sort(key=lambda item: place[_file_of(item)])


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
