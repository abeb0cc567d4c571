"""What of a good policy may not do what it says. Only a person who looks ahead asks."""

from itertools import chain, islice
from pathlib import Path as FilePath

from lanyard.policy.contradictions import may_contradict
from lanyard.policy.grants_to_look_at import grants_to_look_at
from lanyard.policy.load import load_policy, read_source
from lanyard.policy.others_names import names_of_others
from lanyard.policy.overlaps import overlaps
from lanyard.policy.problems import MOST_REPORTED, Problem
from lanyard.policy.shared_names import shared_names


def policy_warnings(path: FilePath) -> list[Problem]:
    """Every warning of a policy file or folder, with its place. Raises PolicyError."""
    source, policy = read_source(path), load_policy(path)
    warnings = (
        overlaps(policy),
        shared_names(policy),
        names_of_others(policy),
        may_contradict(policy),
        grants_to_look_at(policy),
    )
    found = islice(chain(*warnings), MOST_REPORTED)
    return sorted(source.problem(at, message) for at, message in found)
