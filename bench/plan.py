"""CPU time of planning: resources against rules, from the values read to the guard's verdict."""

import time
from collections.abc import Iterator

from bench.figures import Figure, Tell
from bench.options import Options
from lanyard.planning.desired import desired
from lanyard.planning.guard import guard
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy
from lanyard.values.compute import ComputeResource, Identity, PrincipalRef, UserAssigned
from lanyard.values.resource_id import ResourceId

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_TYPES = [
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Web/sites",
    "Microsoft.App/containerApps",
]
_RULES = 100


def measure(options: Options, tell: Tell) -> list[Figure]:
    """CPU seconds of this process; the baseline plans nothing."""
    tell(f"{options.resources:,} resources against {_RULES} rules")
    policy, resources = _policy(_RULES), list(_resources(options.resources))
    started = time.process_time()
    actions = sum(_plan(policy, resource) for resource in resources)
    seconds = time.process_time() - started
    return [
        Figure(
            f"planning: CPU time of 1,000 resources against {_RULES} rules",
            seconds * 1000 / len(resources),
            "s",
            detail=f"{actions:,} actions for {len(resources):,} resources in {seconds:.2f} s",
        )
    ]


def _plan(policy: Policy, resource: ComputeResource) -> int:
    wanted = desired(policy, resource)
    principals: dict[PrincipalRef, str] = {
        UserAssigned(identity): "p-1" for identity in wanted.identities
    }
    todo = plan(wanted, Actual(resource, principals), Owned())
    verdict = guard(todo, Situation(policy, wanted, resource))
    return len(verdict.allowed) + len(verdict.held)


def _policy(rules: int) -> Policy:
    lines = ["version: 1", "mode: full", "identities:"]
    lines.append('  regional: {name: "id-{location}", resourceGroup: rg-identities}')
    lines.append("rules:")
    for number in range(rules):
        lines += [
            f"  - name: rule {number}",
            "    match:",
            f"      types: [{_TYPES[number % 4]}]",
            f"      scopes: ['/subscriptions/*/resourceGroups/rg-{number % 50}-*']",
            "      tags: {env: prod}",
            "      exclude: {tags: {lanyard: ignore}}",
            "    attach: [regional]",
            "    grant:",
            "      - {role: Reader, scope: '{resourceGroup}', to: regional}",
            "      - {standard: lanyard/telemetry, to: regional}",
        ]
    return parse_policy("bench.yaml", "\n".join(lines))


def _resources(count: int) -> Iterator[ComputeResource]:
    for number in range(count):
        group = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/rg-{number % 50}-app"
        text = f"{group}/providers/{_TYPES[number % 4]}/resource-{number}"
        tags = {"env": "prod" if number % 2 else "test", "team": f"team-{number % 20}"}
        yield ComputeResource(
            id=ResourceId.parse(text), location="westeurope", tags=tags, identity=Identity()
        )
