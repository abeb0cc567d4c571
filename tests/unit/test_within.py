"""Which part of the estate is looked at."""

import pytest

from lanyard.desk.within import EVERYWHERE, Wanted, Within, within
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscription

ONE, TWO = (f"{number}1111111-1111-4111-8111-111111111111" for number in (1, 2))
KNOWN = {
    ONE: Subscription("payments", ("corp", "root")),
    TWO: Subscription("Data Platform", ("root",)),
}
GROUP = f"/subscriptions/{ONE}/resourceGroups/rg-shop"
GROUPS = [ResourceId.parse(GROUP), ResourceId.parse(f"/subscriptions/{TWO}/resourceGroups/rg-data")]
SITE = f"{GROUP}/providers/Microsoft.Web/sites/a"


@pytest.mark.parametrize(
    ("wanted", "subscriptions"),
    [
        (Wanted([ONE.upper()]), {ONE}),
        (Wanted([f"/subscriptions/{ONE}"]), {ONE}),
        (Wanted(["data platform"]), {TWO}),
        (Wanted([ONE, "Data Platform"]), {ONE, TWO}),
        (Wanted(management_groups=["Corp"]), {ONE}),
        (Wanted(management_groups=["root"]), {ONE, TWO}),
        (Wanted([TWO], management_groups=["corp"]), {ONE, TWO}),
    ],
)
def test_subscriptions_are_named_by_id_name_or_management_group(
    wanted: Wanted, subscriptions: set[str]
) -> None:
    assert within(wanted, KNOWN) == Within(frozenset(subscriptions))


def test_without_anything_all_is_looked_at() -> None:
    assert within(Wanted(), KNOWN) == EVERYWHERE
    assert EVERYWHERE.holds("/")
    assert EVERYWHERE.holds(SITE)


@pytest.mark.parametrize(
    ("wanted", "id_", "held"),
    [
        (Wanted(["payments"]), SITE, True),
        (Wanted(["Data Platform"]), SITE, False),
        (Wanted(resource_groups=["RG-SHOP"]), SITE, True),
        (Wanted(resource_groups=["rg-shop"]), GROUP, True),
        (Wanted(resource_groups=["rg-data"]), SITE, False),
        (
            Wanted(resource_groups=[GROUP.upper().replace("/SUBSCRIPTIONS", "/subscriptions")]),
            SITE,
            True,
        ),
        (Wanted(["Data Platform"], ["rg-data"]), SITE, False),
        (Wanted(["payments"]), f"/subscriptions/{ONE}", True),
        (Wanted(resource_groups=["rg-shop"]), f"/subscriptions/{ONE}", False),
        (Wanted(["payments"]), "/", False),
        (Wanted(["payments"]), "/providers/Microsoft.Management/managementGroups/corp", False),
    ],
)
def test_what_is_in_a_part(wanted: Wanted, id_: str, held: bool) -> None:
    assert within(wanted, KNOWN, GROUPS).holds(id_) is held


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(["nobody"]), "--subscription 'nobody': you can read none with this id or name"),
        (Wanted([""]), "--subscription '': you can read none"),
        (Wanted(management_groups=["no"]), "--management-group 'no': you can read no subscription"),
        (Wanted(resource_groups=["/x"]), "--resource-group: '/x' is no resource id"),
        (Wanted(resource_groups=[SITE]), "it is no resource group's id"),
        (Wanted(["payment"]), "with this id or name; did you mean 'payments'?"),
        (Wanted([ONE[:-1]]), f"with this id or name; did you mean {ONE!r}?"),
        (Wanted(management_groups=["copr"]), "no subscription in it; did you mean 'corp'?"),
        (
            Wanted(resource_groups=["rg-shp"]),
            "--resource-group 'rg-shp': none that is listed has this name; did you mean 'rg-shop'?",
        ),
        (Wanted(resource_groups=[f"{GROUP}s"]), f"has this name; did you mean {GROUP!r}?"),
        (
            Wanted(["Data Platform"], ["rg-shop"]),
            "--resource-group 'rg-shop': none that is listed has this name",
        ),
    ],
)
def test_what_is_not_there_is_named(wanted: Wanted, message: str) -> None:
    with pytest.raises(LanyardError, match="--") as raised:
        within(wanted, KNOWN, GROUPS)
    assert message in str(raised.value)
