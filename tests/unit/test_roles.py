"""Roles by name, held against the local Azure's definitions where both know a role."""

from lanyard.policy.privileged import is_privileged
from lanyard.values.roles import BUILT_IN_ROLES, is_built_in, role_id, role_name
from simulator.authorization.definitions import built_in_roles

WRITE = "microsoft.authorization/roleassignments/write"


def test_a_role_is_found_by_its_name_in_any_case_and_by_any_guid() -> None:
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    assert role_id("reader") == role_id(reader.upper()) == reader
    assert role_name(reader) == "Reader"
    unknown = "eeeeeeee-0000-0000-0000-000000000001"
    assert role_id(unknown) == role_name(unknown) == unknown
    assert not is_built_in(unknown)
    assert role_id("Raeder") is None


def test_names_and_ids_are_those_of_the_local_azure() -> None:
    there = {role.role_name: role.guid for role in built_in_roles()}
    shared = BUILT_IN_ROLES.keys() & there.keys()
    assert len(shared) > 30
    assert {name: BUILT_IN_ROLES[name] for name in shared} == {name: there[name] for name in shared}


def test_every_listed_role_that_can_assign_roles_counts_as_privileged() -> None:
    for role in built_in_roles():
        if not is_built_in(role.guid):
            continue
        patterns = [action.lower() for action in role.actions]
        refused = [action.lower() for action in role.not_actions]
        can = any(pattern in ("*", WRITE) for pattern in patterns)
        if can and "microsoft.authorization/*/write" not in refused:
            assert is_privileged(role.guid, "/subscriptions/s/resourceGroups/g", frozenset())
