"""`lanyard uninstall`: nothing of Lanyard is left in the subscriptions that it watched."""

import asyncio
from dataclasses import dataclass

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.onboarding.onboard import resources_over, watching_of
from lanyard.cli.onboarding.run import Flow, done_of, planned_of
from lanyard.cli.onboarding.steps import (
    CHANGES,
    TO_TAKE_BACK,
    DeploymentOptions,
    DryRun,
    Watched,
    Yes,
    confirm,
    known,
    shaped,
)
from lanyard.cli.onboarding.uninstall_report import Extent, Report, as_json, show_done, show_plan
from lanyard.desk.onboarding.app_alerts import AppAlerts
from lanyard.desk.onboarding.joins import JoinRights, NoMoreJoins
from lanyard.desk.onboarding.parts import Deployment
from lanyard.desk.uninstall import Uninstall
from lanyard.planning.orders import Paused
from lanyard.record.rows import DamagedRow

_ABOUT = f"""\
Take Lanyard out of the subscriptions that it watches: pause it, take back its event subscriptions,
topics, alerts, rights and roles, and with --grants every role assignment that it made. It shows
what there is first, and what remains at the end; `azd down` takes the app itself. Of a management
group whose subscriptions join by Azure Policy the policy goes first and the roles last.

An assignment goes where Lanyard's record, its name and its stamp say that it is Lanyard's, each
read again right before. It is kept whole on record: until `azd down`, `lanyard undo` puts it back.
What a person had put back stays. --attachments detaches the identities that Lanyard attached: a web
app restarts by that, and whatever runs under them loses them.

It is done with your own rights: Owner of the subscriptions, or Contributor with User Access
Administrator.
{storage_rights("Storage Table Data Contributor")}
"""
_AFTER = """\
examples:
  lanyard uninstall --grants --attachments --dry-run
  lanyard uninstall --grants --yes && azd down

exit codes:
  0  what was asked for is gone, also where nothing was there
  1  an error: something is still there, a missing right, not confirmed
  2  with --dry-run: something would be done
"""
_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was to be changed",
    "subscriptions[]": "those that are watched or on record; the first has the app's own alerts",
    "subscriptions[].subscription": "its id; of a management group the whole id",
    "subscriptions[].steps[]": "the parts, in the order in which they are taken back",
    **shaped("subscriptions[].steps[]"),
    "subscriptions[].notes[]": "what stays there, and why",
    "grants[]": "what Lanyard granted",
    "grants[].kind": "`role assignment`",
    "grants[].assignment": "id of the role assignment",
    "grants[].role": "`id` (GUID), `name`",
    "grants[].scope": "where it gives the role",
    "grants[].principalId": "whom it is for",
    "grants[].resources[]": "ids of the resources that claim it",
    "grants[].removed": "whether it was removed",
    "grants[].error": "why it was not although it was asked for; else empty",
    "attachments[]": "identities that Lanyard attached",
    "attachments[].resource": "id of the resource",
    "attachments[].identity": "id of the identity",
    "attachments[].removed": "whether it was detached",
    "attachments[].error": "why it was not although it was asked for; else empty",
    "remains[]": "what is still there of Lanyard, in words",
}
_PAUSE = "uninstall"


def run(
    dry_run: DryRun = False,
    yes: Yes = False,
    *,
    extent: Extent,
    azure: AzureOptions,
    where: AppOptions,
    deployment: DeploymentOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Take it back; returns the exit code."""
    terminal = Terminal(quiet=quiet or json)

    async def go() -> Report:
        async with connect.app(azure, where) as reached:
            app, principal = await connect.judging(reached, where)
            named = Deployment(
                app_id=deployment.app_id,
                principal_id=principal,
                storage_id=deployment.storage_id,
                events_storage_id=deployment.events_storage_id,
            )
            work = _Work(app, known(named, *TO_TAKE_BACK), extent, terminal)
            planned = await work.plan()
            if dry_run or not planned.todo or any(each.failed for each in planned.parts):
                show_plan(planned, terminal)
                return planned
            if not yes:
                show_plan(planned, terminal)
            confirm("uninstall: go on?", yes=yes, json=json)
            return await work.do(planned)

    report = asyncio.run(go())
    if json:
        terminal.json(as_json(report, dry_run=dry_run))
    if report.after is not None:
        show_done(report, terminal)
    if report.failed:
        terminal.error("something is still there: run it again")
        return 1
    return CHANGES if report.after is None and report.todo else 0


@dataclass(frozen=True, slots=True)
class _Work:
    app: App
    deployment: Deployment
    extent: Extent
    terminal: Terminal

    async def plan(self) -> Report:
        parts = [await planned_of(each, self.terminal) for each in await self._flows()]
        return Report(self.extent, parts, await self._uninstall().given())

    async def do(self, planned: Report) -> Report:
        """The pause first, so that nothing is given anew; then what would bring events to the app,
        its rights, and at last what it gave.
        """
        pause = await self.app.operator().pause(Paused.EVERYTHING, _PAUSE)
        self.terminal.show(("paused", "yellow"), f"  {pause}")
        parts: list[Watched] = []
        for each in await self._flows():
            if isinstance(each, JoinRights):
                each.blocked = any(part.failed for part in parts)
            parts.append(await done_of(each, self.terminal))
        uninstall, extent = self._uninstall(), self.extent
        with self.terminal.progress("resources") as progress:
            failures = await uninstall.take_back(
                grants=extent.grants, attachments=extent.attachments, progress=progress
            )
        after = await uninstall.given()
        return Report(extent, parts, planned.before, after, failures)

    def _uninstall(self) -> Uninstall:
        return Uninstall(self.app.services())

    async def _flows(self) -> list[Flow]:
        """The app's own alerts; what would let another subscription join; each subscription; and
        what let it in.
        """
        clients = self.app.reading.clients
        resources = resources_over(clients)
        watching = await watching_of(self.app.azure.index, self.deployment, clients)
        damaged: list[DamagedRow] = []
        on_record = {record.id.subscription async for record in self.app.ledger().records(damaged)}
        on_record |= {damage.row.partition for damage in damaged}
        subscriptions = sorted({*watching.subscriptions, *on_record})
        make = watching.no_more(resources, subscriptions, ending=True)
        return [
            AppAlerts(resources, self.deployment),
            *(NoMoreJoins(resources, join) for join in watching.joins),
            *map(make, subscriptions),
            *(JoinRights(resources, self.deployment, join) for join in watching.joins),
        ]


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
