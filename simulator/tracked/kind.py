"""How one resource type differs from the others, as far as that is a matter of values."""

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum

from simulator.identity import IdentityRules

WRITES = frozenset({"PUT", "PATCH"})


class Untagged(StrEnum):
    """What stands for the tags of a resource that has none (recorded)."""

    EMPTY = "{}"
    NULL = "null"
    ABSENT = "absent"


@dataclass(frozen=True)
class Casing:
    """How a service writes ids and types, other than they were sent (recorded); "" as sent.

    `type`: of the resource. `path`: namespace and type in its id. `group`: the word before the
    resource group's name. `registered`: the type as ARM itself writes it.
    """

    type: str = ""
    path: str = ""
    group: str = ""
    registered: str = ""


@dataclass(frozen=True)
class Kind:
    """One resource type."""

    #: Namespace and type.
    type: str
    _: KW_ONLY
    rules: IdentityRules = field(default_factory=IdentityRules)
    #: Members beside `properties` that are kept as sent.
    top_level: tuple[str, ...] = ()
    #: Properties that the service sets and no request changes.
    read_only: tuple[str, ...] = ()
    #: Properties that a PUT without them leaves as they are (recorded).
    lasting: tuple[str, ...] = ()
    #: Methods whose work goes on after the answer.
    slow: frozenset[str] = frozenset()
    #: Whether `properties` carry `provisioningState`,
    shows_state: bool = False
    #: and what that is while a resource is made
    creating: str = "Creating"
    #: or changed.
    updating: str = "Updating"
    #: False for proxy resources, which have neither location nor tags of their own.
    located: bool = True
    #: "West Europe" instead of "westeurope".
    display_location: bool = False
    #: What the body calls the ETag, "" where there is none. Writes heed it.
    etag_member: str = ""
    #: Whether an ETag is in the header alone. Whether a write heeds it is U: here none does.
    etag_header: bool = False
    #: Whether a PATCH leaves everything but the tags as it is.
    patches_tags_only: bool = False
    untagged: Untagged = Untagged.EMPTY
    casing: Casing = Casing()
    #: Whether `systemData` is shown: who made and who last changed it, and when.
    system_data: bool = False
    #: Resource Graph's table.
    graph_table: str = "resources"
