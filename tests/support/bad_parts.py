"""What goes wrong about one part of an estate: a read that is refused, rights that are narrowed, a
row that is damaged.
"""

from dataclasses import replace

from simulator.faults import Fault
from tests.support.estate import Estate


def refuse(
    estate: Estate, path: str, status: int = 403, code: str = "AuthorizationFailed"
) -> Fault:
    """Reads of the app that ARM answers so, until the faults are cleared."""
    fault = Fault(
        method="GET",
        path=path,
        caller=estate.app.object_id,
        status=status,
        code=code,
        message="no",
        times=None,
    )
    return estate.azure.faults.add(fault)


def watch(estate: Estate, name: str) -> str:
    """One more subscription, with the rights that the app has in the first; returns its id."""
    azure, app = estate.azure, estate.app.object_id
    rights = [each for each in azure.state.role_assignments.values() if each.principal_id == app]
    subscription = azure.state.add_subscription(name).id
    for each in rights:
        if each.scope == estate.scope:
            role = each.role_definition_id.rpartition("/")[2]
            azure.assign(app, role, f"/subscriptions/{subscription}")
    return subscription


def narrow(estate: Estate, subscription: str, group: str) -> None:
    """The app's rights in a subscription are those at one of its groups from now on."""
    azure, scope = estate.azure, f"/subscriptions/{subscription}"
    for key, each in list(azure.state.role_assignments.items()):
        if each.principal_id == estate.app.object_id and each.scope == scope:
            del azure.state.role_assignments[key]
            role = each.role_definition_id.rpartition("/")[2]
            azure.assign(estate.app.object_id, role, f"{scope}/resourceGroups/{group}")


def damage(estate: Estate, table: str, key: str, column: str, partition: str = "") -> str:
    """A row's column holds something that nobody wrote; returns how its table names the row."""
    content = getattr(estate.tables, table).content
    ((keys, row),) = [
        (keys, row)
        for keys, row in content.items()
        if key in keys[1] and partition in keys[0] and column in row.values
    ]
    content[keys] = replace(row, values={**row.values, column: "]"})
    return f"table lanyard{table}, partition {keys[0]}, row {keys[1]}"


async def swept(estate: Estate) -> str:
    """What the last sweep says of itself; it came to its end."""
    found = [d for d in await estate.recorded() if d.action == "sweep"]
    assert found[-1].outcome == "done", found[-1].reason
    return found[-1].reason
