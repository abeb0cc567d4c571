"""Ids as a person reads them in a table; `--json` has them in full."""


def short(resource_id: str) -> str:
    """`rg-shop/virtualMachines/vm1` of a resource's id, the group of a group's, else the id."""
    parts = resource_id.strip("/").split("/")
    lowered = [part.lower() for part in parts]
    if len(parts) < 4 or lowered[0] != "subscriptions" or lowered[2] != "resourcegroups":
        return resource_id
    return "/".join([parts[3], *parts[6:]])
