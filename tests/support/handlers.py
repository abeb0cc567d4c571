"""The real handlers at work on an estate."""

import pytest

from lanyard.app import composition, intake
from lanyard.app.composition import App
from tests.support.estate import Estate


async def started(made: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The handlers at work on this estate, and its resource groups there."""
    monkeypatch.setattr(intake, "settings", lambda: made.settings)

    async def app() -> App:
        return App(made.worker, made.sweeps, made.lost_attempts)

    monkeypatch.setattr(composition, "app", app)
    monkeypatch.setattr(composition, "sweeping_app", app)
    await made.create_groups()
    return made
