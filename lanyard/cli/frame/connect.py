"""Azure, as whoever runs the command. The SDKs are imported here, when a command first needs
them: `lanyard --help` and `lanyard validate` start without.
"""

import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.operator import Operator
from lanyard.policy import Policy
from lanyard.policy.document import Limits, RemovalLimit
from lanyard.ports.azure import Azure
from lanyard.ports.dead_letters import DeadLetters
from lanyard.ports.marks import Unmarked
from lanyard.ports.queue import WaitingEvents
from lanyard.ports.tables import Tables
from lanyard.reconcile.services import Services, assemble
from lanyard.record.claims import Claims
from lanyard.record.decisions import Author, Decisions
from lanyard.record.grant_rows import GrantRows
from lanyard.record.held import HeldActions
from lanyard.record.installation import recorded_installation
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.ledger import Ledger
from lanyard.record.relearning import Relearning
from lanyard.record.subscription_listing import KeptListing
from lanyard.values.change import Change
from lanyard.values.clouds import Cloud, CloudName, cloud_of
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_guid

if TYPE_CHECKING:
    from lanyard.desk.azure.app_storage import StorageAddress
    from lanyard.desk.azure.connection import Reading

_LATELY = timedelta(days=2)
_ACCOUNT = re.compile("[a-z0-9]{3,24}")
_SERVICES = ("TABLE", "QUEUE", "BLOB")


# For what is asked of no policy: a person who takes everything back waits for no successor.
_NO_POLICY = Policy(version=1, limits=Limits(removals=RemovalLimit(grace_minutes=0)))


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """Which Azure, and who asks."""

    tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="Sign in to this tenant, not to your home's.")
    ] = None
    az_subscription: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Sign in with the account that az has for this subscription."
        ),
    ] = None
    cloud: Annotated[
        CloudName, typer.Option(envvar="LANYARD_CLOUD", help="Another cloud than the public one.")
    ] = CloudName.PUBLIC


def over_environment(
    context: typer.Context, parameter: typer.CallbackParam, value: str | None
) -> str | None:
    """An option beats the environment. Where both name something else, it is shown which counts:
    the wrong app would be asked otherwise, or ordered about.
    """
    name = str(parameter.envvar)
    named = os.environ.get(name, "")
    is_given = value and _is_typed(context, parameter)
    if is_given and named and folded(named) != folded(value or ""):
        Terminal().error(f"{parameter.opts[0]} {value} counts, not {name}={named}")
    return value


def which_account(
    context: typer.Context, parameter: typer.CallbackParam, value: str | None
) -> str | None:
    """The same of the storage account. Raises typer.BadParameter where the addresses that the
    environment names are another account's: nobody knows which app is meant.
    """
    address = os.environ.get("LANYARD_TABLE_ENDPOINT", "")
    if value and address and value not in address and _is_typed(context, parameter):
        raise typer.BadParameter(
            f"which app? {parameter.opts[0]} names {value}, and LANYARD_TABLE_ENDPOINT {address}: "
            "leave the option away, or unset LANYARD_TABLE_ENDPOINT, LANYARD_QUEUE_ENDPOINT and "
            "LANYARD_BLOB_ENDPOINT"
        )
    return over_environment(context, parameter, value)


def _is_typed(context: typer.Context, parameter: typer.CallbackParam) -> bool:
    source = context.get_parameter_source(str(parameter.name))
    return source is not None and source.name == "COMMANDLINE"


@dataclass(frozen=True, slots=True)
class AppOptions:
    """Which deployed app."""

    storage: Annotated[
        str | None,
        typer.Option(
            envvar="LANYARD_STORAGE",
            metavar="ACCOUNT",
            help="The app's storage account.",
            callback=which_account,
        ),
    ] = None
    app_principal: Annotated[
        str | None,
        typer.Option(
            envvar="LANYARD_PRINCIPAL_ID",
            metavar="ID",
            callback=over_environment,
            help="Object id of the app's identity; default: by the record and Resource Graph. The "
            "directory must know it to be believed.",
        ),
    ] = None
    installation: Annotated[
        str | None,
        typer.Option(
            envvar="LANYARD_INSTALLATION",
            metavar="ID",
            callback=over_environment,
            help="The app's installation, a GUID, which its role assignments carry; default: by "
            "its record.",
        ),
    ] = None


