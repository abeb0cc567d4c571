"""The table of built-in roles, names and ids alone, made from a recording of them:
`python -m lanyard.cli.docs.roles_table RECORDING lanyard/values/built_in_roles.py`.
"""

import json
import sys
from pathlib import Path
from typing import Any

_HEAD = '''\
"""All built-in roles by name, each with its id (GUID, lower case): the same in every tenant and
cloud. Made by python -m lanyard.cli.docs.roles_table RECORDING lanyard/values/built_in_roles.py
"""

#: Where the names and ids are from, and of which day.
SOURCE = "roleDefinitions of a subscription, recorded by azure-cli"
RECORDED = "{day}"

BUILT_IN_ROLES = {{
'''


def table_of(recording: Any) -> str:
    """The module's text. The day is the one that the recording's `source` has."""
    day = next(part for part in recording["source"].split(", ") if part[:2] == "20")
    named = {role["roleName"]: role["id"] for role in recording["roles"]}
    rows = [f'    "{name}": "{named[name]}",\n' for name in sorted(named, key=str.casefold)]
    return _HEAD.format(day=day) + "".join(rows) + "}\n"


if __name__ == "__main__":
    recording, module = map(Path, sys.argv[1:])
    module.write_text(table_of(json.loads(recording.read_text())))
