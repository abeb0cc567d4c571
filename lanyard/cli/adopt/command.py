"""`lanyard adopt`: what stands already, and is what the policy gives, becomes Lanyard's."""

import asyncio
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.adopt.as_json import SHAPE, as_json
from lanyard.cli.adopt.found import Found
from lanyard.cli.adopt.text import show
from lanyard.cli.app_status import last_sweep
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, PolicyPath, Quiet, storage_rights
from lanyard.cli.frame.short_ids import whole_id
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.onboarding.steps import CHANGES, DryRun, Yes, confirm
from lanyard.desk.adoption.adoption import Adopted, Adoption
from lanyard.desk.adoption.candidates import Candidate, Candidates, merged
from lanyard.policy import Policy, load_policy
from lanyard.values.errors import LanyardError, Permanent, Temporary
from lanyard.values.resource_id import ResourceId, folded

_ABOUT = f"""\
Take over what stands already: role assignments and attachments that Terraform, a person or an
earlier installation made, and that the policy gives to the resources in SCOPE just so. It shows
them first, and asks. From then on they are Lanyard's, and go when nothing needs them any more, as
what it gave itself. Nothing else is adopted, and nothing by itself.

Of a role assignment the description alone is written, and keeps the one that it had; of a resource
nothing is. Take what you adopt out of what made it first (terraform state rm): who manages it there
goes on changing it, and what they change is theirs again.

--release puts each description back to the letter, and Lanyard neither takes nor changes it then.

The policy is the one that the app works by. It is done with your own rights: you need one to write
the role assignments (such as Role Based Access Control Administrator), and Reader.
{storage_rights("Storage Table Data Contributor", "Storage Queue Data Message Sender")}
"""
_AFTER = """\
examples:
  lanyard adopt rg-shop --dry-run
  lanyard adopt rg-shop --policy lanyard.yaml
  lanyard adopt /subscriptions/… --release --yes
  lanyard adopt /subscriptions/… --dry-run --json | jq '.items[] | select(.refused != "")'

exit codes:
  0  what may be adopted is (or was released), also where there was nothing
  1  an error: another policy than the app's, something that failed or cannot be looked at, a
     missing right, not confirmed
  2  with --dry-run: something would be adopted, or released
"""
# Reads under way at once.
_AT_ONCE = 8


def run(
    scope: Annotated[
        str, typer.Argument(metavar="SCOPE", help="A resource, resource group or subscription.")
    ],
    release: Annotated[
        bool, typer.Option("--release", help="Leave to others again what was adopted.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    policy: PolicyPath = Path("lanyard.yaml"),
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find, ask, and do it; returns the exit code."""
    terminal = Terminal(quiet=quiet or json)
    loaded = None if release else load_policy(policy)

    async def go() -> Found:
        async with connect.app(azure, where) as reached:
            app, _ = await connect.judging(reached, where)
            in_force = None if loaded is None else await app.in_force(loaded)
            place = await whole_id(scope, app.reading.inventory)
            work = _Work(app, place, in_force, terminal)
            found = await work.find()
            if dry_run or not found.todo:
                return found
            if not yes:
                show(found, terminal, planned=True)
            confirm(f"adopt: {found.question}?", yes=yes, json=json)
            await work.do(found)
            return found

    found = asyncio.run(go())
    if json:
        terminal.json(as_json(found, dry_run=dry_run))
    show(found, terminal, planned=dry_run)
    if found.failed:
        return 1
    return CHANGES if dry_run and found.todo else 0


@dataclass(frozen=True, slots=True)
class _Work:
    """Without a policy it is about what was adopted."""

    app: App
    scope: ResourceId
    policy: Policy | None
    terminal: Terminal

    async def find(self) -> Found:
        found = Found(scope=self.scope, release=self.policy is None)
        if self.policy is None:
            adopted = Adopted(self.app.services(), self.scope, found.unread, found.damaged)
            found.items += await adopted.all()
        else:
            await self._ensure_in_force(self.policy)
            found.items += merged(await self._candidates(self.policy, found))
        return found

    async def _candidates(self, policy: Policy, found: Found) -> list[Candidate]:
        candidates = Candidates(policy, self.app.services(policy))
        resources, slots = await self._resources(policy), asyncio.Semaphore(_AT_ONCE)
        candidates_of: list[Candidate] = []
        done = count(1)

        async def look(resource: ResourceId) -> None:
            """One that cannot be read stops no other."""
            async with slots:
                try:
                    every = await candidates.of(resource)
                    if every is None and resource == self.scope:
                        found.unread[str(resource)] = "it does not exist"
                    candidates_of.extend(every or ())
                except (Temporary, Permanent) as error:
                    found.unread[str(resource)] = str(error)
                progress(next(done), len(resources))

        with self.terminal.progress("reading resources") as progress:
            await asyncio.gather(*map(look, resources))
        return sorted(candidates_of, key=lambda each: (each.resources, each.what.key))

    async def do(self, found: Found) -> None:
        """One that fails stops no other."""
        adoption = Adoption(self.app.services(self.policy), self.app.queue.put, self.app.who)
        change = adoption.release if found.release else adoption.adopt
        for item in found.due:
            try:
                await change(item)
                found.done.add(item.what.key)
            except LanyardError as error:
                found.errors[item.what.key] = str(error)

    async def _resources(self, policy: Policy) -> list[ResourceId]:
        if self.scope.type:
            return [self.scope] if folded(self.scope.type) in policy.types() else []
        return await self.app.reading.inventory.resources(self.scope, policy.types())

    async def _ensure_in_force(self, policy: Policy) -> None:
        """What another policy gives, the one in force would take away again."""
        swept = await last_sweep(self.app.decisions(), self.app.time())
        if swept is None or not swept.policy:
            raise LanyardError(
                "no sweep of the app shows within a week which policy is in force: run it once "
                "there is one"
            )
        if swept.policy != policy.digest:
            raise LanyardError(
                f"the app works by another policy ({swept.policy}) than this one "
                f"({policy.digest}): name the file that it has with --policy, or deploy this one "
                "and wait for its sweep"
            )


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
