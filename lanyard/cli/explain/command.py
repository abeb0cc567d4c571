"""`lanyard explain`: why something has the access that it has, or none."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.explain.as_json import SHAPE, explanation_as_json
from lanyard.cli.explain.explainer import Explainer
from lanyard.cli.explain.explanation import Explanation, explained
from lanyard.cli.explain.text import show
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, PolicyPath, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.policy import load_policy
from lanyard.policy.load import rule_places

_ABOUT = f"""\
Show why something has access, or has none: for a resource, each identity it has and each role that
those hold, what is held of it, and by what each rule for its type passes it by; for an identity or
a principal (object id), whose it is and each role it holds; for a role assignment (id, or the GUID
that is its name), that one. Of each role: whether Lanyard made it, which resources claim it, by
which rule (file and line) and after which event it was given, and what would have to change for it
to go.

{storage_rights("Storage Table Data Reader")}
You need Reader on the subscriptions, too. Who else has access to a resource shows `lanyard access`.
"""
_AFTER = """\
examples:
  lanyard explain /subscriptions/…/virtualMachines/vm1 --storage stlanyard
  lanyard explain vm1                                     where one resource alone is called so
  lanyard explain id-shop                                 an identity: its roles, and who has it
  lanyard explain 2f0c1a34-0000-0000-0000-000000000000    an object id, or an assignment's name
  lanyard explain /subscriptions/…/roleAssignments/8e81973e-… --json

exit codes:
  0  explained, also where it has nothing
  1  an error: it does not exist, nobody knows the GUID, no credentials, a missing right
"""


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of a resource, an identity, a principal, a role assignment."
        ),
    ],
    policy: PolicyPath = Path("lanyard.yaml"),
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Explain; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    loaded, places = load_policy(policy), rule_places(policy)

    async def explain() -> Explanation:
        async with connect.app(azure, where) as app:
            explainer = Explainer(app=app, policy=await app.in_force(loaded))
            found = await explained(target, explainer)
            return replace(found, damaged=tuple(map(str, explainer.damaged)))

    found = asyncio.run(explain())
    if json:
        terminal.json(explanation_as_json(target, found, places))
    else:
        show(found, places, terminal)
    return 0


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
