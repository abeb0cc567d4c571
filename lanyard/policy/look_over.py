"""What of a good policy may not do what it says. Only a person who looks ahead asks."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path as FilePath

from lanyard.policy.conditions import condition_problem
from lanyard.policy.contradictions import may_contradict
from lanyard.policy.document import Policy
from lanyard.policy.grants_to_look_at import grants_to_look_at
from lanyard.policy.load import load_policy, read_source
from lanyard.policy.others_names import names_of_others
from lanyard.policy.overlaps import overlaps
from lanyard.policy.problems import MOST_REPORTED, Path, Problem
from lanyard.policy.repeated import repeated
from lanyard.policy.shared_names import shared_names
from lanyard.policy.without_effect import without_effect
from lanyard.policy.yaml_source import Source


def policy_warnings(path: FilePath) -> list[Problem]:
    """Every warning of a policy file or folder, with its place. Raises PolicyError."""
    source, policy = read_source(path), load_policy(path)
    warnings = (
        without_effect(policy),
        repeated(policy),
        overlaps(policy),
        shared_names(policy),
        names_of_others(policy),
        may_contradict(policy),
        grants_to_look_at(policy),
    )
    found = islice(chain(*warnings), MOST_REPORTED)
    placed = [source.problem(at, message) for at, message in found]
    return sorted({*placed, *_conditions(source, policy)})


def _conditions(source: Source, policy: Policy) -> Iterator[Problem]:
    """Those that Azure would refuse, each at the character that it breaks off at."""
    for path, condition in _written_conditions(policy):
        if problem := condition_problem(condition):
            message = f"Azure does not read the condition: {problem.message}"
            yield source.problem_within(path, condition, problem.at, message)


def _written_conditions(policy: Policy) -> Iterator[tuple[Path, str]]:
    for index, rule in enumerate(policy.rules):
        for position, grant in enumerate(rule.grant):
            if grant.condition is not None:
                yield ("rules", index, "grant", position, "condition"), grant.condition
    for name, contents in policy.standards.items():
        for position, content in enumerate(contents):
            if content.condition is not None:
                yield ("standards", name, position, "condition"), content.condition
