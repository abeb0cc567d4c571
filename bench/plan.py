"""CPU time of planning: resources against rules, from the values read to the guard's verdict.

Two rules match any one resource, however many there are: what more rules cost is then
the search for those two, and nothing else.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from bench.figures import Budget, Figure, Tell
from bench.options import Options
from lanyard.planning.desired import desired
from lanyard.planning.guard import guard
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy
from lanyard.policy.matching import rules_for
from lanyard.values.compute import ComputeResource, Identity, PrincipalRef, UserAssigned
from lanyard.values.resource_id import ResourceId

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_TYPES = [
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Web/sites",
    "Microsoft.App/containerApps",
]
_FEW, _MANY = 100, 1000
_RESOURCES = 1000
_GROWTH = Budget(1.3)


def measure(options: Options, tell: Tell) -> list[Figure]:
    """CPU seconds of this process, medians over the runs, and how they grow with the rules."""
    resources = list(_resources(_RESOURCES))
    many, few = _policy(_MANY), _policy(_FEW)
    alone = _those_that_match(many, resources)
    ways: dict[str, Callable[[], int]] = {
        "the rules that match": lambda: sum(_plan(policy, one) for policy, one in alone),
        f"{_FEW} rules": lambda: sum(_plan(few, one) for one in resources),
        f"{_MANY:,} rules": lambda: sum(_plan(many, one) for one in resources),
    }
    seconds = _timed(ways, options.runs, tell)
    matching, among_few, among_many = seconds.values()
    return [
        *(_of(name, each) for name, each in seconds.items()),
        Figure(
            f"planning: {_MANY:,} rules beside those that match alone",
            among_many / matching,
            "",
            budget=_GROWTH,
        ),
        Figure(
            f"planning: {_MANY:,} rules beside {_FEW}", among_many / among_few, "", budget=_GROWTH
        ),
    ]


def _of(name: str, seconds: float) -> Figure:
    return Figure(f"planning: CPU time of {_RESOURCES:,} resources against {name}", seconds, "s")


def _timed(ways: dict[str, Callable[[], int]], runs: int, tell: Tell) -> dict[str, float]:
    """Each way once a round, so that what disturbs one disturbs all."""
    seconds = defaultdict[str, list[float]](list)
    for number in range(runs):
        for name, work in ways.items():
            tell(f"{_RESOURCES:,} resources against {name}, {number + 1} of {runs}")
            started = time.process_time()
            work()
            seconds[name].append(time.process_time() - started)
    return {name: median(seconds[name]) for name in ways}


def _those_that_match(
    policy: Policy, resources: Iterable[ComputeResource]
) -> list[tuple[Policy, ComputeResource]]:
    """Each resource with the policy that has no other rules than its own."""
    found: dict[tuple[str, ...], Policy] = {}
    pairs = []
    for resource in resources:
        rules = rules_for(policy, resource).matching
        key = tuple(rule.name for rule in rules)
        smaller = found.setdefault(key, Policy.model_construct(**{**dict(policy), "rules": rules}))
        pairs.append((smaller, resource))
    return pairs


def _plan(policy: Policy, resource: ComputeResource) -> int:
    wanted = desired(policy, resource)
    principals: dict[PrincipalRef, str] = {
        UserAssigned(identity): "p-1" for identity in wanted.identities
    }
    todo = plan(wanted, Actual(resource, principals), Owned())
    verdict = guard(todo, Situation(policy, wanted, resource))
    return len(verdict.allowed) + len(verdict.held)


def _policy(rules: int) -> Policy:
    """One rule for all machines and sites in production, the others for a team's groups each."""
    lines = ["version: 1", "mode: full", "identities:"]
    lines.append('  regional: {name: "id-{location}", resourceGroup: rg-identities}')
    lines += ["rules:", *_rule("all", _TYPES, "*", "")]
    for number in range(rules - 1):
        type_ = _TYPES[number % len(_TYPES)]
        lines += _rule(f"rule {number}", [type_], f"rg-{number // 8}-*", f"team-{number // 4 % 2}")
    return parse_policy("bench.yaml", "\n".join(lines))


def _rule(name: str, types: list[str], group: str, team: str) -> list[str]:
    tags = f"{{env: prod, team: {team}}}" if team else "{env: prod}"
    return [
        f"  - name: {name}",
        "    match:",
        f"      types: [{', '.join(types)}]",
        f"      scopes: ['/subscriptions/*/resourceGroups/{group}']",
        f"      tags: {tags}",
        "      exclude: {tags: {lanyard: ignore}}",
        "    attach: [regional]",
        "    grant:",
        "      - {role: Reader, scope: '{resourceGroup}', to: regional}",
        "      - {standard: lanyard/telemetry, to: regional}",
    ]


def _resources(count: int) -> Iterator[ComputeResource]:
    """Of the teams that a policy of few rules has, too."""
    for number in range(count):
        group = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/rg-{number % (_FEW // 8)}-app"
        text = f"{group}/providers/{_TYPES[number // 2 % len(_TYPES)]}/resource-{number}"
        tags = {"env": "prod", "team": f"team-{number % 2}", "owner": f"o-{number % 20}"}
        yield ComputeResource(
            id=ResourceId.parse(text), location="westeurope", tags=tags, identity=Identity()
        )
