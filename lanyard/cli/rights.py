"""`lanyard rights`: what the app's own identity must be allowed, made from the policy."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.names import role_as_json
from lanyard.cli.frame.options import AppIdentity, Command, Json, Quiet, own_identity
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.at_groups import AtGroups, Kind
from lanyard.desk.rights import Rights, in_mode, rights
from lanyard.desk.rights_by_group import rights_by_group
from lanyard.policy import Mode, Policy, load_policy
from lanyard.values.errors import LanyardError
from lanyard.values.roles import role_id, role_name

_ABOUT = """\
Show what Lanyard's own identity needs to do what a policy says, and nothing beyond: the actions of
its custom role, the condition that lets it assign the policy's roles only, and the identities on
which it needs Managed Identity Operator. Nothing is asked of Azure: no login is needed. What the
app has, beside this, shows `lanyard doctor`; `lanyard onboard` gives it.

With --by-group what changes something stands at the resource groups that the rules name, and the
role at the subscription only reads. Every rule has to name its groups without a wildcard.
"""
_EXAMPLES = """\
examples:
  lanyard rights lanyard.yaml
  lanyard rights --removable Reader lanyard.yaml      orphans with this role may be removed, too
  lanyard rights --json lanyard.yaml                  for a program
  lanyard rights --bicep lanyard.yaml                 as infra/watch.bicep takes them
  lanyard rights --mode full lanyard.yaml             what that mode will need
  lanyard rights --by-group lanyard.yaml              at the resource groups that the rules name

exit codes:
  0  shown
  1  the policy is broken or cannot be read, a role is not known, or a rule does not name its groups
"""
_PARAMETERS_SCHEMA = (
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
)


_NOT_BY_BICEP = (
    "--by-group and --bicep do not go together: a template gives the rights at the subscription, "
    "or at the management group that it joins by; 'lanyard onboard --by-group' gives them at groups"
)
_FOR = {
    Kind.CHANGES: "A custom role that changes the policy's resources",
    Kind.GRANTS: "A custom role that assigns and removes roles",
    Kind.IDENTITIES: "A custom role for the identities that the policy has made",
}
ByGroup = Annotated[
    bool,
    typer.Option(
        "--by-group",
        help="Rights to change something stand at the resource groups that the rules name; not for "
        "subscriptions that join by a management group.",
    ),
]


class UnknownRole(LanyardError):
    """The command line names a role that is neither a known built-in one nor a GUID."""


def run(
    policy: Annotated[
        Path,
        typer.Argument(
            metavar="[POLICY]",
            envvar="LANYARD_POLICY",
            help="A file or a folder, or - for standard input; by default lanyard.yaml.",
        ),
    ] = Path("lanyard.yaml"),
    removable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="A role whose orphaned assignments may be removed, too; repeatable.",
        ),
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option("--mode", help="As if the policy were in this mode. Default: its own."),
    ] = None,
    by_group: ByGroup = False,
    json: Json = False,
    bicep: Annotated[
        bool, typer.Option("--bicep", help="The parameters file of infra/watch.bicep.")
    ] = False,
    app_identity: AppIdentity = "",
    quiet: Quiet = False,
) -> int:
    """Show the rights; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    if bicep and by_group:
        raise LanyardError(_NOT_BY_BICEP)
    loaded = load_policy(policy, own_identity(app_identity))
    needed = needed_by(in_mode(loaded, mode or loaded.mode), removable or (), by_group=by_group)
    if bicep:
        terminal.json(_as_parameters(needed))
    elif json:
        terminal.json(_as_json(needed, mode or loaded.mode))
    else:
        _show(needed, terminal)
    return 0


def needed_by(policy: Policy, removable: Iterable[str], *, by_group: bool) -> Rights:
    """What a policy needs. Raises UnknownRole, GroupsNotNamed."""
    roles = role_ids(removable)
    return rights_by_group(policy, roles) if by_group else rights(policy, roles)


def role_ids(names: Iterable[str]) -> list[str]:
    """The GUIDs of roles by their names or GUIDs. Raises UnknownRole."""
    found = []
    for name in names:
        if (guid := role_id(name)) is None:
            raise UnknownRole(f"{name!r} is no built-in role known here; give its GUID")
        found.append(guid)
    return found


