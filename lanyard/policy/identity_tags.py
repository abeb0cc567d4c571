"""Tags of identities that Lanyard makes: texts, in which the resource's own may stand. They are
values and name nothing, so whatever Azure takes as a tag's value may come from a resource.
"""

import re
from collections.abc import Mapping
from itertools import combinations

from lanyard.policy.document import IdentitySpec
from lanyard.policy.patterns import same
from lanyard.policy.problems import Found
from lanyard.policy.rule import MOST_IN_TAG
from lanyard.policy.templates import TemplateProblem, fill_text, literal, name_problem, variables
from lanyard.values.compute import ComputeResource
from lanyard.values.own_identity import OWN_TAGS, RESOURCE_TAG

# Azure Resource Manager limits: of a resource; and what no name of a tag has.
_MOST = 50
_NOT_IN_NAMES = re.compile(r"[<>%&\\?/]")
# Azure keeps them to itself, as no tag's name begins with one (its documentation of tags).
_RESERVED = re.compile("microsoft|azure|windows", re.IGNORECASE | re.ASCII)


def tag_problems(spec: IdentitySpec) -> Found:
    """What is wrong with the tags of an identity, by the path below it."""
    if spec.id is not None and spec.tags:
        yield ("tags",), "'tags' are for identities that Lanyard makes; this one exists"
        return
    own = [tag for tag in OWN_TAGS if spec.dedicated or tag != RESOURCE_TAG]
    if len(spec.tags) + len(own) > _MOST:
        yield ("tags",), f"Azure takes {_MOST} tags, {len(own)} of them are Lanyard's own"
    for first, second in combinations(spec.tags, 2):
        if same(first, second):
            yield ("tags", second), f"tag names have no case: {first!r} is {second!r}"
    for name, value in spec.tags.items():
        for problem in filter(None, (_name_problem(name), _value_problem(spec, value))):
            yield ("tags", name), problem


def _name_problem(name: str) -> str | None:
    if any(same(name, own) for own in OWN_TAGS):
        return f"{name!r} is Lanyard's own: by it an identity is known again"
    if found := _NOT_IN_NAMES.search(name):
        return f"Azure takes no {found[0]!r} in the name of a tag"
    if found := _RESERVED.match(name):
        return f"Azure keeps the names of tags that begin with {found[0]!r} to itself"
    return None


def _value_problem(spec: IdentitySpec, value: str) -> str | None:
    if problem := name_problem(value):
        return problem
    if len(literal(value)) > MOST_IN_TAG:
        return f"Azure takes {MOST_IN_TAG} characters in a tag's value"
    others = [one for one in variables(value) if spec.per == "resource" or one not in spec.per]
    if others and not spec.dedicated:
        return f"several resources share the identity, and {{{others[0]}}} is of one of them"
    return None


def filled_tags(spec: IdentitySpec, resource: ComputeResource) -> Mapping[str, str]:
    """The tags of the identity that is made for this resource; without those that it lacks a tag
    for, or that would be too long with it.
    """
    found: dict[str, str] = {}
    for name, template in spec.tags.items():
        try:
            value = fill_text(template, resource)
        except TemplateProblem:
            continue
        if len(value) <= MOST_IN_TAG:
            found[name] = value
    return found
