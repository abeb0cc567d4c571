"""The comparisons of conditions, by their names in lower case."""

import re
from collections.abc import Callable, Mapping

type Compare = Callable[[str, str], bool]
type Quantifier = Callable[..., bool]


def _folded(compare: Compare) -> Compare:
    return lambda left, right: compare(left.lower(), right.lower())


def _number(compare: Callable[[float, float], bool]) -> Compare:
    def compared(left: str, right: str) -> bool:
        try:
            return compare(float(left), float(right))
        except ValueError:
            return False

    return compared


def _equal(left: str, right: str) -> bool:
    return left == right


def _like(text: str, pattern: str) -> bool:
    parts = [re.escape(part).replace(r"\?", ".") for part in pattern.split("*")]
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


_POSITIVE: dict[str, Compare] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _folded(_equal),
    "StringStartsWith": str.startswith,
    "StringStartsWithIgnoreCase": _folded(str.startswith),
    "StringLike": _like,
    "StringLikeIgnoreCase": _folded(_like),
    "GuidEquals": _folded(_equal),
    "BoolEquals": _folded(_equal),
    "NumericEquals": _number(lambda left, right: left == right),
    "NumericLessThan": _number(lambda left, right: left < right),
    "NumericLessThanEquals": _number(lambda left, right: left <= right),
    "NumericGreaterThan": _number(lambda left, right: left > right),
    "NumericGreaterThanEquals": _number(lambda left, right: left >= right),
}


def _negated(compare: Compare) -> Compare:
    return lambda left, right: not compare(left, right)


def _negative_name(name: str) -> str:
    for kind in ("String", "Guid", "Bool", "Numeric"):
        if name.startswith(kind):
            return f"{kind}Not{name.removeprefix(kind)}"
    raise ValueError(name)


OPERATORS: Mapping[str, Compare] = {
    name.lower(): compare for name, compare in _POSITIVE.items()
} | {_negative_name(name).lower(): _negated(compare) for name, compare in _POSITIVE.items()}

#: Quantifier → (over the left values, over the right values).
QUANTIFIERS: Mapping[str, tuple[Quantifier, Quantifier]] = {
    "foranyofanyvalues": (any, any),
    "forallofanyvalues": (all, any),
    "foranyofallvalues": (any, all),
    "forallofallvalues": (all, all),
}
