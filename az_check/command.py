"""One `az` command, what Azure would answer, and whether that is what came. Pure."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any, Self

#: The command prints nothing at all.
NOTHING: Any = object()


@dataclass(frozen=True)
class Text:
    """A printed string that fits the whole of `pattern`, in which a `$name` stands for itself."""

    pattern: str


#: A GUID, such as the id of a principal.
GUID = Text("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Command:
    """What follows `az`, in a shell's quoting; `$name` stands for what an earlier command printed.

    `gives` is the JSON that it must print (`--query` narrows it), with `$name` in its strings too.
    `error` is Azure's code, or the CLI's own words, on stderr; without one the exit code must be 0.
    `keep` names what was printed, for later commands. `by` is the session: who is signed in.
    `later`: the seconds by which the local Azure's clock is moved on just before.
    """

    line: str
    gives: Any = NOTHING
    error: str = ""
    exit_code: int = 0
    keep: str = ""
    by: str = "operator"
    later: float = 0.0

    def arguments(self, known: Mapping[str, str]) -> list[str]:
        """For the process. Raises KeyError where nothing of that name was kept."""
        return [Template(each).substitute(known) for each in shlex.split(self.line)]


@dataclass(frozen=True)
class Result:
    """What the process did. `seconds` is wall time, `outside` the requests that left loopback."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """`faults` is empty where all was as expected; `printed` is the JSON, None for no output."""

    command: Command
    result: Result
    faults: tuple[str, ...]
    printed: Any = None

    @classmethod
    def not_run(cls, command: Command, why: str) -> Self:
        """A command that could not even start."""
        return cls(command, Result(-1, "", "", 0.0), (why,))


def judge(command: Command, result: Result, known: Mapping[str, str]) -> Outcome:
    """Compare what came with what Azure would have answered."""
    faults = [f"left this machine: {each}" for each in result.outside]
    if result.exit_code != command.exit_code:
        faults.append(f"exit code {result.exit_code}, not {command.exit_code}")
    if "Traceback (most recent call last)" in result.stderr:
        faults.append("the CLI crashed")
    if command.error and command.error not in result.stderr:
        faults.append(f"no '{command.error}' on stderr")
    printed = None
    if not faults:
        printed, wrong = _compare(_filled(command.gives, known), result.stdout)
        faults.extend(wrong)
    return Outcome(command, result, tuple(faults), printed)


def _compare(expected: Any, stdout: str) -> tuple[Any, list[str]]:
    """What was printed, and what is wrong with it."""
    if expected is NOTHING:
        return None, [f"printed {_short(stdout)}"] if stdout.strip() else []
    try:
        printed = json.loads(stdout)
    except ValueError:
        return None, [f"printed no JSON: {_short(stdout)}"]
    if _fits(expected, printed):
        return printed, []
    return printed, [f"printed {_short(json.dumps(printed))}, not {_short(_told(expected))}"]


def _fits(expected: Any, printed: Any) -> bool:
    match expected:
        case Text():
            return isinstance(printed, str) and re.fullmatch(expected.pattern, printed) is not None
        case list() if isinstance(printed, list):
            pairs = zip(expected, printed, strict=False)
            return len(expected) == len(printed) and all(_fits(*pair) for pair in pairs)
        case dict() if isinstance(printed, dict):
            same = expected.keys() == printed.keys()
            return same and all(_fits(value, printed[key]) for key, value in expected.items())
    return bool(type(expected) is type(printed) and expected == printed)


def _filled(expected: Any, known: Mapping[str, str]) -> Any:
    match expected:
        case str():
            return Template(expected).substitute(known)
        case Text():
            literal = {name: re.escape(value) for name, value in known.items()}
            return Text(Template(expected.pattern).substitute(literal))
        case list():
            return [_filled(each, known) for each in expected]
        case dict():
            pairs = expected.items()
            return {_filled(key, known): _filled(value, known) for key, value in pairs}
    return expected


def _told(expected: Any) -> str:
    return json.dumps(expected, default=lambda text: f"/{text.pattern}/")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 300 else f"{flat[:297]}…"
