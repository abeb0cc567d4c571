"""The page of privileged and powerful roles, and the table of all roles, are as the recording of
them has it.
"""

import json
from pathlib import Path

import pytest

from lanyard.cli.docs.roles_page import with_roles
from lanyard.cli.docs.roles_table import table_of
from tests.support.built_in_roles import RECORDED, needs_roles, recorded_roles

TABLE = Path(__file__).parents[2] / "lanyard" / "values" / "built_in_roles.py"
PAGE = Path(__file__).parents[2] / "docs" / "roles.md"


@needs_roles
def test_the_lists_are_current() -> None:
    page = PAGE.read_text()
    hint = f"run: python -m lanyard.cli.docs.roles_page {RECORDED} docs/roles.md"
    assert with_roles(page, recorded_roles()) == page, hint


def test_a_page_without_a_place_for_the_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="does not mark"):
        with_roles("# Something else\n", ())


@needs_roles
def test_the_table_of_all_is_current() -> None:
    hint = f"run: python -m lanyard.cli.docs.roles_table {RECORDED} {TABLE}"
    assert table_of(json.loads(RECORDED.read_text())) == TABLE.read_text(), hint
