"""Fixtures of the ARM tests."""

import pytest

from tests.support.arm.world import World, make_world


@pytest.fixture
async def world() -> World:
    return await make_world()
