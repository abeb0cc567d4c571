"""Ids and numbers as a person reads them; `--json` has ids in full."""

import re
from collections import Counter
from collections.abc import Iterable

from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_name

#: Of types whose last word says too little.
_NOUNS = {
    "microsoft.automation/automationaccounts": "Automation account",
    "microsoft.batch/batchaccounts": "Batch account",
    "microsoft.batch/batchaccounts/pools": "Batch pool",
    "microsoft.containerservice/managedclusters": "AKS cluster",
    "microsoft.web/sites": "web app",
    "microsoft.web/sites/slots": "slot",
}


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


def in_words(resources: Iterable[ResourceId]) -> str:
    """`140 web apps, 3 slots in 12 groups`, `1 virtual machine in rg-shop`."""
    listed = list(resources)
    types = Counter(folded(one.type) for one in listed)
    names = {folded(one.type): one.type for one in listed}
    parts = [counted(number, noun(names[type_])) for type_, number in types.most_common()]
    groups = {folded(one.resource_group_id): one.resource_group for one in listed}
    where = next(iter(groups.values())) if len(groups) == 1 else counted(len(groups), "group")
    return f"{', '.join(parts)} in {where}"


def noun(type_: str) -> str:
    """What people call one resource of a type: `virtual machine`."""
    if (known := _NOUNS.get(folded(type_))) is not None:
        return known
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type_.rpartition("/")[2]).lower()
    return words.removesuffix("s")
