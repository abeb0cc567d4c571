"""Roles by name, held against the local Azure's definitions where both know a role."""

import pytest

from lanyard.policy.role_names import role_problem
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from lanyard.values.roles import listed_role, role_id, role_name
from simulator.authorization.definitions import built_in_roles


def test_a_role_is_found_by_its_name_in_any_case_and_by_any_guid() -> None:
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    assert role_id("reader") == role_id(reader.upper()) == reader
    assert role_name(reader) == "Reader"
    unknown = "eeeeeeee-0000-0000-0000-000000000001"
    assert role_id(unknown) == role_name(unknown) == unknown
    assert listed_role(unknown) is None
    assert role_id("Raeder") is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Storage Blob Reader", "Storage Blob Data Reader"),
        ("Key Vault Secret User", "Key Vault Secrets User"),
        ("Tags Contributor", "Tag Contributor"),
        ("Contributer", "Contributor"),
    ],
)
def test_a_misspelt_role_is_offered_the_one_that_it_nearly_is(given: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in (role_problem(given) or "")


@pytest.mark.parametrize(
    "given",
    [
        "Blob Contributor",  # Contributor
        "Storage Blob Data Writer",  # … Owner
        "Access Administrator",  # User Access Administrator
        "Key Vault Key Reader",
        "Data Access",
        "Owner of something",
        " ",
        "a " * 60,
    ],
)
def test_no_role_with_more_rights_than_it_says_is_offered(given: str) -> None:
    problem = role_problem(given) or ""
    assert "no built-in role of 2025-01-14 has this name" in problem
    assert "did you mean" not in problem


def test_of_the_whole_id_of_a_role_its_guid_is_asked_for() -> None:
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    whole = f"/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/{reader.upper()}"
    assert role_problem(whole) == (
        f"a role is given by its name or its GUID alone: write '{reader}'"
    )


def test_names_and_ids_are_those_of_the_local_azure() -> None:
    there = {role.role_name: role.guid for role in built_in_roles()}
    shared = BUILT_IN_ROLES.keys() & there.keys()
    assert len(BUILT_IN_ROLES) == 636
    assert len(shared) > 30
    assert {name: BUILT_IN_ROLES[name] for name in shared} == {name: there[name] for name in shared}
