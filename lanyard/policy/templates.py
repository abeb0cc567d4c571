"""Templates in names and scopes: a closed set of variables, filled with checked values only.

    {subscription}   the subscription's id          {location}       the region, e.g. westeurope
    {resourceGroup}  the resource group's name
    {resource.name}  the resource's name, after those of its parents: app1-staging of a slot
    {resource.hash}  thirteen letters and digits that no other resource has
    {tags.KEY}       the value of a tag
    {vars.T[V]}      what the policy's table T has for the value of the variable V; in scopes alone

A scope that is only `{subscription}`, `{resourceGroup}` or `{resource}` means that scope's whole
id. Whoever makes or tags a resource chooses its name and its tags, so these may be part of the
*name* of a resource in a scope and nothing else: never a subscription, a group, a type or a role.
"""

import base64
import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping

from lanyard.policy.look_ups import (
    NO_TABLES,
    LookUp,
    Tables,
    found_in,
    is_look_up,
    look_up_of,
    look_up_problem,
)
from lanyard.policy.patterns import ANY, same
from lanyard.values.compute import ComputeResource
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded, is_own_name, is_plain

#: One more with each version of Lanyard in which a variable comes to something else: a policy that
#: is as it was means something else then, and removes nothing before that is reported.
MEANING = 1

_VARIABLE = re.compile(r"\{([^{}]*)\}")
# A slash that is in no variable.
_BETWEEN = re.compile(r"/(?![^{}]*\})")
_PLAIN = {"subscription", "location", "resourceGroup", "resource.name", "resource.hash"}
_WHOLE_SCOPES = {"{subscription}", "{resourceGroup}", "{resource}"}
# What a tag value must look like to become part of a name: no separators, no dots at the edge.
_TAG_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
# Naming rules of Azure resources, Microsoft.ManagedIdentity/userAssignedIdentities.
_IDENTITY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")
_IDENTITY_NAME_RULE = "3 to 128 letters, digits, - and _, beginning with a letter or digit"
_SAMPLE_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


class TemplateProblem(ValueError):
    """A value of this resource cannot fill the template; the message names which and why."""


def variables(template: str) -> Iterator[str]:
    """The variables that the template uses."""
    yield from _VARIABLE.findall(template)


def segments_of(template: str) -> list[str]:
    """The segments of a scope's template. A slash in a variable is part of the name of a tag, or of
    a table, and ends none.
    """
    return _BETWEEN.split(template)


def as_pattern(template: str) -> str:
    """What the names that the template may come to fit, folded: with * for each variable."""
    return _VARIABLE.sub(ANY, folded(template))


def chosen(template: str) -> str:
    """What of the template whoever makes a resource chooses; "" for nothing."""
    for variable in variables(template):
        look_up = look_up_of(variable)
        variable = look_up.by if look_up else variable
        if variable.startswith("tags."):
            return "a tag"
        if variable == "resource.name":
            return "the name of the resource that a rule is for"
    return ""


def name_problem(template: str, tables: Tables | None = None) -> str | None:
    """What is wrong with a name's template, or None. `tables`: those that it may look up in; None
    where it may not.
    """
    for variable in variables(template):
        if problem := _variable_problem(variable, tables):
            return problem
    if set("{}") & set(_VARIABLE.sub("", template)):
        return f"a brace is not closed in {template!r}"
    return None


def _variable_problem(variable: str, tables: Tables | None) -> str | None:
    if is_look_up(variable):
        if tables is None:
            return f"{{{variable}}} may stand in scopes only"
        look_up = look_up_of(variable)
        problem = look_up_problem(variable, tables)
        return problem or (look_up and _variable_problem(look_up.by, None)) or None
    if variable == "tags.":
        return "{tags.} names no tag; write {tags.KEY}"
    if variable not in _PLAIN and not variable.startswith("tags."):
        return _unknown(variable)
    return None


def scope_problem(template: str, tables: Tables = NO_TABLES) -> str | None:
    """What is wrong with a scope's template, or None."""
    if template in _WHOLE_SCOPES:
        return None
    if problem := name_problem(template, tables):
        return problem
    segments = segments_of(template)
    for index, segment in enumerate(segments):
        if (what := chosen(segment)) and not is_own_name(segments, index):
            return f"{what} may only be part of a resource's name in a scope, after its type"
    try:
        ResourceId.parse(_VARIABLE.sub(_sample, template))
    except InvalidResourceId as error:
        return f"{template!r} is no scope: {error.reason}"
    return None


def resource_group_problem(template: str) -> str | None:
    """What is wrong with the template of a resource group's name, or None."""
    if problem := name_problem(template):
        return problem
    if what := chosen(template):
        return f"{what} cannot choose the resource group of an identity"
    literal = _VARIABLE.sub("", template)
    if len(literal) > 90 or not re.fullmatch(r"[\w.()-]*", literal) or template.endswith("."):
        return (
            f"Azure refuses the resource group name {template!r}: at most 90 letters, digits and "
            "_ - . ( ), not ending in a dot"
        )
    return None


