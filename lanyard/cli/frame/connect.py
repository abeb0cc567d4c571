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

from lanyard.desk.clouds import Cloud, CloudName, cloud_of
from lanyard.policy import Policy
from lanyard.ports.azure import Azure
from lanyard.ports.dead_letters import DeadLetters
from lanyard.ports.tables import Tables
from lanyard.reconcile.services import Services, assemble
from lanyard.record.claims import Claims
from lanyard.record.decisions import Author, Decisions
from lanyard.record.ledger import Ledger
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError

if TYPE_CHECKING:
    from lanyard.desk.azure.app_storage import StorageAddress
    from lanyard.desk.azure.connection import Reading

#: How the app signs its decisions (lanyard/app/composition.py): with its client id after it.
_APP = "app "
_LATELY = timedelta(days=2)
_ACCOUNT = re.compile("[a-z0-9]{3,24}")
_SERVICES = ("TABLE", "QUEUE", "BLOB")


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """Which Azure, and who asks."""

    tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="Sign in to this tenant, not to your home's.")
    ] = None
    subscription: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Sign in with the account that az has for it."),
    ] = None
    cloud: Annotated[
        CloudName, typer.Option(envvar="LANYARD_CLOUD", help="Another cloud than the public one.")
    ] = CloudName.PUBLIC


@dataclass(frozen=True, slots=True)
class AppOptions:
    """Which deployed app."""

    storage: Annotated[
        str | None,
        typer.Option(
            envvar="LANYARD_STORAGE", metavar="ACCOUNT", help="The app's storage account."
        ),
    ] = None
    app_principal: Annotated[
        str | None,
        typer.Option(
            envvar="LANYARD_PRINCIPAL_ID",
            metavar="ID",
            help="Object id of the app's identity; default: by the record and Resource Graph. The "
            "directory must know it to be believed.",
        ),
    ] = None


class Queue(Protocol):
    """The app's queue of work."""

    async def put(self, change: Change, delay: float = 0) -> None:
        """Enqueue `change`."""

    async def waiting(self) -> int:
        """About how many messages wait."""


@dataclass(frozen=True, slots=True)
class App:
    """A deployed app, as whoever runs the command reaches it. `dead_letters` are events that could
    not be delivered, `poison` the messages that failed too often. `azure` is what they see of Azure
    by `reading`. `now`: seconds since the epoch.
    """

    who: str
    account: str
    tables: Tables[Any]
    queue: Queue
    dead_letters: DeadLetters
    poison: DeadLetters
    reading: "Reading"
    azure: Azure
    now: Callable[[], float]

    def services(self, policy: Policy | None = None) -> Services:
        """What the app itself works with, on behalf of this person; without a policy for what is
        asked of no policy.
        """
        if policy is not None:
            return assemble(self.azure, self.tables, policy, self.who, self.now)
        services = assemble(self.azure, self.tables, Policy(version=1), self.who, self.now)
        return replace(services, decisions=self.decisions())

    def ledger(self) -> Ledger:
        """What the app saw on each resource, and owns."""
        return Ledger(self.tables.resources)

    def decisions(self, policy: str = "") -> Decisions:
        """The record; what is added to it is this person's. `policy`: the digest it is under."""
        return Decisions(self.tables.decisions, Author(self.who, policy), self.now)

    def claims(self) -> Claims:
        """Which grants there are, and who needs them."""
        return Claims(self.tables.grants, self.azure.assignments, self.now)


async def believing(app: App, where: AppOptions) -> tuple[App, str]:
    """The app with a directory that is believed, because it knows the principal (object id)
    returned beside it: the one that was named, else that of the identity that the record names.

    Raises LanyardError where neither is there.
    """
    from lanyard.desk.azure.app_setup import Setup

    found = where.app_principal
    if not found and (client_id := await _app_on_record(app)):
        found = await Setup(app.reading.clients).principal(client_id)
    if not found:
        raise LanyardError(
            "name the object id of the app's identity with --app-principal or LANYARD_PRINCIPAL_ID "
            "(its app setting of that name): a directory that does not know it is not believed"
        )
    return replace(app, azure=app.reading.ports(found)), found


async def _app_on_record(app: App) -> str:
    """The client id of the app that decided something lately, "" where there is none."""
    now = datetime.fromtimestamp(app.now(), UTC)
    client_id = ""
    async for recorded in app.decisions().between(now - _LATELY, now + _LATELY):
        if recorded.by.startswith(_APP):
            client_id = recorded.by.removeprefix(_APP)
    return client_id


@asynccontextmanager
async def app(azure: AzureOptions, where: AppOptions) -> AsyncIterator[App]:
    """The app, while the context is open. Raises LanyardError that names the missing right."""
    from lanyard.desk.azure.app_storage import deployed
    from lanyard.desk.azure.connection import reading_over
    from lanyard.desk.azure.sign_in import SignIn, signed_in

    cloud = chosen_cloud(azure)
    address = storage_address(where, cloud, os.environ)
    async with (
        signed_in(cloud, SignIn(azure.tenant, azure.subscription)) as me,
        reading_over(me.credential, cloud.arm, cloud.graph) as found,
        deployed(me.credential, address) as storage,
    ):
        yield App(
            me.name,
            address.account,
            storage.tables,
            storage.queue,
            storage.dead_letters,
            storage.poison,
            found,
            found.ports(where.app_principal or ""),
            time.time,
        )


def storage_address(
    where: AppOptions, cloud: Cloud, environment: Mapping[str, str]
) -> "StorageAddress":
    """Where the app's storage is. LANYARD_TABLE_ENDPOINT, LANYARD_QUEUE_ENDPOINT and
    LANYARD_BLOB_ENDPOINT name it where it is not at Azure's own addresses. Raises LanyardError.
    """
    from lanyard.desk.azure.app_storage import StorageAddress

    named = {each: environment.get(f"LANYARD_{each}_ENDPOINT", "") for each in _SERVICES}
    if all(named.values()):
        table, queue, blob = (each.rstrip("/") for each in named.values())
        return StorageAddress(table, table, queue, blob)
    if any(named.values()):
        missing = ", ".join(f"LANYARD_{each}_ENDPOINT" for each, url in named.items() if not url)
        raise LanyardError(f"{missing} is missing: an address is named for all three, or for none")
    account = where.storage or ""
    if not _ACCOUNT.fullmatch(account):
        problem = f"{account!r} is no name of a storage account" if account else "which app?"
        raise LanyardError(
            f"{problem}: name the app's storage account with --storage or LANYARD_STORAGE (its app "
            "setting AzureWebJobsStorage__accountName)"
        )
    urls = [f"https://{account}.{each.lower()}.{cloud.storage}" for each in _SERVICES]
    return StorageAddress(account, *urls)


def reading(options: AzureOptions) -> "AbstractAsyncContextManager[Reading]":
    """Azure to read. Raises Permanent where nobody is signed in."""
    from lanyard.desk.azure.connection import reading as connected
    from lanyard.desk.azure.sign_in import SignIn

    return connected(chosen_cloud(options), SignIn(options.tenant, options.subscription))


def chosen_cloud(options: AzureOptions) -> Cloud:
    """The cloud, with the addresses that the environment names. Raises LanyardError for one that
    a token must not be sent to.
    """
    cloud = cloud_of(options.cloud, os.environ)
    for service in (cloud.arm, cloud.graph):
        if not service.url.startswith("https://"):
            raise LanyardError(f"{service.url!r} is no address of Azure: it must be https://…")
    return cloud
