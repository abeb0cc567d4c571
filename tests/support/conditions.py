"""Rules that give one role on two conditions, and what stands of it."""

from dataclasses import replace

import pytest

from lanyard.planning.orders import Refusal
from tests.support.cases import MACHINE_TYPE, held, identity_id, principal
from tests.support.estate import Estate

ONE = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'one'"
TWO = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'two'"
GROUP, LITERAL = "{resourceGroup}", "/subscriptions/SUBSCRIPTION/resourceGroups/rg-app"
#: Two conditions, None for none: whichever stands first stays.
PAIRS = pytest.mark.parametrize(
    ("first", "second"), [(ONE, None), (None, ONE), (ONE, TWO)], ids=["wider", "narrower", "other"]
)


def grant(condition: str | None, scope: str) -> str:
    on = f', condition: "{condition}"' if condition else ""
    return f'{{role: Reader, scope: "{scope}", to: shared{on}}}'


def rules(
    subscription: str,
    first: str | None,
    second: str | None,
    match: tuple[str, str] = ("tags: {team: a}", "tags: {team: b}"),
    scope: str = GROUP,
) -> str:
    """Two rules with one identity: each gives the same role, on a condition of its own."""
    scope = scope.replace("SUBSCRIPTION", subscription)
    lines = "".join(
        f"  - name: {name}\n    match: {{types: [{MACHINE_TYPE}], {fits}}}\n"
        f"    attach: [shared]\n    grant: [{grant(condition, scope)}]\n"
        for name, fits, condition in zip("ab", match, (first, second), strict=True)
    )
    id_ = identity_id(subscription, "id-shared")
    return f"version: 1\nmode: full\nidentities: {{shared: {{id: {id_}}}}}\nrules:\n{lines}"


def conditions(estate: Estate) -> list[str | None]:
    """Those of the identity's assignments."""
    of = principal(estate, "id-shared")
    found = [
        each for each in estate.azure.state.role_assignments.values() if each.principal_id == of
    ]
    return [each.condition or None for each in found]


async def refusals(estate: Estate, vm: str) -> list[Refusal]:
    listed = (await held(estate)).values()
    return [entry.refusal for entry in listed if entry.resource == estate.vm_id(vm)]


def change_condition(estate: Estate, condition: str | None) -> None:
    """Somebody changes it on the identity's assignments."""
    who, assignments = principal(estate, "id-shared"), estate.azure.state.role_assignments
    for key, each in [*assignments.items()]:
        if each.principal_id == who:
            version = "2.0" if condition else None
            assignments[key] = replace(each, condition=condition, condition_version=version)
