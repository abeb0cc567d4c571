"""Ids and numbers as a person reads them; `--json` has ids in full."""

from lanyard.values.roles import role_name


def short(resource_id: str) -> str:
    """`rg-shop/virtualMachines/vm1` of a resource's id, the group of a group's, else the id."""
    parts = resource_id.strip("/").split("/")
    lowered = [part.lower() for part in parts]
    if len(parts) < 4 or lowered[0] != "subscriptions" or lowered[2] != "resourcegroups":
        return resource_id
    return "/".join([parts[3], *parts[6:]])


def role_as_json(role_id: str) -> dict[str, str]:
    """A role (GUID) as every `--json` document has it."""
    return {"id": role_id, "name": role_name(role_id)}


def counted(number: int, noun: str) -> str:
    """`1 policy`, `2 policies`: regular English nouns only."""
    if number != 1:
        noun = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun}"
