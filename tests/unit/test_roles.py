"""Roles by name, held against the local Azure's definitions where both know a role."""

from lanyard.values.roles import BUILT_IN_ROLES, listed_role, role_id, role_name
from simulator.authorization.definitions import built_in_roles


def test_a_role_is_found_by_its_name_in_any_case_and_by_any_guid() -> None:
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    assert role_id("reader") == role_id(reader.upper()) == reader
    assert role_name(reader) == "Reader"
    unknown = "eeeeeeee-0000-0000-0000-000000000001"
    assert role_id(unknown) == role_name(unknown) == unknown
    assert listed_role(unknown) is None
    assert role_id("Raeder") is None


def test_names_and_ids_are_those_of_the_local_azure() -> None:
    there = {role.role_name: role.guid for role in built_in_roles()}
    shared = BUILT_IN_ROLES.keys() & there.keys()
    assert len(shared) > 30
    assert {name: BUILT_IN_ROLES[name] for name in shared} == {name: there[name] for name in shared}
