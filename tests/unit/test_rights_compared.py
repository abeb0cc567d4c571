"""The app's rights beside the policy: what is missing, of which rule, where, and what gives it."""

from collections.abc import Iterable

import pytest

from lanyard.cli.findings import State
from lanyard.cli.rights_findings import Standing, is_by_group, rights_held
from lanyard.desk.at_groups import Kind
from lanyard.desk.delegation import delegation
from lanyard.desk.onboarding.parts import group_role_of
from lanyard.desk.rights import rights
from lanyard.desk.rights_by_group import rights_by_group
from lanyard.desk.rights_compared import Allowed, Gap, Lack, Needs, gaps
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy
from lanyard.values.permissions import Permission

HERE, THERE = (f"{digit * 8}-1111-1111-1111-111111111111" for digit in "12")
SCOPE = f"/subscriptions/{HERE}"
GROUP, WEB = f"{SCOPE}/resourceGroups/rg-app", f"{SCOPE}/resourceGroups/rg-web"
IDENTITIES = f"{SCOPE}/resourceGroups/rg-identities"
VAULTS = f"/subscriptions/{THERE}/resourceGroups/rg-v"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
BLOBS = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
SECRETS = "4633458b-17de-408a-b874-0445c86b69e6"
THERE_ARE = frozenset({"rg-app", "rg-web", "rg-identities"})


def policy(mode: str = "full", match: str = "resourceGroups: [rg-app]") -> Policy:
    vault = f"{VAULTS}/providers/Microsoft.KeyVault/vaults/kv"
    text = f"""
version: 1
mode: {mode}
identities: {{shared: {{name: "id-{{location}}", resourceGroup: rg-identities}}}}
rules:
  - name: machines
    match: {{types: [Microsoft.Compute/virtualMachines], {match}}}
    attach: [shared]
    grant: [{{role: Storage Blob Data Reader, scope: "{{resourceGroup}}", to: shared}}]
  - name: sites
    match: {{types: [Microsoft.Web/sites], resourceGroups: [rg-web]}}
    system: true
    grant: [{{role: Key Vault Secrets User, scope: "{vault}", to: system}}]
"""
    return parse_policy("lanyard.yaml", text)


def at_subscription(of: Policy, condition: str | None = None) -> list[Allowed]:
    """As `lanyard onboard` gives them, or under another condition."""
    needed = rights(of)
    bound = needed.condition if condition is None else condition
    return [
        Allowed(SCOPE, Permission(needed.actions), bound, "lanyard", "assignment"),
        Allowed(IDENTITIES, Permission(needed.identity_actions), "", "identities", "other"),
    ]


def at_groups(of: Policy, *without: str) -> list[Allowed]:
    """As `lanyard onboard --by-group` gives them, but for some groups (names)."""
    needed = rights_by_group(of)
    return [
        Allowed(SCOPE, Permission(needed.actions)),
        *(
            Allowed(
                f"{SCOPE}/resourceGroups/{group}",
                Permission(role.actions),
                condition,
                group_role_of(HERE, role.kind),
                f"{role.kind}-{group}",
            )
            for role in needed.at_groups
            for group, condition in role.groups(HERE).items()
            if group not in without
        ),
    ]


def lacking(found: Iterable[Gap]) -> list[tuple[str, str, str, Lack]]:
    """Verb, role or resource, scope below the subscription, how."""
    return [
        (
            gap.need.action.rpartition("/")[2],
            gap.need.role or gap.need.action.split("/")[1],
            gap.need.scope.removeprefix(SCOPE),
            gap.lack,
        )
        for gap in found
    ]


@pytest.mark.parametrize("mode", ["observe", "add-only", "full"])
@pytest.mark.parametrize("match", ["resourceGroups: [rg-app]", "names: [vm*]"])
def test_what_lanyard_rights_gives_is_what_is_needed(mode: str, match: str) -> None:
    of = policy(mode, match)
    assert gaps(Needs.of(of).within(HERE, THERE_ARE), at_subscription(of)) == []


@pytest.mark.parametrize("mode", ["observe", "add-only", "full"])
def test_so_is_what_it_gives_by_group(mode: str) -> None:
    of = policy(mode)
    assert gaps(Needs.of(of).within(HERE, THERE_ARE), at_groups(of)) == []


@pytest.mark.parametrize(
    ("assignable", "removable", "missing"),
    [
        ([READER], [READER], ["delete", "write"]),
        ([BLOBS], [READER], ["delete"]),
        ([READER], [BLOBS], ["write"]),
        ([BLOBS, READER], [BLOBS], []),
    ],
)
def test_a_role_that_the_condition_lacks_is_missing(
    assignable: list[str], removable: list[str], missing: list[str]
) -> None:
    of = policy()
    allowed = at_subscription(of, delegation(assignable, removable))
    found = lacking(gaps(Needs.of(of).within(HERE, THERE_ARE), allowed))
    group = "/resourceGroups/rg-app"
    assert found == [(verb, BLOBS, group, Lack.CONDITION) for verb in missing]


