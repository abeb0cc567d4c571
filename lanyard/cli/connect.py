"""Azure, as whoever runs the command. The SDKs are imported here, when a command first needs
them: `lanyard --help` and `lanyard validate` start without.
"""

import os
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lanyard.clouds import Cloud, CloudName, cloud_of
from lanyard.errors import LanyardError

if TYPE_CHECKING:
    from lanyard.azure.reading import Reading


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


def reading(options: AzureOptions) -> "AbstractAsyncContextManager[Reading]":
    """Azure to read. Raises Permanent where nobody is signed in."""
    from lanyard.azure.reading import reading as connected
    from lanyard.azure.sign_in import SignIn

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
