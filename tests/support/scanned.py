"""An estate of three subscriptions with what a scan is to find, straight in the state."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lanyard.cli.scan.as_json import scan_as_json
from lanyard.desk.azure.connection import reading_over
from lanyard.desk.scan.given import GivenByRules
from lanyard.desk.scan.reading import read_estate
from lanyard.desk.scan.scan import scan
from lanyard.planning.givers import grant_key
from lanyard.values.clouds import Endpoint
from lanyard.values.grants import Grant
from lanyard.values.listed import ListedAssignment
from lanyard.values.stamps import stamp
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.seeding import Contents, Sizes, fill
from simulator.state import Principal, Resource, RoleDefinition
from simulator.tokens.credential import AsyncPrincipalCredential

DAY = 86400.0
_INSTALLATION = "1a57a11a-0000-4000-8000-000000000001"
NAMES = ("payments-prod", "data-platform", "shared-services")
#: Type, how many, and which identities they have: "", "SystemAssigned" or "UserAssigned".
_MORE = (
    ("Microsoft.App/containerApps", 46, "UserAssigned"),
    ("Microsoft.App/containerApps", 11, ""),
    ("Microsoft.Compute/virtualMachineScaleSets", 18, "SystemAssigned"),
    ("Microsoft.Compute/virtualMachineScaleSets", 9, ""),
    ("Microsoft.Automation/automationAccounts", 12, "SystemAssigned"),
    ("Microsoft.Logic/workflows", 27, ""),
)
_ORPHAN_AGES = (2, 12, 20, 45, 61, 70, 88, 130, 200, 240, 300, 350, 400, 700, 710)


def fill_estate(azure: Azure) -> Contents:
    """Compute of several types, identities that nobody uses and that many share, orphans of every
    age, privileged assignments, and a subscription near its limit.
    """
    sizes = Sizes(
        machines=160,
        web_apps=96,
        identities=24,
        system_assigned=0.5,
        user_assigned=0.25,
        assignments=420,
        orphans=6,
        user_assignments=60,
        group_assignments=30,
    )
    made = fill(azure, sizes)
    for name, one in zip(NAMES, made.subscriptions, strict=True):
        azure.state.subscriptions[one].display_name = name
    for kind, count, identity in _MORE:
        for number in range(count):
            _add(azure, made, kind, number, identity)
    _orphan(azure, made)
    _privilege(azure, made)
    _fill_up(azure, made.subscriptions[2])
    return made


def show_to(azure: Azure, person: Principal) -> Contents:
    """The same, and a person who may read these three subscriptions, their directory, and nothing
    else.
    """
    reads = azure.state.role_assignments
    for name in [key for key, each in reads.items() if each.principal_id == person.object_id]:
        del reads[name]
    made = fill_estate(azure)
    for one in made.subscriptions:
        azure.assign(person.object_id, "Reader", f"/subscriptions/{one}")
    azure.services.directory.grant_permission(person.object_id)
    return made


def principal_of(azure: Azure, resource_id: str) -> str:
    """The principal of a resource's system-assigned identity, or of an identity itself."""
    resource = azure.state.resources[resource_id.lower()]
    shown = resource.identity or resource.properties
    return str(shown["principalId"])


def with_system_identity(azure: Azure, resources: Sequence[str]) -> list[str]:
    """Those of the resources that have one."""
    return [
        each
        for each in resources
        if "principalId" in (azure.state.resources[each.lower()].identity or {})
    ]


def custom_role(azure: Azure, name: str, *actions: str) -> str:
    """The GUID of a new custom role."""
    role = RoleDefinition(
        azure.state.ids.uuid(), name, "", "CustomRole", list(actions), [], [], [], ["/"]
    )
    azure.state.role_definitions[role.guid] = role
    return role.guid


