"""A grant that a resource keeps of a rule that excludes it, and that another rule gives it on
another condition. Pure.

One assignment holds one condition, and `exclude` never takes: what stands stays as it is, no wider
and no narrower, as between two rules that are both for the resource. Which one it has only the
record shows, so this comes after `desired`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lanyard.planning.desired import Desired, Unfulfillable, WantedGrant, contradiction
from lanyard.values.compute import PrincipalRef
from lanyard.values.grants import Grant


def beside_what_is_kept(
    wanted: Desired, had: Iterable[Grant], principals: Mapping[PrincipalRef, str]
) -> Desired:
    """`wanted` with each grant contradicted that would change the condition of one that is kept.

    `had`: what the resource was given, as it was given, also where somebody took it away since.
    `principals`: of the identities that exist.
    """
    if not wanted.kept.rules:
        return wanted
    has = {grant.key: grant for grant in had}
    problems: dict[WantedGrant, Unfulfillable] = {}
    for grant in wanted.grants:
        principal = principals.get(grant.to)
        standing = None if principal is None else has.get(grant.granted(principal).key)
        if standing is None or grant.contradicted or standing.condition == grant.condition:
            continue
        if rule := _keeping(wanted, grant, standing):
            keeping = f"rule {rule!r}, which excludes it, has it keep"
            if rule in wanted.kept.undecided:
                keeping = f"rule {rule!r}, which may be for it, has it keep"
            problems[grant] = contradiction(grant, keeping)
    if not problems:
        return wanted
    return replace(
        wanted,
        grants=tuple(
            replace(grant, contradicted=grant.contradicted or grant in problems)
            for grant in wanted.grants
        ),
        unfulfillable=(*wanted.unfulfillable, *problems.values()),
    )


def _keeping(wanted: Desired, grant: WantedGrant, standing: Grant) -> str:
    """The rule that has the resource keep a grant on the condition that it stands on; "" for none.
    One that cannot be filled in for it may.
    """
    for kept in wanted.kept.grants:
        if kept.content == grant.content and (
            kept.contradicted or kept.condition == standing.condition
        ):
            return kept.rules[0]
    for problem in wanted.kept.unfilled:
        if problem.is_about(grant.role_id) and problem.about[-1] == (standing.condition or ""):
            return problem.rule
    return ""