def identity_name_problem(template: str) -> str | None:
    """What is wrong with the template of an identity's name, or None."""
    if problem := name_problem(template):
        return problem
    literal = _VARIABLE.sub("", template)
    shortest = len(literal) + len(_VARIABLE.findall(template))
    starts = _VARIABLE.sub("x", template)[:1]
    if not re.fullmatch(r"[A-Za-z0-9_-]*", literal) or not starts.isalnum():
        return f"Azure refuses the identity name {template!r}: {_IDENTITY_NAME_RULE}"
    if len(literal) > 128 or (shortest < 3 and literal == template):
        return f"Azure refuses the identity name {template!r}: {_IDENTITY_NAME_RULE}"
    return None


def fill_identity_name(template: str, resource: ComputeResource) -> str:
    """An identity's name for this resource. Raises TemplateProblem for one that Azure refuses."""
    name = fill_name(template, resource)
    if not _IDENTITY_NAME.fullmatch(name):
        raise TemplateProblem(f"Azure refuses the identity name {name!r}: {_IDENTITY_NAME_RULE}")
    return name


def fill_name(template: str, resource: ComputeResource, tables: Tables = NO_TABLES) -> str:
    """The name for this resource. Raises TemplateProblem for a missing or unfit tag, and for what
    is in no table.
    """
    return _VARIABLE.sub(lambda found: _plain(found[1], resource, tables), template)


def literal(template: str) -> str:
    """What of a template is no variable."""
    return _VARIABLE.sub("", template)


def fill_text(template: str, resource: ComputeResource) -> str:
    """A text that names nothing, with the resource's tags as they are. Raises TemplateProblem for
    a missing one.
    """
    return _VARIABLE.sub(lambda found: _text(found[1], resource), template)


def fill_scope(template: str, resource: ComputeResource, tables: Tables = NO_TABLES) -> str:
    """The scope's id for this resource. Raises TemplateProblem for a missing or unfit tag, and for
    what is in none of the tables.
    """
    match template:
        case "{subscription}":
            return f"/subscriptions/{resource.id.subscription}"
        case "{resourceGroup}":
            return resource.id.resource_group_id
        case "{resource}":
            return resource.id.text
    filled = fill_name(template, resource, tables)
    try:
        return ResourceId.parse(filled).text
    except InvalidResourceId as error:
        raise TemplateProblem(str(error)) from None


def _plain(variable: str, resource: ComputeResource, tables: Tables) -> str:
    """The value, which brings no character of its maker's choice into a name or scope that is not
    harmless in any.
    """
    look_up = look_up_of(variable)
    value = _looked_up(look_up, resource, tables) if look_up else _value(variable, resource)
    if not is_plain(value):
        raise TemplateProblem(f"{{{variable}}} is {value!r} here, which cannot be part of a name")
    return value


def sample_scope(template: str, type_: str) -> str:
    """A scope of the kind that the template leads to, for a resource of a type."""
    group = f"/subscriptions/{_SAMPLE_SUBSCRIPTION}/resourceGroups/x"
    provider, _, types = type_.partition("/")
    resource = "/".join(part for name in types.split("/") for part in (name, "x"))
    samples = {
        "{subscription}": f"/subscriptions/{_SAMPLE_SUBSCRIPTION}",
        "{resourceGroup}": group,
        "{resource}": f"{group}/providers/{provider}/{resource}",
    }
    return samples.get(template) or _VARIABLE.sub(_sample, template)


def _looked_up(look_up: LookUp, resource: ComputeResource, tables: Tables) -> str:
    value = _text(look_up.by, resource)
    found = found_in(tables, look_up, value)
    if found is None:
        raise TemplateProblem(
            f"vars.{look_up.table} has nothing for {value!r}, which {look_up.by} is here"
        )
    return found


def _value(variable: str, resource: ComputeResource) -> str:
    text = _text(variable, resource)
    if variable.startswith("tags.") and not _TAG_VALUE.fullmatch(text):
        key = variable.removeprefix("tags.")
        raise TemplateProblem(
            f"the tag {key!r} cannot be part of a name: use letters, digits, '-' and '_' only"
        )
    return text


def _text(variable: str, resource: ComputeResource) -> str:
    if variable.startswith("tags."):
        return _tag(variable.removeprefix("tags."), resource.tags)
    values = {
        "subscription": resource.id.subscription,
        "location": resource.location,
        "resourceGroup": resource.id.resource_group,
        "resource.name": resource.id.full_name,
        "resource.hash": _hash(resource.id),
    }
    return values[variable]


def _hash(resource: ResourceId) -> str:
    """65 bits of SHA-256 of the folded id in base 32: nobody finds a second name that has it."""
    digest = hashlib.sha256(resource.key.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


def _tag(key: str, tags: Mapping[str, str]) -> str:
    # Azure compares tag names without case, tag values with it.
    value = next((text for name, text in tags.items() if same(name, key)), None)
    if value is None:
        raise TemplateProblem(f"the resource has no tag {key!r}")
    return value


def _sample(found: re.Match[str]) -> str:
    return _SAMPLE_SUBSCRIPTION if found[1] == "subscription" else "x"


def _unknown(variable: str) -> str:
    near = difflib.get_close_matches(variable.lower(), {name.lower() for name in _PLAIN}, n=1)
    known = sorted(name for name in _PLAIN if not near or name.lower() == near[0])
    shown = ", ".join(f"{{{name}}}" for name in known)
    if near:
        return f"unknown variable {{{variable}}}; did you mean {shown}?"
    return f"unknown variable {{{variable}}}; known: {shown}, {{tags.KEY}}"
