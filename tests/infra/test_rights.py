"""What is read off a policy, without any Azure."""

from lanyard.desk.delegation import MAX_CONDITION
from lanyard.desk.rights import Rights, rights
from lanyard.policy.load import parse_policy
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from simulator.authorization.conditions import parse_condition

READER = BUILT_IN_ROLES["Reader"]
OWNER = BUILT_IN_ROLES["Owner"]


def of(rules: str, before: str = "", mode: str = "full", removable: tuple[str, ...] = ()) -> Rights:
    text = f"version: 1\nmode: {mode}\n{before}\nrules:\n{rules}"
    return rights(parse_policy("lanyard.yaml", text), removable)


def rule(role: str, types: str = "Microsoft.Compute/virtualMachines") -> str:
    grant = f'grant: [{{role: {role}, scope: "{{resourceGroup}}", to: system}}]'
    return f"  - {{name: r, match: {{types: [{types}]}}, system: true, {grant}}}"


def test_a_privileged_role_that_the_policy_does_not_allow_is_left_out_and_told() -> None:
    needed = of(rule("Owner"))
    assert needed.assignable == ()
    assert any("grants Owner" in note for note in needed.notes)


def test_a_privileged_role_that_it_allows_is_in_with_a_warning() -> None:
    allowed = "privileged: {allow: [{role: Owner, scopes: [/subscriptions/*]}]}"
    needed = of(rule("Owner"), allowed)
    assert needed.assignable == (OWNER,)
    assert any("Owner can assign any role" in note for note in needed.notes)


def test_roles_of_standards_count_too() -> None:
    grant = "grant: [{standard: lanyard/queue-worker, to: system}]"
    match = "match: {types: [Microsoft.Compute/virtualMachines]}"
    needed = of(f"  - {{name: r, {match}, system: true, {grant}}}")
    names = ("Storage Queue Data Message Processor", "Storage Queue Data Message Sender")
    assert needed.assignable == tuple(sorted(BUILT_IN_ROLES[name] for name in names))


def test_what_may_only_be_removed_is_in_the_clause_for_deleting_alone() -> None:
    needed = of(rule("Storage Blob Data Reader"), removable=(READER,))
    writing, deleting = needed.condition.split(") AND ((")
    assert READER not in writing
    assert READER in deleting


def test_the_condition_is_one_that_azures_grammar_takes() -> None:
    parse_condition(of(rule("Storage Blob Data Reader")).condition)


def test_a_condition_that_azure_would_refuse_for_its_length_is_told() -> None:
    grants = ", ".join(
        f'{{role: {number:08x}-0000-0000-0000-000000000000, scope: "{{resource}}", to: system}}'
        for number in range(120)
    )
    match = "match: {types: [Microsoft.Compute/virtualMachines]}"
    needed = of(f"  - {{name: r, {match}, system: true, grant: [{grants}]}}")
    assert len(needed.condition) > MAX_CONDITION
    assert any(f"Azure takes {MAX_CONDITION}" in note for note in needed.notes)


def test_a_group_that_a_template_chooses_means_the_whole_subscription() -> None:
    match = "match: {types: [Microsoft.Compute/virtualMachines]}"
    rules = f"  - {{name: r, {match}, attach: [i]}}"
    fixed = 'identities: {i: {name: "id-{location}", resourceGroup: rg-identities}}'
    chosen = 'identities: {i: {name: "id-{location}", resourceGroup: "rg-{location}"}}'
    assert of(rules, fixed).identity_groups == ("rg-identities",)
    assert of(rules, chosen).identity_groups == ()
    assert of(rules, chosen).identity_actions == of(rules, fixed).identity_actions


def test_a_policy_without_rules_reads_assignments_and_identities_only() -> None:
    needed = of("  []").actions
    assert needed == (
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/roleDefinitions/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    )
