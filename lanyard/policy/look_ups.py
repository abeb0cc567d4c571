"""Look-ups in scopes, {vars.TABLE[VARIABLE]}: what the policy's own table has for the value of a
variable. Who sets a tag chooses among what the policy names, and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lanyard.policy.patterns import same
from lanyard.policy.problems import Found, unknown
from lanyard.values.resource_id import folded, is_plain

#: The tables of a policy, by name: what each has for the value of a variable.
type Tables = Mapping[str, Mapping[str, str]]

#: Where there are none.
NO_TABLES: Tables = {}
_LOOK_UP = re.compile(r"vars\.([^\[\]]+)\[([^\[\]]+)\]")
_PREFIX = "vars."


class LookUp(NamedTuple):
    """The name of a table, and the variable that it is asked for."""

    table: str
    by: str


def look_up_of(variable: str) -> LookUp | None:
    """What a variable looks up; None where it is none, or not a whole one."""
    found = _LOOK_UP.fullmatch(variable)
    return LookUp(found[1], found[2]) if found else None


def is_look_up(variable: str) -> bool:
    """Whether it is meant as one."""
    return variable.startswith(_PREFIX)


def look_up_problem(variable: str, tables: Tables) -> str | None:
    """What is wrong with a look-up, but for the variable that it goes by; None for nothing."""
    found = look_up_of(variable)
    if found is None:
        return f"{{{variable}}} is no look-up; write {{vars.TABLE[tags.KEY]}}"
    if found.table not in tables:
        return f"{{{variable}}}: {unknown('table of vars', found.table, tables)}"
    return None


def found_in(tables: Tables, look_up: LookUp, value: str) -> str | None:
    """What the table has for a value, in any case; None where it has nothing."""
    table = tables.get(look_up.table, {})
    return next((text for key, text in table.items() if same(key, value)), None)


def table_problems(tables: Tables) -> Found:
    """Keys that are one, and what cannot be part of a name."""
    for name, table in tables.items():
        seen: dict[str, str] = {}
        for key, text in table.items():
            at = ("vars", name, key)
            if (before := seen.setdefault(folded(key), key)) != key:
                yield at, f"look-ups have no case: {key!r} is {before!r}"
            yield from _text_problems(at, text)


def _text_problems(at: tuple[str, ...], text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    if not is_plain(text):
        yield at, f"{text!r} cannot be part of a name in a scope"
