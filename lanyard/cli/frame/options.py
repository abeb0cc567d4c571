"""What every command has: its help with examples, and the options that several share.

Options that belong together are a frozen dataclass; a command that takes one takes each of its
fields as an option (`flat`), so that the same option means the same everywhere.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from lanyard.cli.frame.help_page import HelpPage
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import InvalidResourceId, ResourceId


@dataclass(frozen=True, slots=True)
class Command:
    """A command of `lanyard`: `about` stands above its options, `after` (examples, exit codes)
    below them. `run` returns the exit code. `shape`: what is in the `--json` document.
    """

    about: str
    after: str
    run: Callable[..., int]
    shape: Mapping[str, str] = field(default_factory=dict)

    def add_to(self, app: typer.Typer, name: str) -> None:
        """Make it a command of `app`."""
        decorate = app.command(name, cls=HelpPage, help=self.about, epilog=self.after)
        decorate(flat(self.run))


#: It means the same everywhere: see `Terminal`.
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Only problems, and what another option asks for."),
]
PolicyPath = Annotated[
    Path,
    typer.Option(
        "--policy", envvar="LANYARD_POLICY", help="A file or a folder; - for standard input."
    ),
]
#: For `own_identity`.
AppIdentity = Annotated[
    str,
    typer.Option(
        envvar="LANYARD_IDENTITY_ID",
        metavar="ID",
        help="Resource id of the app's own identity: a policy that names it is refused.",
    ),
]
#: Of what is on record; for `about`.
OfResource = Annotated[
    str,
    typer.Option(
        metavar="ID|NAME", help="Of this resource, or below this scope: vm1, rg-shop, rg-shop/vm1."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

#: For `storage_rights`: to look at everything that the app keeps.
LOOK = ("Storage Table Data Reader", "Storage Queue Data Reader", "Storage Blob Data Reader")


def storage_rights(*roles: str) -> str:
    """For the help of commands that reach a deployed app."""
    all_of_them = " and ".join(filter(None, [", ".join(roles[:-1]), roles[-1]]))
    return (
        "The app's storage account is reached with your own identity, never with keys: you need "
        f"{all_of_them} on it."
    )


def own_identity(app_identity: str) -> ResourceId | None:
    """The app's own identity, where it is given. Raises LanyardError for what is no id."""
    try:
        return ResourceId.parse(app_identity) if app_identity else None
    except InvalidResourceId as error:
        raise LanyardError(f"--app-identity: {error}") from None


def flat(run: Callable[..., int]) -> Callable[..., int]:
    """`run`, with the fields of each parameter that is a dataclass as parameters of its own."""
    hints = get_type_hints(run, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    signature = inspect.signature(run)
    parameters = []
    for name, parameter in signature.parameters.items():
        own = parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        parameters += _of_fields(groups[name]) if name in groups else [own]

    @wraps(run)
    def called(**given: Any) -> int:
        for group_name, group in groups.items():
            names = [field.name for field in fields(group)]
            given[group_name] = group(**{name: given.pop(name) for name in names})
        return run(**given)

    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return called


def _of_fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
