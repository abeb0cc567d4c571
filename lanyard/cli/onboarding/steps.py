"""The steps of onboarding, offboarding and uninstalling for people and for programs,
and the question before anything is changed.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.onboarding.parts import Deployment
from lanyard.desk.onboarding.steps import Step, Verb
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_guid

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]

#: Exit code of a --dry-run that finds something to do.
CHANGES = 2
STEP_SHAPE = {
    "id": "of the resource in ARM; it ends with / where its name is known only once the topic is "
    "there",
    "about": "what it is, in words",
    "verb": "`keep` (it is as it should be), `create`, `change`, `remove`",
    "differs": "the paths in it that are not as they should be",
    "done": "whether it was done",
    "error": "why it was not, or could not be looked at; else empty",
}
_MARKS = {
    Verb.KEEP: ("=", "dim"),
    Verb.CREATE: ("+", "green"),
    Verb.CHANGE: ("~", "yellow"),
    Verb.REMOVE: ("-", "red"),
}
_DONE = {Verb.CREATE: "created", Verb.CHANGE: "changed", Verb.REMOVE: "removed", Verb.KEEP: "kept"}
_PREFIX = "/subscriptions/"
_OPTIONS = {
    "app_id": "--app-id (LANYARD_APP_ID)",
    "principal_id": "--app-principal (LANYARD_PRINCIPAL_ID)",
    "storage_id": "--storage-id (LANYARD_STORAGE_ID)",
    "client_id": "--client-id (LANYARD_CLIENT_ID)",
    "installation": "--installation (LANYARD_INSTALLATION)",
    "location": "--location (AZURE_LOCATION)",
}
#: Of `known`, to take back what an app was given.
TO_TAKE_BACK = ("app_id", "principal_id", "storage_id")


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """The deployed app, by outputs of infra/main.bicep."""

    app_id: Annotated[
        str, typer.Option(envvar="LANYARD_APP_ID", metavar="ID", help="The function app.")
    ] = ""
    storage_id: Annotated[
        str,
        typer.Option(envvar="LANYARD_STORAGE_ID", metavar="ID", help="Its storage account."),
    ] = ""
    events_storage_id: Annotated[
        str,
        typer.Option(
            envvar="LANYARD_EVENTS_STORAGE_ID",
            metavar="ID",
            help="The storage account of its queue of events, where that is another one.",
        ),
    ] = ""


@dataclass
class Watched:
    """What was planned or done in one subscription (id), and what a person should know of it."""

    subscription: str
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return any(step.error for step in self.steps)

    @property
    def changes(self) -> bool:
        """Whether there is something to do."""
        return any(step.changes for step in self.steps)

    async def follow(
        self, steps: AsyncIterator[Step], show: Callable[[Step], None] | None = None
    ) -> None:
        """Take the steps as they come, and show each."""
        async for step in steps:
            self.steps.append(step)
            if show is not None:
                show(step)

    def as_json(self) -> dict[str, Any]:
        """In the shape of `STEP_SHAPE`."""
        return {
            "subscription": self.subscription,
            "steps": [step_as_json(step) for step in self.steps],
            "notes": [*self.notes],
        }


def step_as_json(step: Step) -> dict[str, Any]:
    """In the shape of `STEP_SHAPE`."""
    return {
        "id": step.id,
        "about": step.about,
        "verb": step.verb.value,
        "differs": [*step.differs],
        "done": step.done,
        "error": step.error,
    }


def shaped(prefix: str) -> dict[str, str]:
    """The shape of steps below a key of a JSON document."""
    return {f"{prefix}.{key}": meaning for key, meaning in STEP_SHAPE.items()}


def subscription_ids(texts: Iterable[str]) -> list[str]:
    """The subscriptions (lower case) that were named by id, each once. Raises LanyardError."""
    found = [folded(text).rstrip("/").removeprefix(_PREFIX) for text in texts]
    if wrong := [text for text in found if not is_guid(text)]:
        raise LanyardError(
            f"{', '.join(wrong)}: no id of a subscription; 'az account list' has them"
        )
    return [*dict.fromkeys(found)]


def known(deployment: Deployment, *needed: str) -> Deployment:
    """The deployment, if the fields that are needed of it are there. Raises LanyardError."""
    missing = [_OPTIONS[name] for name in needed if not getattr(deployment, name)]
    if missing:
        raise LanyardError(
            f"which app? {', '.join(missing)} missing: 'azd env get-values' shows them, the "
            "outputs of infra/main.bicep"
        )
    return deployment


def confirm(question: str, *, yes: bool, json: bool) -> None:
    """Ask, unless `yes` is given. Raises LanyardError where nobody can be asked or who is
    asked does not want it.
    """
    if yes:
        return
    if json or not sys.stdin.isatty():
        raise LanyardError("nothing was changed: nobody can be asked here; --yes does it unasked")
    if not typer.confirm(question, err=True):
        raise LanyardError("nothing was changed")


def show_step(terminal: Terminal, step: Step, *, planned: bool) -> None:
    """A line, and one for what went wrong; nothing of what is as it should be."""
    mark, style = _MARKS[step.verb]
    if step.error:
        terminal.error(f"{step.about}: {step.error}")
    elif step.changes:
        verb = step.verb.value if planned else _DONE[step.verb]
        differs = f"  ({', '.join(step.differs)})" if step.differs else ""
        terminal.show((f"{mark} {verb:8}", style), step.about, (differs, "dim"))


def show_notes(terminal: Terminal, notes: Iterable[str]) -> None:
    """What a person should know."""
    for note in notes:
        terminal.show((f"· {note}", "yellow"))
