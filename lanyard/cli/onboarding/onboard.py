"""`lanyard onboard` and `lanyard offboard`: the subscriptions that a deployed app watches."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.options import (
    AppIdentity,
    Command,
    Json,
    PolicyPath,
    Quiet,
    own_identity,
    storage_rights,
)
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.onboarding.run import RUN_SHAPE, Asking
from lanyard.cli.onboarding.steps import (
    TO_TAKE_BACK,
    DeploymentOptions,
    DryRun,
    Yes,
    known,
    show_notes,
    subscription_ids,
)
from lanyard.cli.rights import ByGroup, needed_by
from lanyard.desk.onboarding.joins import Join, joins_of
from lanyard.desk.onboarding.offboarding import Offboarding, watching
from lanyard.desk.onboarding.onboarding import Onboarding
from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    TOPIC,
    Delivery,
    Deployment,
    watching_assignment,
)
from lanyard.desk.onboarding.steps import Resources
from lanyard.policy import load_policy
from lanyard.ports.azure import Index
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_within
from lanyard.values.stamps import is_stamped

if TYPE_CHECKING:
    from lanyard.azure.arm.clients import Clients

_ON_ABOUT = """\
Let a deployed app watch subscriptions: give its identity there the rights that the policy needs and
no others (as `lanyard rights` shows them), and send it the events. It makes just what
infra/watch.bicep makes, under the same names; each may go on where the other began.

With --by-group the rights that change something stand at the resource groups that the rules name,
and at no subscription: every rule has to name them. A group that is made later, or made again,
takes another run. Not for what joins by a management group.

With --delivery queue Event Grid puts the events into a queue, as the topic's own identity: they
wait there while the app is stopped, and nobody needs an address to reach the app.

It is done with your own rights: Owner of each subscription, or Contributor with User Access
Administrator, which defines the app's role; the latter on the app's storage account, too. What is
there already stays as it is, so it may be run again at any time, and after a change of the policy.

The options that name the app are outputs of its deployment: `azd env get-values` shows them.
"""
_ON_AFTER = """\
examples:
  lanyard onboard 11111111-1111-1111-1111-111111111111 --dry-run
  lanyard onboard 11111111-… 22222222-… --policy lanyard.yaml --yes
  lanyard onboard 11111111-… --delivery queue
  lanyard onboard 11111111-… --by-group --dry-run

exit codes:
  0  everything is there (or was already)
  1  an error: something could not be done or looked at, a missing right, not confirmed
  2  with --dry-run: something would be done
"""
_OFF_ABOUT = f"""\
Take back what lets a deployed app watch subscriptions: the event subscriptions, the topic and the
alert that Lanyard made, the app's rights there and their roles. Nothing else: what it attached and
granted to others stays, and is counted; `lanyard uninstall --grants` takes that back, and has to be
run before, as the app and its record know what it was.

It is done with your own rights, the same as for `lanyard onboard`. What is not there is fine.
Afterwards the app no longer waits for what it cannot read there before it deletes an identity.
{storage_rights("Storage Table Data Contributor")}
"""
_OFF_AFTER = """\
examples:
  lanyard offboard 11111111-1111-1111-1111-111111111111 --dry-run
  lanyard offboard 11111111-1111-1111-1111-111111111111 --yes

exit codes:
  0  nothing of it is there any more
  1  an error: something could not be done or looked at, a missing right, not confirmed
  2  with --dry-run: something would be done
"""
_OFF_SHAPE = RUN_SHAPE | {
    "subscriptions[].grantsLeft": "how many role assignments that Lanyard made stay in it"
}

Subscriptions = Annotated[
    list[str], typer.Argument(metavar="SUBSCRIPTION", help="Ids of subscriptions.")
]
Principal = Annotated[
    str,
    typer.Option(
        envvar="LANYARD_PRINCIPAL_ID", metavar="ID", help="Object id of the app's identity."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOptions:
    """The app's identity, and what else a watched subscription is made with."""

    app_principal: Principal = ""
    client_id: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_CLIENT_ID", metavar="ID", help="Client id of the app's identity."
        ),
    ] = ""
    installation: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_INSTALLATION",
            metavar="ID",
            help="Its installation, a GUID, which what it makes carries.",
        ),
    ] = ""
    action_group_id: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_ACTION_GROUP_ID", metavar="ID", help="Who gets dead letters reported."
        ),
    ] = ""
    location: Annotated[
        str,
        typer.Option(
            envvar="AZURE_LOCATION", metavar="REGION", help="Of the topic's resource group."
        ),
    ] = ""

    delivery: Annotated[
        Delivery,
        typer.Option(
            envvar="LANYARD_DELIVERY",
            help="How Event Grid brings the events: to the function's webhook, or into the app's "
            "queue of events. It may be changed at any time, and back.",
        ),
    ] = Delivery.WEBHOOK
    topic_identity: Annotated[
        bool,
        typer.Option(
            envvar="LANYARD_TOPIC_IDENTITY",
            help="Whether the topic gets an identity. Without one there are no dead letters: for "
            "where Azure refuses one on the topic of a subscription.",
        ),
    ] = True

    def of(self, app: DeploymentOptions) -> Deployment:
        """The deployment, whole. Raises LanyardError for what is missing of it."""
        if self.delivery is Delivery.QUEUE and not self.topic_identity:
            raise LanyardError("a queue is sent to as the topic's identity: it needs one")
        deployment = Deployment(
            app_id=app.app_id,
            client_id=self.client_id,
            principal_id=self.app_principal,
            storage_id=app.storage_id,
            events_storage_id=app.events_storage_id,
            delivery=self.delivery,
            topic_identity=self.topic_identity,
            installation=folded(self.installation),
            action_group_id=self.action_group_id,
            location=self.location,
        )
        return known(deployment, *TO_TAKE_BACK, "client_id", "installation", "location")


