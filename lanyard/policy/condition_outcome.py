"""What a condition (Azure ABAC) comes to for an action: true, false, or not known. Pure.

What it rests on may be unknown here: an attribute that only Azure knows, an operator that is not
read. Such a part is None, and so is the whole unless the rest decides it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lanyard.policy.conditions import (
    Attribute,
    Call,
    Comparison,
    Expression,
    Joined,
    Not,
    Operand,
    read_condition,
)
from lanyard.values.permissions import fits_pattern
from lanyard.values.resource_id import folded

#: Those that compare one text with another, and whether they ask for the contrary.
_EQUAL: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda one, other: one == other,
    "stringequalsignorecase": lambda one, other: folded(one) == folded(other),
    "guidequals": lambda one, other: folded(one) == folded(other),
}
_UNEQUAL = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "guidnotequals": "guidequals",
}
#: Of the values on the right, by how the operator is written: the one on the left is one value.
_OVER: Mapping[str, Callable[..., bool]] = {
    "": any,
    "foranyofanyvalues": any,
    "forallofanyvalues": any,
    "foranyofallvalues": all,
    "forallofallvalues": all,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """An action, and the attributes that are known of it."""

    action: str
    attributes: Mapping[Attribute, str]


def condition_outcome(text: str, facts: Facts) -> bool | None:
    """Whether the action passes; None where that is not known, or the text is no condition."""
    expression = read_condition(text)
    return None if expression is None else _outcome(expression, facts)


def _outcome(expression: Expression, facts: Facts) -> bool | None:
    match expression:
        case Not(part):
            found = _outcome(part, facts)
            return None if found is None else not found
        case Joined(parts, every):
            return _joined([_outcome(part, facts) for part in parts], every=every)
        case Call():
            return _called(expression, facts)
        case Comparison():
            return _compared(expression, facts)


def _joined(outcomes: list[bool | None], *, every: bool) -> bool | None:
    """One part that is false decides an AND, one that is true an OR."""
    if (not every) in outcomes:
        return not every
    return None if None in outcomes else every


def _called(call: Call, facts: Facts) -> bool | None:
    if call.function == "actionmatches" and isinstance(call.of, str):
        return fits_pattern(facts.action, call.of)
    if isinstance(call.of, Attribute) and call.of in facts.attributes:
        return True
    return None


def _compared(comparison: Comparison, facts: Facts) -> bool | None:
    left = _values(comparison.left, facts)
    right = _values(comparison.right, facts)
    operator = _UNEQUAL.get(comparison.operator, comparison.operator)
    equal, over = _EQUAL.get(operator), _OVER.get(comparison.across)
    if left is None or right is None or equal is None or over is None or len(left) != 1:
        return None
    contrary = operator != comparison.operator
    return bool(over(equal(left[0], each) is not contrary for each in right))


def _values(operand: Operand, facts: Facts) -> tuple[str, ...] | None:
    if not isinstance(operand, Attribute):
        return operand
    known = facts.attributes.get(operand)
    return None if known is None else (known,)
