"""CPU time of planning: N resources against M rules, from the values read to the guard's verdict.

python -m bench.plan [--resources 10000] [--rules 100] [--json]
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator

from lanyard.desired import desired
from lanyard.guard import Situation, guard
from lanyard.model import ComputeResource, Identity, PrincipalRef, ResourceId, UserAssigned
from lanyard.plan import Actual, Owned, plan
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_TYPES = [
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Web/sites",
    "Microsoft.App/containerApps",
]


def main() -> int:
    """Print the figure; always 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    policy, resources = _policy(arguments.rules), list(_resources(arguments.resources))
    started = time.process_time()
    actions = sum(_plan(policy, resource) for resource in resources)
    seconds = time.process_time() - started
    result = {
        "resources": len(resources),
        "rules": arguments.rules,
        "actions": actions,
        "cpuSeconds": round(seconds, 3),
        "cpuSecondsPer1000Resources": round(seconds * 1000 / len(resources), 4),
    }
    _print(result, as_json=arguments.json)
    return 0


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
        yield ComputeResource(ResourceId.parse(text), "westeurope", tags, Identity())


def _print(result: dict[str, float], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32} {value:>12}\n")


if __name__ == "__main__":
    sys.exit(main())