def onboard(
    subscriptions: Subscriptions,
    policy: PolicyPath = Path("lanyard.yaml"),
    removable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="A role whose orphaned assignments may be removed, too; repeatable.",
        ),
    ] = None,
    by_group: ByGroup = False,
    *,
    app_identity: AppIdentity = "",
    identity: IdentityOptions,
    dry_run: DryRun = False,
    yes: Yes = False,
    azure: AzureOptions,
    deployment: DeploymentOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let the app watch them; returns the exit code."""
    app = identity.of(deployment)
    needed = needed_by(
        load_policy(policy, own_identity(app_identity)), removable or (), by_group=by_group
    )
    named = subscription_ids(subscriptions)
    asking = Asking("onboard", Terminal(quiet=quiet or json), dry_run=dry_run, yes=yes, json=json)

    async def go() -> int:
        async with connect.reading(azure) as reading:
            clients, show = reading.clients, asking.terminal.show
            resources = resources_over(clients)
            show_notes(asking.terminal, needed.notes)

            def onboarding(one: str) -> Onboarding:
                return Onboarding(
                    resources=resources,
                    app=app,
                    rights=needed,
                    subscription=one,
                    sleep=clients.sleep,
                    waiting=lambda text: show((text, "dim")),
                )

            return await asking.run(named, onboarding)

    return asyncio.run(go())


def offboard(
    subscriptions: Subscriptions,
    app_principal: Principal = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    *,
    azure: AzureOptions,
    deployment: DeploymentOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let the app watch them no more; returns the exit code."""
    app = known(
        Deployment(
            app_id=deployment.app_id,
            principal_id=app_principal,
            storage_id=deployment.storage_id,
            events_storage_id=deployment.events_storage_id,
        ),
        *TO_TAKE_BACK,
    )
    named = subscription_ids(subscriptions)
    asking = Asking("offboard", Terminal(quiet=quiet or json), dry_run=dry_run, yes=yes, json=json)

    async def go() -> int:
        async with connect.reading(azure) as reading:
            resources = resources_over(reading.clients)
            index = reading.ports(app.principal_id).index
            watching = await watching_of(index, app, reading.clients)
            make = watching.no_more(resources, named)
            code = await asking.run(named, make, lambda one: grants_left(resources, one))
        if code == 0 and not dry_run:
            await off_the_record(app, named, azure)
        return code

    return asyncio.run(go())


async def off_the_record(
    deployment: Deployment, subscriptions: Sequence[str], azure: AzureOptions
) -> None:
    """What the app cannot read there no longer counts. Raises LanyardError that names the right."""
    storage = AppOptions(deployment.storage_id.rpartition("/")[2])
    async with connect.app(azure, storage) as app:
        for subscription in subscriptions:
            await app.services().unread.take_off(subscription)


def resources_over(clients: "Clients") -> Resources:
    """ARM with the caller's rights."""
    from lanyard.desk.azure.any_resource import AnyResource  # the SDKs

    return AnyResource(clients)


@dataclass(frozen=True, slots=True)
class Watching:
    """What an app watches: `subscriptions` (ids), the ids of all its role assignments, and the
    management groups whose subscriptions join it.
    """

    app: Deployment
    subscriptions: tuple[str, ...]
    assignments: tuple[str, ...]
    joins: tuple[Join, ...]

    def no_more(
        self, resources: Resources, named: Sequence[str], *, ending: bool = False
    ) -> Callable[[str], Offboarding]:
        """What takes each of those that are named back, once those before it are gone; `ending`:
        the joins are taken back as well.
        """

        def of(subscription: str) -> Offboarding:
            gone = named[: named.index(subscription) + 1]
            others = tuple(each for each in self.subscriptions if each not in gone)
            return Offboarding(
                resources=resources,
                app=self.app,
                subscription=subscription,
                others=others,
                operated=self.assignments,
                joins=self.joins,
                ending=ending,
            )

        return of


async def watching_of(index: Index, app: Deployment, clients: "Clients") -> Watching:
    """By Resource Graph, as far as the caller may read. What joined has no assignment of its own:
    it is known by its topic.
    """
    from lanyard.desk.azure.app_setup import Setup  # the SDKs

    held = tuple(await index.assignments_of(app.principal_id))
    watched = watching(held, lambda each: watching_assignment(each, app.principal_id))
    joins = tuple(await joins_of(resources_over(clients), app, held))
    joined = await Setup(clients).with_topic(TOPIC) if joins else ()
    return Watching(app, tuple(sorted({*watched, *joined})), held, joins)


async def grants_left(resources: Resources, subscription: str) -> int:
    """How many role assignments in a subscription Lanyard made."""
    place = f"/subscriptions/{subscription}"
    collection = f"{place}/providers/Microsoft.Authorization/roleAssignments"
    listed = [each["properties"] for each in await resources.every(collection, AUTHORIZATION)]
    return sum(
        is_stamped(str(each.get("description") or "")) and is_within(str(each["scope"]), place)
        for each in listed
    )


ONBOARD = Command(_ON_ABOUT, _ON_AFTER, onboard, RUN_SHAPE)
OFFBOARD = Command(_OFF_ABOUT, _OFF_AFTER, offboard, _OFF_SHAPE)
