import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanyard.planning.actions import ReleaseGrant, RevokeUnclaimed
from lanyard.values.grants import NAME_SPACES, Grant, GrantKind
from lanyard.values.resource_id import MAX_ID_LENGTH, InvalidResourceId, ResourceId
from tests.support.examples import GROUP, MEMBERSHIP, SUBSCRIPTION, grant, of_another_kind, vm_id


def test_ids_are_equal_in_any_case_and_keep_the_casing_they_came_in() -> None:
    upper = ResourceId.parse(vm_id().text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert upper == vm_id()
    assert hash(upper) == hash(vm_id())
    assert str(upper) != str(vm_id())


def test_parts_of_an_id() -> None:
    slot = ResourceId.parse(f"{GROUP}/providers/Microsoft.Web/sites/shop/slots/blue")
    assert slot.type == "Microsoft.Web/sites/slots"
    assert slot.name == "blue"
    assert slot.resource_group == "rg-app"
    assert slot.resource_group_id == GROUP
    assert slot.subscription == SUBSCRIPTION


VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
SETTING = "providers/Microsoft.Insights/diagnosticSettings"


@pytest.mark.parametrize(
    ("id_", "type_", "extends"),
    [
        (GROUP, "", False),
        (f"{VAULT}/kv", "Microsoft.KeyVault/vaults", False),
        (f"{VAULT}/kv/{SETTING}/s", "Microsoft.Insights/diagnosticSettings", True),
        (f"{VAULT}/kv/keys/k/{SETTING}/s", "Microsoft.Insights/diagnosticSettings", True),
        (f"{VAULT}/kv/{SETTING}/s/x/y", "Microsoft.Insights/diagnosticSettings/x", True),
        (f"{VAULT}/providers", "Microsoft.KeyVault/vaults", False),
        (f"{VAULT}/providers/keys/k", "Microsoft.KeyVault/vaults/keys", False),
        (f"{VAULT}/kv/PROVIDERS/Microsoft.Web/sites/a", "Microsoft.Web/sites", True),
    ],
)
def test_what_extends_a_resource_has_a_type_of_its_own(id_: str, type_: str, extends: bool) -> None:
    found = ResourceId.parse(id_)
    assert (found.type, found.extends) == (type_, extends)


def test_a_resource_group_is_told_from_what_is_in_it() -> None:
    group = ResourceId.parse(GROUP.replace("resourceGroups", "resourcegroups"))
    assert group.is_resource_group
    assert vm_id().within(group)
    assert not vm_id(group=GROUP + "-2").within(group)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "vm1",
        "/subscriptions/not-a-guid/resourceGroups/rg",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups",
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines/vm1",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1/extensions",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/..",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/a ",
        f"{GROUP}/providers/Microsoft.Compute/virtual machines/vm1",
        f"{GROUP} b/providers/Microsoft.Compute/virtualMachines/vm1",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1?x=y",
        f"{GROUP}'/providers/Microsoft.Compute/virtualMachines/vm1",
        f"{GROUP}//providers/Microsoft.Compute/virtualMachines/vm1",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{'v' * MAX_ID_LENGTH}",
    ],
)
def test_what_is_no_resource_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidResourceId):
        ResourceId.parse(text)


@given(st.text(max_size=600))
def test_parsing_any_text_gives_an_id_or_the_one_error(text: str) -> None:
    try:
        parsed = ResourceId.parse(text)
    except InvalidResourceId:
        return
    assert ResourceId.parse(parsed.text) == parsed


def test_a_grants_name_depends_on_scope_role_and_principal_but_not_on_case() -> None:
    assert grant().name == Grant(GROUP.upper(), grant().role_id.upper(), "P-1").name
    names = {
        grant().name,
        grant(principal="p-2").name,
        grant(scope=GROUP + "2").name,
        grant(role="b24988ac-6180-42a0-ab88-20f7382dd24c").name,
    }
    assert len(names) == 4


def test_each_kind_of_grant_has_names_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAME_SPACES, MEMBERSHIP, uuid.uuid4())
    kinds = [*GrantKind, MEMBERSHIP]
    assert len({replace(grant(), kind=kind).name for kind in kinds}) == len(kinds)


def test_a_grants_key_says_of_which_kind_it_is() -> None:
    assert grant().key.startswith("role assignment|")
    other = of_another_kind(grant())
    assert (other.key == grant().key, other.content == grant().content) == (False, True)


@pytest.mark.parametrize("action", [ReleaseGrant, RevokeUnclaimed])
def test_what_a_person_decides_of_one_kind_is_not_decided_of_another(
    action: Callable[[Grant], ReleaseGrant | RevokeUnclaimed],
) -> None:
    assert action(grant()).key != action(of_another_kind(grant())).key


def test_the_name_of_a_known_grant_never_changes() -> None:
    # Names made by earlier versions are in Azure: another name would be a second assignment.
    assert grant().name == "dd8541e9-6aee-5839-99e2-8902be5c6382"