def test_where_no_group_is_named_it_is_needed_in_all_of_the_subscription() -> None:
    wide = policy(match="names: [vm*]")
    found = gaps(Needs.of(wide).within(HERE, THERE_ARE), at_groups(policy()))
    assert lacking(found) == [
        ("write", "virtualMachines", "", Lack.RIGHT),
        ("delete", BLOBS, "", Lack.RIGHT),
        ("write", BLOBS, "", Lack.RIGHT),
    ]


def test_in_a_group_that_is_not_there_nothing_is_needed() -> None:
    of = policy()
    needed = Needs.of(of).within(HERE, THERE_ARE - {"rg-app"})
    assert {need.scope for need in needed} == {SCOPE, WEB, IDENTITIES}


def test_a_second_assignment_may_have_what_the_first_lacks() -> None:
    of = policy()
    more = Allowed(GROUP, Permission(rights(of).actions), delegation([BLOBS], [BLOBS]))
    allowed = [*at_subscription(of, delegation([READER], [READER])), more]
    assert gaps(Needs.of(of).within(HERE, THERE_ARE), allowed) == []


@pytest.mark.parametrize(
    "condition",
    ["@Environment[UtcNow] DateTimeLessThan '2030-01-01T00:00:00.0Z'", "no condition at all"],
)
def test_what_a_condition_does_not_say_for_sure_is_not_known(condition: str) -> None:
    of = policy()
    found = gaps(Needs.of(of).within(HERE, THERE_ARE), at_subscription(of, condition))
    assert {gap.lack for gap in found} == {Lack.UNKNOWN}
    findings = [*rights_held(Standing(HERE, [], by_group=False, boundable=True), found)]
    assert {finding.state for finding in findings} == {State.WARNING}
    assert all("judged here of assignment" in finding.message for finding in findings)
    roles = findings[-1].message
    assert "may assign or remove Storage Blob Data Reader (rule 'machines') at" in roles


def test_a_subscription_that_only_a_scope_names_is_looked_at() -> None:
    needs = Needs.of(policy())
    assert needs.named() == {THERE}
    assert {(need.scope, need.rule, need.role) for need in needs.elsewhere(THERE)} == {
        (VAULTS, "sites", SECRETS)
    }
    assert Needs.of(policy("observe")).named() == frozenset()


def shown(
    of: Policy, allowed: list[Allowed], by_group: bool | None = None, boundable: bool = True
) -> list[str]:
    found = gaps(Needs.of(of).within(HERE, THERE_ARE), allowed)
    by = is_by_group(HERE, allowed) if by_group is None else by_group
    standing = Standing(HERE, allowed, by_group=by, boundable=boundable)
    return [f"{each.message} | {each.fix}" for each in rights_held(standing, found)]


def test_each_role_is_named_with_its_rule_its_scope_and_the_command() -> None:
    of = policy()
    assert shown(of, at_subscription(of, delegation([READER], [READER]))) == [
        f"the app may not assign or remove Storage Blob Data Reader (rule 'machines') at {GROUP}: "
        "the condition on the app's role assignment does not let them through | "
        f"'lanyard rights POLICY' shows what it needs; 'lanyard onboard {HERE}' gives it"
    ]


def test_a_group_that_was_made_anew_is_named() -> None:
    of = policy()
    (found,) = shown(of, at_groups(of, "rg-app"))
    assert found.startswith(f"the app has no right at {GROUP}, where the policy needs some")
    assert f"'lanyard onboard {HERE} --by-group' gives it" in found


def test_where_all_were_made_anew_each_is_named() -> None:
    of = policy()
    alone = at_groups(of, "rg-app", "rg-web", "rg-identities")
    assert not is_by_group(HERE, alone)
    found = shown(of, alone, by_group=True)
    assert [each.split(",")[0] for each in found] == [
        f"the app has no right at {each}" for each in sorted([GROUP, IDENTITIES, WEB])
    ]


def test_a_role_for_identities_alone_does_not_mean_rights_by_group() -> None:
    """It stands at groups without the option, too."""
    role = group_role_of(HERE, Kind.IDENTITIES)
    assert not is_by_group(HERE, [Allowed(IDENTITIES, Permission(), "", role)])


def test_a_policy_that_names_its_groups_no_more_takes_rights_at_the_subscription() -> None:
    wide = policy(match="names: [vm*]")
    found = shown(wide, at_groups(policy()), boundable=False)
    assert all("not every rule names its groups any more" in each for each in found)
    assert not any("--by-group" in each for each in found)


def test_what_stands_at_a_management_group_counts_and_is_given_there() -> None:
    of, place = policy(), "/providers/Microsoft.Management/managementGroups/MG-Landing"
    needed = rights(of)
    whole = Allowed(place, Permission(needed.actions + needed.identity_actions), needed.condition)
    assert "are what the policy needs" in shown(of, [whole])[0]
    reading = Allowed(place, Permission(("*/read",)))
    assert all("'scripts/join.sh mg-landing' gives it" in each for each in shown(of, [reading]))