def is_at_hand(where: AppOptions) -> bool:
    """Whether a deployed app is named, by its account or by the addresses of its storage: then what
    its record holds can be shown. See `storage_address`.
    """
    named = (os.environ.get(f"LANYARD_{name}_ENDPOINT") for name in _SERVICES)
    return where.storage is not None or all(named)


class Queue(Protocol):
    """The app's queue of work."""

    async def put(self, change: Change, delay: float = 0) -> None:
        """Enqueue `change`."""

    async def waiting(self) -> int:
        """About how many messages wait."""


class Events(Protocol):
    """The app's queues of events."""

    async def waiting(self, account: str) -> WaitingEvents | None:
        """What waits in that of a storage account (name); None where there is no such queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A deployed app, as whoever runs the command reaches it."""

    who: str  # runs the command, as they signed in
    account: str  # the name of the app's storage account
    tables: Tables[Any]
    queue: Queue
    events: Events
    dead_letters: DeadLetters  # events that could not be delivered
    poison: DeadLetters  # messages that failed too often
    reading: "Reading"  # of Azure, with their rights
    azure: Azure  # the same, as the product asks it
    now: Callable[[], float]  # seconds since the epoch

    def time(self) -> datetime:
        """Now, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def services(self, policy: Policy | None = None) -> Services:
        """What the app itself works with, on behalf of this person; without a policy for what is
        asked of no policy.
        """
        if policy is not None:
            return assemble(self.azure, self.tables, policy, self.who, self.now)
        services = assemble(self.azure, self.tables, _NO_POLICY, self.who, self.now)
        return replace(
            services,
            claims=self.claims(),
            decisions=self.decisions(),
            kill_switch=self.kill_switch(),
        )

    async def in_force(self, policy: Policy) -> Policy:
        """The policy with what the subscriptions that it names come to, as the app has it listed;
        no listing is read for one that names none. Raises Temporary.
        """
        if not policy.named_subscriptions:
            return policy
        return policy.under(await KeptListing(self.tables.control).read())

    def ledger(self) -> Ledger:
        """What the app saw on each resource, and owns."""
        return Ledger(self.tables.resources)

    def decisions(self) -> Decisions:
        """The record; what is added to it is this person's, under no version of the policy."""
        return Decisions(self.tables.decisions, Author(self.who, ""), self.now)

    def held(self) -> HeldActions:
        """What is not done although it could be."""
        return HeldActions(self.tables.held, self.now)

    def kill_switch(self) -> KillSwitch:
        """The pause in force; this person works by no version of the policy."""
        relearning = Relearning.over(self.tables, Unmarked(), self.now)
        return KillSwitch(self.tables.control, self.now, relearning=relearning)

    def operator(self) -> Operator:
        """This person's orders."""
        return Operator(self.services(), self.queue.put, self.who)

    def claims(self) -> Claims:
        """Which grants there are, and who needs them."""
        return Claims(GrantRows(self.tables.grants, self.now), self.azure.assignments)


async def judging(app: App, where: AppOptions) -> tuple[App, str]:
    """The app for a command that judges whose a role assignment is, and whether its principal
    exists: with its installation, and with a directory that is believed. Returns its principal
    (object id), too.

    Raises LanyardError where one of them is not known.
    """
    if not app.azure.assignments.installation:
        raise LanyardError(
            "name the app's installation with --installation or LANYARD_INSTALLATION (its app "
            "setting of that name): its record does not show it yet, and without it nobody knows "
            "which role assignments are its own"
        )
    return await believing(app, where.app_principal)


async def believing(app: App, principal: str | None) -> tuple[App, str]:
    """The app with a directory that is believed, because it knows the principal (object id)
    returned beside it: the one that is given, else that of the identity that the record names.

    Raises LanyardError where neither is there.
    """
    principal = await own_principal(app, principal)
    if not principal:
        raise LanyardError(
            "name the object id of the app's identity with --app-principal or LANYARD_PRINCIPAL_ID "
            "(its app setting of that name): a directory that does not know it is not believed"
        )
    installation = app.azure.assignments.installation
    return replace(app, azure=app.reading.ports(principal, installation)), principal


