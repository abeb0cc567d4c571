"""The policy file: who gets which identity and which roles."""

from lanyard.policy.document import IdentitySpec, Policy, RemovalLimit, RemoveOrphans
from lanyard.policy.load import load_policy
from lanyard.policy.mode import Mode
from lanyard.policy.problems import PolicyError, Problem
from lanyard.policy.rule import Grant, ImdsDefault, Replace, Restart, Rule

__all__ = [
    "Grant",
    "IdentitySpec",
    "ImdsDefault",
    "Mode",
    "Policy",
    "PolicyError",
    "Problem",
    "RemovalLimit",
    "RemoveOrphans",
    "Replace",
    "Restart",
    "Rule",
    "load_policy",
]
