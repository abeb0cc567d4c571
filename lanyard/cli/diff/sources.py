"""Where a policy that is compared comes from: a file, a folder, a revision of git, an app."""

import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lanyard.policy import Policy, load_policy
from lanyard.policy.load import is_policy_file, parse_policies, rule_places, rule_places_of
from lanyard.values.errors import LanyardError
from lanyard.values.subscriptions import Subscriptions

DEPLOYED = "deployed"
_GIT = "git:"


@dataclass(frozen=True, slots=True)
class Compared:
    """A policy, what it is called, and where its rules stand."""

    name: str
    policy: Policy
    places: Mapping[str, str]

    def under(self, listing: Subscriptions) -> "Compared":
        """It where these subscriptions are listed."""
        return replace(self, policy=self.policy.under(listing))

    def without(self, rules: Collection[str]) -> "Compared":
        """It without these rules. Raises LanyardError for one that it has not."""
        names = [rule.name for rule in self.policy.rules]
        if missing := [rule for rule in rules if rule not in names]:
            has = ", ".join(map(repr, names))
            raise LanyardError(f"{self.name} has no rule {missing[0]!r}; it has {has}")
        if not rules:
            return self
        named = f"{self.name} without {', '.join(rules)}"
        return replace(self, name=named, policy=self.policy.without(rules))

    def place(self, rule: str) -> str:
        """`lanyard.yaml:12`; "" where the rule is none of its own."""
        return self.places.get(rule, "")


def compared(name: str) -> Compared:
    """By PATH, or `git:REV:PATH`. Raises PolicyError, LanyardError."""
    if name.startswith(_GIT):
        return of_texts(name, list(_from_git(name)))
    path = Path(name)
    return Compared(name, load_policy(path), rule_places(path))


def of_texts(name: str, texts: list[tuple[str, str]]) -> Compared:
    """By the names and texts of its files. Raises PolicyError."""
    return Compared(name, parse_policies(texts), rule_places_of(texts))


def _from_git(name: str) -> Iterator[tuple[str, str]]:
    """As the revision has it; a path is from where the command runs."""
    revision, _, path = name.removeprefix(_GIT).partition(":")
    if not (revision and path) or revision.startswith("-"):
        raise LanyardError(f"{name!r} names no revision and path: write git:REV:PATH")
    here = f"./{PurePosixPath(path)}" if not path.startswith(("./", "../", "/")) else path
    kind = _git("cat-file", "-t", f"{revision}:{here}").strip()
    if kind == "blob":
        yield f"{revision}:{path}", _git("show", f"{revision}:{here}")
        return
    for file in sorted(_git("ls-tree", "--name-only", "-z", f"{revision}:{here}").split("\0")):
        if is_policy_file(file):
            text = _git("show", f"{revision}:{here.rstrip('/')}/{file}")
            yield f"{revision}:{path.rstrip('/')}/{file}", text


def _git(*arguments: str) -> str:
    """What git writes. Raises LanyardError with what it says where it fails."""
    try:
        ran = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
    except FileNotFoundError:
        raise LanyardError("git is not installed: name a file instead of git:REV:PATH") from None
    except UnicodeDecodeError:
        raise LanyardError(f"git {' '.join(arguments)}: no UTF-8 text") from None
    except subprocess.CalledProcessError as error:
        raise LanyardError(f"git: {error.stderr.strip()}") from None
    return ran.stdout
