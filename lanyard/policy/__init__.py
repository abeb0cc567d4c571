"""The policy file: who gets which identity and which roles."""

from lanyard.policy.document import (
    Grant,
    IdentitySpec,
    ImdsDefault,
    Mode,
    Policy,
    RemovalLimit,
    RemoveOrphans,
    Replace,
    Restart,
    Rule,
)
from lanyard.policy.load import load_policy
from lanyard.policy.problems import PolicyError, Problem

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