def _add(azure: Azure, made: Contents, kind: str, number: int, identity: str) -> None:
    name = f"{kind.rpartition('/')[2].lower()}-{identity[:1].lower() or 'n'}{number:03d}"
    group = made.groups[(number * 7) % len(made.groups)]
    resource_id = f"{group}/providers/{kind}/{name}"
    block: dict[str, object] | None = {"type": identity} if identity else None
    if block is not None and identity == "SystemAssigned":
        owner = azure.state.add_principal(
            name, "ServicePrincipal", ["isExplicit=False", resource_id]
        )
        block |= {"principalId": owner.object_id, "tenantId": azure.state.tenant_id}
    elif block is not None:
        shared = made.identities[number % 3]
        shown = azure.state.resources[shared.lower()].properties
        members = {key: shown[key] for key in ("principalId", "clientId")}
        block["userAssignedIdentities"] = {shared: members}
    azure.state.resources[resource_id.lower()] = Resource(
        resource_id, kind, name, "westeurope", {}, {"provisioningState": "Succeeded"}, block
    )


def _orphan(azure: Azure, made: Contents) -> None:
    """Assignments of principals that are gone, of every age."""
    now, roles = azure.clock.now(), ("Reader", "Storage Blob Data Contributor", "Contributor")
    for number, days in enumerate(_ORPHAN_AGES):
        principal = azure.state.ids.uuid()
        made_at = now - days * DAY
        azure.assign(principal, roles[number % 3], made.groups[number * 2], made_at=made_at)
    gone, scope = azure.state.ids.uuid(), f"/subscriptions/{made.subscriptions[0]}"
    azure.assign(gone, "Owner", scope, made_at=now - 512 * DAY)


def _privilege(azure: Azure, made: Contents) -> None:
    now = azure.clock.now()
    payments, data, _ = (f"/subscriptions/{each}" for each in made.subscriptions)
    machines = with_system_identity(azure, made.machines)
    operator = custom_role(azure, "Deployment Operator", "Microsoft.Authorization/*", "*/read")
    for resource, role, scope, days in (
        (machines[0], "Owner", payments, 420),
        (machines[1], "Contributor", data, 33),
        (machines[2], operator, made.groups[4], 90),
        (made.identities[0], "User Access Administrator", data, 210),
        (made.identities[1], "Contributor", made.groups[3], 20),  # within a group: not privileged
    ):
        azure.assign(principal_of(azure, resource), role, scope, made_at=now - days * DAY)


def _fill_up(azure: Azure, subscription: str) -> None:
    """Near the limit, by groups of people at many scopes."""
    state, now = azure.state, azure.clock.now()
    group = state.add_group("team", [state.add_principal("lead", "User").object_id])
    for number in range(3300):
        scope = f"/subscriptions/{subscription}/resourceGroups/rg-{number % 10:03d}/providers/"
        scope += f"Microsoft.Storage/storageAccounts/st{number:05d}"
        azure.assign(group.object_id, "Reader", scope, made_at=now - 100 * DAY)


async def large_scan(machines: int, rules: int) -> dict[str, Any]:
    """The document of a scan of so many machines, whose access as many rules gave."""
    azure = Azure()
    person = azure.state.add_principal("engineer", "User")
    fill(azure, Sizes(machines=machines, web_apps=0, identities=rules, assignments=machines * 2))
    for one in azure.state.subscriptions:
        azure.assign(person.object_id, "Reader", f"/subscriptions/{one}")
    azure.services.directory.grant_permission(person.object_id)
    credential = AsyncPrincipalCredential(azure.tokens, person)
    at = datetime.fromtimestamp(azure.clock.now(), UTC)
    arm = Endpoint(IN_PROCESS_URL, "https://management.azure.com")
    graph = Endpoint(f"{IN_PROCESS_URL}/graph", "https://graph.microsoft.com")
    async with reading_over(credential, arm, graph, azure.transport()) as reading:
        estate = await read_estate(reading.ports, reading.clients.sleep, at)
    made = [_lanyards(each) for each in estate.authorization.assignments]
    estate = replace(estate, authorization=replace(estate.authorization, assignments=tuple(made)))
    given = {
        grant_key(Grant(*each.content)): (f"machines of team {number % rules}",)
        for number, each in enumerate(made)
    }
    return scan_as_json(scan(estate, given=GivenByRules(given)), None, None)


def _lanyards(each: ListedAssignment) -> ListedAssignment:
    """With the name and the stamp of what Lanyard makes."""
    id_ = Grant(*each.content).assignment_id
    return replace(each, id=id_, description=stamp(_INSTALLATION))
