"""The tests that `lanyard init` writes beside a first policy: what it gives now is expected."""

import json

from lanyard.desk.policy_tests.given_access import SYSTEM, GivenAccess, given_access
from lanyard.desk.policy_tests.resources import resource_of
from lanyard.desk.policy_tests.shape import GivenResource
from lanyard.planning.desired import WantedGrant
from lanyard.policy import Policy
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned
from lanyard.values.roles import role_name

_GROUP = "rg-app"


def tests_text(policy: Policy, type_: str, group: str) -> str:
    """The file of tests: one resource of a type that the policy's only rule is for, and one that it
    leaves out. `group`: a resource group, with * for any part.
    """
    name = group.replace("*", "") or _GROUP
    given = GivenResource(type=type_, resource_group=name)
    resource = resource_of(given, {}, ())
    found = given_access(policy, resource, {})
    plain = f"{{type: {type_}, resourceGroup: {_quoted(name)}}}"
    ignored = f"{{type: {type_}, resourceGroup: {_quoted(name)}, tags: {{lanyard: ignore}}}}"
    return "\n".join(
        [
            "# Tests of the policy beside this file: lanyard test. Keys: docs/policy-tests.md.",
            "tests:",
            "  - name: what the rule is for gets its identity",
            f"    resource: {plain}",
            "    expect:      # all of it: what is not named here must not come",
            *_expected(found, resource),
            "  - name: what has the tag is left alone",
            f"    resource: {ignored}",
            "    expect: {nothing: true}",
            "",
        ]
    )


def _expected(given: GivenAccess, resource: ComputeResource) -> list[str]:
    lines = []
    if given.attached:
        names = ", ".join(_name(one.identity) for one in given.attached)
        lines.append(f"      attached: [{names}]")
    if given.granted:
        lines += ["      granted:", *(_grant(grant, resource) for grant in given.granted)]
    if given.held:
        lines.append("      held:")
        lines += [f"        - {{what: {_quoted(e.what)}, why: {e.why}}}" for e in given.held]
    return lines or ["      nothing: true"]


def _grant(grant: WantedGrant, resource: ComputeResource) -> str:
    in_group = grant.scope == resource.id.resource_group_id
    scope = "{resourceGroup}" if in_group else grant.scope
    role = role_name(grant.role_id)
    return f"        - {{role: {role}, scope: {_quoted(scope)}, to: {_name(grant.to)}}}"


def _name(identity: PrincipalRef) -> str:
    return SYSTEM if isinstance(identity, SystemAssigned) else identity.id.name


def _quoted(text: str) -> str:
    """As YAML reads it back, whatever is in it: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)
