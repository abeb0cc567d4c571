"""Names of roles that do not resolve, and what was meant by them. Pure."""

from difflib import SequenceMatcher
from functools import lru_cache
from itertools import combinations

from lanyard.values.built_in_roles import BUILT_IN_ROLES, RECORDED
from lanyard.values.resource_id import folded, is_guid, last_name
from lanyard.values.roles import listed_role, role_id

# So alike are a word and its misspelling.
_ALIKE = 0.75
_DEFINITIONS = "/providers/microsoft.authorization/roledefinitions/"


def role_problem(role: str) -> str | None:
    """What is wrong with the role that a policy names, or None."""
    if role_id(role) is not None:
        return None
    if problem := whole_id_problem(role):
        return problem
    if near := _meant(role):
        return f"unknown role {role!r}; did you mean {near!r}? (any other role: by its GUID)"
    return (
        f"unknown role {role!r}: no built-in role of {RECORDED} has this name; give any other role "
        "by its GUID"
    )


def whole_id_problem(role: str) -> str | None:
    """What is wrong with the whole id of a role, None of anything else."""
    if _DEFINITIONS in folded(role) and is_guid(last_name(role)):
        return f"a role is given by its name or its GUID alone: write {last_name(role)!r}"
    return None


@lru_cache(maxsize=1024)
def _meant(role: str) -> str:
    """The built-in role whose words these are, each nearly; or one with a word more, where it is
    known to be harmless. Never one with a word less: "Tag Contributor" is no "Contributor". ""
    for none.
    """
    words = folded(role).split()
    if not words:
        return ""
    found = [
        (_likeness(words, folded(name).split()), name)
        for name, guid in BUILT_IN_ROLES.items()
        if len(name.split()) == len(words)
        or (len(name.split()) == len(words) + 1 and _is_harmless(guid))
    ]
    likeness, name = max(found, default=(0.0, ""))
    return name if likeness else ""


def _likeness(words: list[str], wanted: list[str]) -> float:
    """How alike they are, up to 1; 0 where a word is another one. The last word, by which a role is
    a reader or an owner, stands for the last.
    """
    chosen = [[*some, wanted[-1]] for some in combinations(wanted[:-1], len(words) - 1)]
    return max((_of_pairs(words, some) * len(words) / len(wanted) for some in chosen), default=0.0)


def _of_pairs(words: list[str], wanted: list[str]) -> float:
    pairs = [SequenceMatcher(None, *pair) for pair in zip(words, wanted, strict=True)]
    # Most are other words, which is found soon.
    if any(pair.real_quick_ratio() < _ALIKE or pair.quick_ratio() < _ALIKE for pair in pairs):
        return 0.0
    ratios = [pair.ratio() for pair in pairs]
    return sum(ratios) / len(ratios) if min(ratios) >= _ALIKE else 0.0


def _is_harmless(guid: str) -> bool:
    listed = listed_role(guid)
    return listed is not None and not listed.permissions
