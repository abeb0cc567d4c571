"""The policy file: who gets which identity and which roles."""

from lanyard.policy.document import (
    Grant,
    IdentitySpec,
    ImdsDefault,
    Match,
    Mode,
    Orphans,
    Policy,
    Rule,
)
from lanyard.policy.load import load_policy
from lanyard.policy.problems import PolicyError, Problem

__all__ = [
    "Grant",
    "IdentitySpec",
    "ImdsDefault",
    "Match",
    "Mode",
    "Orphans",
    "Policy",
    "PolicyError",
    "Problem",
    "Rule",
    "load_policy",
]
