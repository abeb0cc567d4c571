"""What the modes of rules leave to people, where a rule is in a more careful one than the
policy. Pure.

What an observing rule asks for counts as wanted, so it stays where it is; it is not given. What a
rule gave goes only while that rule is in mode full, or is no longer in the policy.
"""

from collections.abc import Iterator

from lanyard.planning.actions import Action, AttachIdentity, ReplaceIdentity, is_removal
from lanyard.planning.givers import taken_key
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.policy import Mode, Policy
from lanyard.values.compute import SystemAssigned
from lanyard.values.errors import Because


def observed(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What only observing rules ask for."""
    for action in plan.actions:
        if rule := observing(action, situation.policy):
            reason = f"rule {rule!r}, which asks for it, is in mode observe"
            yield Held(action, Because.RULE_MODE, reason, "set the rule's mode to add-only or full")


def observing(action: Action, policy: Policy) -> str:
    """One of the rules that ask for an addition, where all of them observe; "" otherwise. The end
    of a repair gives nothing that was not there.
    """
    if is_removal(action) or (isinstance(action, AttachIdentity) and action.in_repair):
        return ""
    rules: tuple[str, ...] = getattr(action, "rules", ())
    observe = all(policy.mode_of(rule) is Mode.OBSERVE for rule in rules)
    return rules[0] if rules and observe else ""


def given_by_another_mode(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What would be taken away, and was given by a rule that is not in mode full. Where it is not
    on record which one gave it, it may be any; but a system-assigned identity is nobody's then.
    """
    policy = situation.policy
    for action in plan.actions:
        theirs = isinstance(action, ReplaceIdentity) and action.old == SystemAssigned()
        given_by = situation.given_by.get(taken_key(action), () if theirs else None)
        if taken_key(action) and (why := _given(policy, given_by)):
            yield Held(
                action, Because.RULE_MODE, why, "set its mode to full, or release this", True
            )


def _given(policy: Policy, givers: tuple[str, ...] | None) -> str:
    """Why what these rules gave stays, for people; "" where it may go. None: nobody knows which."""
    for rule in policy.careful if givers is None else givers:
        mode = policy.mode_of(rule)
        if mode not in (None, Mode.FULL):
            which = "may have given it" if givers is None else "gave it"
            return f"rule {rule!r}, which {which}, is in mode {mode}"
    return ""
