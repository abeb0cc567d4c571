"""Every command, in the order in which they run: later ones use what earlier ones made."""

from collections.abc import Mapping

from az_check.command import Command
from az_check.commands import (
    cleaning_up,
    container_apps,
    groups,
    identities,
    machines,
    resources,
    roles,
    scale_sets,
    signing_in,
    tokens,
    web_apps,
)
from az_check.commands.tokens import MACHINES

#: Chapter → its commands.
CHAPTERS: Mapping[str, tuple[Command, ...]] = {
    "the cloud and signing in": signing_in.COMMANDS,
    "resource groups and tags": groups.COMMANDS,
    "managed identities": identities.COMMANDS,
    "roles": roles.COMMANDS,
    "virtual machines": machines.COMMANDS,
    "scale sets": scale_sets.COMMANDS,
    "web apps and slots": web_apps.COMMANDS,
    "container apps and jobs": container_apps.COMMANDS,
    "any resource, and Resource Graph": resources.COMMANDS,
    "signed in as what a machine carries": tokens.COMMANDS,
    "cleaning up": cleaning_up.COMMANDS,
}

__all__ = ["CHAPTERS", "MACHINES"]