def _as_json(needed: Rights, mode: Mode) -> dict[str, Any]:
    return {
        "version": 1,
        "mode": mode.value,
        "actions": [*needed.actions],
        "condition": needed.condition,
        "assignable": [role_as_json(guid) for guid in needed.assignable],
        "removable": [role_as_json(guid) for guid in needed.removable],
        "identityActions": [*needed.identity_actions],
        "identityGroups": [*needed.identity_groups],
        "operatorOn": [identity.text for identity in needed.operator_on],
        "atGroups": [_role_as_json(role) for role in needed.at_groups],
        "notes": [*needed.notes],
    }


def _role_as_json(role: AtGroups) -> dict[str, Any]:
    return {
        "kind": role.kind.value,
        "actions": [*role.actions],
        "groups": [
            {
                "name": place.group,
                "subscription": place.subscription,
                "condition": delegated.condition,
                "assignable": [role_as_json(guid) for guid in sorted(delegated.assignable)],
                "removable": [role_as_json(guid) for guid in sorted(delegated.removable)],
            }
            for place, delegated in sorted(role.places.items(), key=lambda each: each[0])
        ],
    }


def _as_parameters(needed: Rights) -> dict[str, Any]:
    """Bicep cannot take an id apart as readily: what a module's scope is made of is given apart."""
    values = {
        "actions": [*needed.actions],
        "condition": needed.condition,
        "identityActions": [*needed.identity_actions],
        "identityGroups": [*needed.identity_groups],
        "operatorOn": [
            {
                "subscriptionId": identity.subscription,
                "resourceGroup": identity.resource_group,
                "name": identity.name,
            }
            for identity in needed.operator_on
        ],
    }
    return {
        "$schema": _PARAMETERS_SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"rights": {"value": values}},
    }


def _show(needed: Rights, terminal: Terminal) -> None:
    _section(terminal, "A custom role at each subscription to watch", needed.actions)
    if needed.condition:
        _section(terminal, "assigned under this condition (version 2.0)", [needed.condition])
        _section(terminal, "so it may assign", map(role_name, needed.assignable))
        _section(terminal, "and remove assignments of", map(role_name, needed.removable))
    if needed.identity_actions:
        groups = ", ".join(needed.identity_groups)
        where = f"at the resource group {groups}" if groups else "at each subscription to watch"
        _section(terminal, f"A second custom role {where}", needed.identity_actions)
    for role in needed.at_groups:
        _show_role(role, terminal)
    _section(terminal, "Managed Identity Operator on", (i.text for i in needed.operator_on))
    _section(terminal, "To know", needed.notes)


def _show_role(role: AtGroups, terminal: Terminal) -> None:
    """Where it stands, and which roles may be given and removed there."""
    _section(terminal, _FOR[role.kind], role.actions)
    what = "at these resource groups alone"
    if role.kind is Kind.GRANTS:
        what += ", each under a condition of its own (--json has it)"
    terminal.report((what, "bold"))
    for place, delegated in sorted(role.places.items(), key=lambda each: each[0]):
        terminal.report(f"  {place}")
        for verb, guids in (("assign", delegated.assignable), ("remove", delegated.removable)):
            if guids:
                terminal.report(f"    to {verb}: {', '.join(sorted(map(role_name, guids)))}")


def _section(terminal: Terminal, title: str, lines: Iterable[str]) -> None:
    if not (listed := [*lines]):
        return
    terminal.report((title, "bold"))
    for line in listed:
        terminal.report(f"  {line}")


_SHAPE = {
    "version": "`1`",
    "actions[]": "of the custom role at each subscription to watch",
    "condition": "under which it is assigned (version 2.0); empty where it needs none",
    "assignable[]": "roles that it may assign: `id` (GUID), `name`",
    "removable[]": "roles whose assignments it may remove: `id` (GUID), `name`",
    "identityActions[]": "of a second custom role, where the policy has identities made",
    "identityGroups[]": "the resource groups of that; empty: all of each subscription",
    "operatorOn[]": "identities on which it needs Managed Identity Operator",
    "mode": "the mode that they are for",
    "atGroups[]": "with --by-group: custom roles that are assigned at resource groups alone",
    "atGroups[].kind": "`changes` (the policy's resources), `grants` (roles), `identities`",
    "atGroups[].actions": "of the role",
    "atGroups[].groups[]": "where it is assigned",
    "atGroups[].groups[].name": "of the resource group, in lower case",
    "atGroups[].groups[].subscription": "the id of its subscription; `*`: each that is watched",
    "atGroups[].groups[].condition": "of the assignment there (version 2.0); empty: none",
    "atGroups[].groups[].assignable[]": "roles that it may assign there: `id` (GUID), `name`",
    "atGroups[].groups[].removable[]": "roles whose assignments it may remove: `id`, `name`",
    "notes[]": "what a person should know",
}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
