"""Microsoft's built-in roles as ARM lists them, where the recording of them is at hand."""

import json
from pathlib import Path

import pytest

from lanyard.cli.docs.roles_page import read_roles
from lanyard.values.permissions import RoleDefinition

RECORDED = Path(__file__).parents[3] / "shared" / "built-in-roles.json"
needs_roles = pytest.mark.skipif(
    not RECORDED.exists(), reason=f"Microsoft's built-in roles are not at {RECORDED}"
)


def recorded_roles() -> tuple[RoleDefinition, ...]:
    """All of them; none where the recording is not at hand."""
    return read_roles(json.loads(RECORDED.read_text())) if RECORDED.exists() else ()
