"""The real handlers at work on an estate."""

import pytest

from handlers import resource_events as event_handler
from lanyard.app import composition
from lanyard.app.composition import App
from tests.support.estate import Estate


async def started(made: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The handlers at work on this estate, and its resource groups there."""
    monkeypatch.setattr(event_handler, "settings", lambda: made.settings)

    async def app() -> App:
        return App(made.worker, made.sweeps, made.lost_attempts)

    monkeypatch.setattr(composition, "app", app)
    await made.create_groups()
    return made
