from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.handlers import started


@pytest.fixture
async def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    made = Desk(tmp_path, monkeypatch, capsys)
    await started(made.estate, monkeypatch)
    return made
