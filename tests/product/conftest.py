import pytest

from tests.support.estate import Estate
from tests.support.handlers import started


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    return await started(Estate(), monkeypatch)
