"""Runs the tests of policies: each case by itself, and which rules no case is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lanyard.desk.policy_tests.case_files import ReadTests, read_tests
from lanyard.desk.policy_tests.comparison import Difference, differences
from lanyard.desk.policy_tests.given_access import given_access
from lanyard.desk.policy_tests.resources import BadCase, bare, listing, resource_of
from lanyard.desk.policy_tests.shape import Case, CustomRole
from lanyard.desk.scan.saved import read_saved
from lanyard.planning.desired import desired
from lanyard.planning.verdict import RoleKey
from lanyard.policy import Policy, PolicyError, Problem, load_policy
from lanyard.policy.load import rule_places
from lanyard.values.compute import ComputeResource
from lanyard.values.permissions import Definition, Permission, RoleDefinition
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.subscriptions import NOT_LISTED, Subscriptions


class Estate(NamedTuple):
    """The saved one that cases are about; nothing where there is none."""

    resources: Mapping[ResourceId, ComputeResource]
    subscriptions: Subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of a case. `line`: where it begins in its file."""

    name: str
    line: int
    differences: tuple[Difference, ...]
    #: The rules that are for its resource, and those that leave it out.
    matching: tuple[str, ...]
    excluded: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of a file of tests; of one that is broken, only what is wrong with it."""

    file: Path
    policy: Path | None = None
    cases: tuple[CaseResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: Where each rule of its policy stands.
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The rules of a policy (places by name) that some case is about, over all its files."""

    policy: Path
    rules: Mapping[str, str]
    touched: frozenset[str]

    @property
    def untouched(self) -> list[str]:
        """The others, in the order of the policy."""
        return [rule for rule in self.rules if rule not in self.touched]


def run_tests(files: Iterable[Path]) -> list[FileResult]:
    """All of them, in their order: what is wrong with one stops no other. Raises LanyardError for
    a saved estate that cannot be read.
    """
    policies: dict[Path, tuple[Policy, dict[str, str]]] = {}
    return [_run_file(file, policies) for file in files]


def coverage(results: Sequence[FileResult]) -> list[Coverage]:
    """Of each policy that is tested, in the order in which they are."""
    found: dict[Path, Coverage] = {}
    for result in results:
        if result.policy is None:
            continue
        same = result.policy.resolve()  # files in several folders may test it
        known = found.get(same, Coverage(result.policy, result.places, frozenset()))
        touched = known.touched.union(*(case.matching for case in result.cases))
        found[same] = Coverage(known.policy, known.rules, touched)
    return list(found.values())


def _run_file(file: Path, policies: dict[Path, tuple[Policy, dict[str, str]]]) -> FileResult:
    try:
        read = read_tests(file)
        if read.policy not in policies:
            policies[read.policy] = load_policy(read.policy), rule_places(read.policy)
        policy, places = policies[read.policy]
    except PolicyError as error:
        return FileResult(file, problems=tuple(error.problems))
    estate = _estate(read)
    roles = _roles(read.tests.custom_roles)
    cases: list[CaseResult] = []
    problems: list[Problem] = []
    for number, case in enumerate(read.tests.tests):
        try:
            cases.append(_run(case, read.line(number), policy, estate, roles))
        except BadCase as error:
            problems.append(read.problem(number, str(error)))
    return FileResult(file, read.policy, tuple(cases), tuple(problems), places)


def _run(
    case: Case,
    line: int,
    policy: Policy,
    estate: Estate,
    roles: Mapping[RoleKey, Definition],
) -> CaseResult:
    without = bare(case.resource, estate.resources)
    policy = policy.under(listing(case.resource, without.id.subscription, estate.subscriptions))
    named = desired(policy, without).identities
    resource = resource_of(case.resource, estate.resources, named)
    given = given_access(policy, resource, roles)
    return CaseResult(
        name=case.name,
        line=line,
        differences=tuple(differences(case.expect, given, resource)),
        matching=given.matching,
        excluded=given.excluded,
    )


def _estate(read: ReadTests) -> Estate:
    if read.estate is None:
        return Estate({}, NOT_LISTED)
    saved = read_saved(read.estate)
    listed = (each.compute for each in saved.resources)
    return Estate({one.id: one for one in listed if one is not None}, saved.subscriptions)


def _roles(custom: Mapping[str, CustomRole]) -> dict[RoleKey, Definition]:
    return {(folded(guid), ""): _definition(folded(guid), role) for guid, role in custom.items()}


def _definition(guid: str, role: CustomRole) -> RoleDefinition:
    permission = Permission(
        tuple(role.actions),
        tuple(role.not_actions),
        tuple(role.data_actions),
        tuple(role.not_data_actions),
    )
    return RoleDefinition(guid, "", (permission,))
