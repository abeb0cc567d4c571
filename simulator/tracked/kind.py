"""How one resource type differs from the others, as far as that is a matter of values."""

from dataclasses import dataclass, field

from simulator.identity import IdentityRules

WRITES = frozenset({"PUT", "PATCH"})


@dataclass(frozen=True)
class Kind:
    """One resource type.

    `top_level`: members beside `properties` that are kept as sent. `read_only`: properties that the
    service sets and no request changes. `slow`: methods whose work goes on after the answer.
    `shows_state`: `properties` carry `provisioningState`. `located`: False for proxy resources,
    which have neither location nor tags of their own. `display_location`: "West Europe" instead of
    "westeurope". `etag_member`: what the body calls the ETag, "" where there is none.
    `patches_tags_only`: a PATCH leaves everything else as it is. `graph_table`: of Resource Graph.
    """

    type: str
    rules: IdentityRules = field(default_factory=IdentityRules)
    top_level: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    slow: frozenset[str] = frozenset()
    shows_state: bool = False
    located: bool = True
    display_location: bool = False
    etag_member: str = ""
    patches_tags_only: bool = False
    graph_table: str = "resources"