async def own_principal(app: App, given: str | None) -> str:
    """The object id of the app's identity: the one that is given, else that of the identity that
    the record names; "" where neither is there. Raises Temporary, Permanent.
    """
    from lanyard.desk.azure.app_setup import Setup

    if given or not (client_id := await _app_on_record(app)):
        return folded(given or "")
    return folded(await Setup(app.reading.clients).principal(client_id))


async def installation_of(tables: Tables[Any], where: AppOptions) -> str:
    """The app's installation (GUID, lower case), by its record; "" where it has none yet. Raises
    LanyardError where another one is given: the app takes away what its own one made.
    """
    recorded, given = await recorded_installation(tables.control), folded(where.installation or "")
    if given and not is_guid(given):
        raise LanyardError(f"--installation: {given!r} is no GUID")
    if given and recorded and given != recorded:
        raise LanyardError(
            f"--installation: the app is installation {recorded} by its record, not {given}: leave "
            "it away, or name the storage account of the other app"
        )
    return given or recorded


async def _app_on_record(app: App) -> str:
    """The client id of the app that decided something lately, "" where there is none."""
    now = app.time()
    client_id = ""
    async for recorded in app.decisions().between(now - _LATELY, now + _LATELY):
        client_id = recorded.client_id or client_id
    return client_id


@asynccontextmanager
async def app(azure: AzureOptions, where: AppOptions) -> AsyncIterator[App]:
    """The app, while the context is open. Raises LanyardError that names the missing right."""
    from lanyard.desk.azure.app_storage import deployed
    from lanyard.desk.azure.connection import reading_over
    from lanyard.desk.azure.sign_in import SignIn, signed_in

    cloud = chosen_cloud(azure.cloud)
    address = storage_address(where.storage, cloud, os.environ)
    async with (
        signed_in(cloud, SignIn(azure.tenant, azure.az_subscription)) as me,
        reading_over(me.credential, cloud.arm, cloud.graph) as reading,
        deployed(me.credential, address) as storage,
    ):
        yield App(
            who=me.name,
            account=address.account,
            tables=storage.tables,
            queue=storage.queue,
            events=storage.events,
            dead_letters=storage.dead_letters,
            poison=storage.poison,
            reading=reading,
            azure=reading.ports(
                where.app_principal or "", await installation_of(storage.tables, where)
            ),
            now=time.time,
        )


def storage_address(
    account: str | None, cloud: Cloud, environment: Mapping[str, str]
) -> "StorageAddress":
    """Where the storage account of an app is. LANYARD_TABLE_ENDPOINT, LANYARD_QUEUE_ENDPOINT and
    LANYARD_BLOB_ENDPOINT name it where it is not at Azure's own addresses. Raises LanyardError.
    """
    from lanyard.desk.azure.app_storage import StorageAddress

    named = {name: environment.get(f"LANYARD_{name}_ENDPOINT", "") for name in _SERVICES}
    if all(named.values()):
        table, queue, blob = (url.rstrip("/") for url in named.values())
        return StorageAddress(table, table, queue, blob)
    if any(named.values()):
        missing = ", ".join(f"LANYARD_{name}_ENDPOINT" for name, url in named.items() if not url)
        raise LanyardError(f"{missing} is missing: an address is named for all three, or for none")
    if not (account and _ACCOUNT.fullmatch(account)):
        problem = f"{account!r} is no name of a storage account" if account else "which app?"
        raise LanyardError(
            f"{problem}: name the app's storage account with --storage or LANYARD_STORAGE (its app "
            "setting AzureWebJobsStorage__accountName)"
        )
    urls = [f"https://{account}.{name.lower()}.{cloud.storage}" for name in _SERVICES]
    return StorageAddress(account, *urls)


def reading(options: AzureOptions) -> "AbstractAsyncContextManager[Reading]":
    """Azure to read. Raises Permanent where nobody is signed in."""
    from lanyard.desk.azure.connection import reading as connected
    from lanyard.desk.azure.sign_in import SignIn

    return connected(chosen_cloud(options.cloud), SignIn(options.tenant, options.az_subscription))


def chosen_cloud(name: CloudName) -> Cloud:
    """The cloud, with the addresses that the environment names. Raises LanyardError for one that
    a token must not be sent to.
    """
    cloud = cloud_of(name, os.environ)
    for service in (cloud.arm, cloud.graph):
        if not service.url.startswith("https://"):
            raise LanyardError(f"{service.url!r} is no address of Azure: it must be https://…")
    return cloud
