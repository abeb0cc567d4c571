"""The page of privileged and powerful built-in roles, made from a recording of them:
`python -m lanyard.cli.docs.roles_page RECORDING docs/roles.md`.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lanyard.policy.powerful import power
from lanyard.policy.privileged import hands_out, writes_everything
from lanyard.values.permissions import Permission, RoleDefinition

BEGIN = (
    "<!-- from here on made by python -m lanyard.cli.docs.roles_page RECORDING docs/roles.md -->\n"
)
_EVERYWHERE = "/"
_LISTS = ("actions", "notActions", "dataActions", "notDataActions")


def read_roles(recording: Any) -> tuple[RoleDefinition, ...]:
    """The roles of a recording, by name."""
    found = [
        RoleDefinition(role["id"], role["roleName"], tuple(map(_permission, role["permissions"])))
        for role in recording["roles"]
    ]
    return tuple(sorted(found, key=lambda role: role.name.casefold()))


def with_roles(page: str, roles: Iterable[RoleDefinition]) -> str:
    """The page with its lists made anew. Raises ValueError where their place is not marked."""
    before, begin, _ = page.partition(BEGIN)
    if not begin:
        raise ValueError("the page does not mark where the roles are")
    return f"{before}{BEGIN}\n" + "\n".join(_lists(list(roles)))


def _lists(roles: list[RoleDefinition]) -> Iterator[str]:
    handing = {role: hands_out(role, _EVERYWHERE) for role in roles}
    yield "## Privileged at every scope\n"
    yield from _table("what hands out rights", handing)
    rest = [role for role in roles if not handing[role]]
    wide = {role: writes_everything(role) for role in rest}
    yield "\n## Privileged at a subscription and wider, powerful at a resource group\n"
    yield from _table("what it may write", wide)
    powers = {role: power(role, _EVERYWHERE) for role in rest if not wide[role]}
    yield "\n## Powerful\n"
    yield "| role | id | its holder can | by |\n|---|---|---|---|"
    for role, found in powers.items():
        if found is not None:
            yield f"| {role.name} | `{role.id}` | {found.can} | `{found.operation}` |"
    yield ""


def _table(title: str, found: dict[RoleDefinition, str]) -> Iterator[str]:
    yield f"| role | id | {title} |\n|---|---|---|"
    for role, operation in found.items():
        if operation:
            yield f"| {role.name} | `{role.id}` | `{operation}` |"


def _permission(recorded: Any) -> Permission:
    return Permission(*(tuple(recorded.get(name, ())) for name in _LISTS))


if __name__ == "__main__":
    recording, page = map(Path, sys.argv[1:])
    roles = read_roles(json.loads(recording.read_text()))
    page.write_text(with_roles(page.read_text(), roles))
