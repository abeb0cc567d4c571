"""Every command, in the order in which they run: later ones use what earlier ones made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from az_check.command import Command
from az_check.commands import (
    accounts,
    cleaning_up,
    container_apps,
    containers,
    groups,
    identities,
    machines,
    resources,
    roles,
    scale_sets,
    signing_in,
    taking_time,
    tokens,
    web_apps,
)
from az_check.commands.tokens import MACHINES


@dataclass(frozen=True)
class Chapter:
    """`behaviour`: switches of the local Azure while it runs; otherwise work ends at once."""

    title: str
    commands: tuple[Command, ...]
    behaviour: Mapping[str, float] = field(default_factory=dict)


CHAPTERS = (
    Chapter("the cloud and signing in", signing_in.COMMANDS),
    Chapter("resource groups and tags", groups.COMMANDS),
    Chapter("managed identities", identities.COMMANDS),
    Chapter("roles", roles.COMMANDS),
    Chapter("virtual machines", machines.COMMANDS),
    Chapter("scale sets", scale_sets.COMMANDS),
    Chapter("web apps and slots", web_apps.COMMANDS),
    Chapter("container apps and jobs", container_apps.COMMANDS),
    Chapter("clusters and container groups", containers.COMMANDS),
    Chapter("storage, Event Grid, Batch", accounts.COMMANDS),
    Chapter("any resource, and Resource Graph", resources.COMMANDS),
    Chapter("signed in on a machine", tokens.COMMANDS),
    Chapter("work that takes time", taking_time.COMMANDS, taking_time.BEHAVIOUR),
    Chapter("cleaning up", cleaning_up.COMMANDS),
)

__all__ = ["CHAPTERS", "MACHINES", "Chapter"]
