"""`lanyard rights`: what the app's own identity must be allowed, made from the policy."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from lanyard.cli.frame.names import role_as_json
from lanyard.cli.frame.options import AppIdentity, Command, Json, Quiet, own_identity
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.rights import Rights, rights
from lanyard.policy import load_policy
from lanyard.values.errors import LanyardError
from lanyard.values.roles import role_id, role_name

_ABOUT = """\
Show what Lanyard's own identity needs to do what a policy says, and nothing beyond: the actions of
its custom role, the condition that lets it assign the policy's roles only, and the identities on
which it needs Managed Identity Operator. Nothing is asked of Azure: no login is needed.
"""
_EXAMPLES = """\
examples:
  lanyard rights lanyard.yaml
  lanyard rights --removable Reader lanyard.yaml      orphans with this role may be removed, too
  lanyard rights --json lanyard.yaml                  for a program
  lanyard rights --bicep lanyard.yaml                 as infra/watch.bicep takes them

exit codes:
  0  shown
  1  the policy is broken or cannot be read, or a role is not known
"""
_PARAMETERS_SCHEMA = (
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
)


class UnknownRole(LanyardError):
    """The command line names a role that is neither a known built-in one nor a GUID."""


def run(
    policy: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A file or a folder; - for standard input.")
    ],
    removable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="A role whose orphaned assignments may be removed, too; repeatable.",
        ),
    ] = None,
    json: Json = False,
    bicep: Annotated[
        bool, typer.Option("--bicep", help="The parameters file of infra/watch.bicep.")
    ] = False,
    app_identity: AppIdentity = "",
    quiet: Quiet = False,
) -> int:
    """Show the rights; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    needed = rights(load_policy(policy, own_identity(app_identity)), role_ids(removable or ()))
    if bicep:
        terminal.json(_as_parameters(needed))
    elif json:
        terminal.json(_as_json(needed))
    else:
        _show(needed, terminal)
    return 0


def role_ids(names: Iterable[str]) -> list[str]:
    """The GUIDs of roles by their names or GUIDs. Raises UnknownRole."""
    found = []
    for name in names:
        if (guid := role_id(name)) is None:
            raise UnknownRole(f"{name!r} is no built-in role known here; give its GUID")
        found.append(guid)
    return found


def _as_json(needed: Rights) -> dict[str, Any]:
    return {
        "version": 1,
        "actions": [*needed.actions],
        "condition": needed.condition,
        "assignable": [role_as_json(guid) for guid in needed.assignable],
        "removable": [role_as_json(guid) for guid in needed.removable],
        "identityActions": [*needed.identity_actions],
        "identityGroups": [*needed.identity_groups],
        "operatorOn": [identity.text for identity in needed.operator_on],
        "notes": [*needed.notes],
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
    _section(terminal, "Managed Identity Operator on", (i.text for i in needed.operator_on))
    _section(terminal, "To know", needed.notes)


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
    "notes[]": "what a person should know",
}
COMMAND = Command(_ABOUT, _EXAMPLES, run, _SHAPE)
