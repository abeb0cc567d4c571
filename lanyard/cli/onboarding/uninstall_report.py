"""What `lanyard uninstall` found and did, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from lanyard.cli.frame.names import counted, role_as_json, short
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.onboarding.run import show_plans, summary
from lanyard.cli.onboarding.steps import Watched, show_notes
from lanyard.desk.uninstall import Attachment, Failures, Given
from lanyard.values.grants import Standing
from lanyard.values.roles import role_name

_STANDS = "it stands again: something gave it anew, or the app was not paused yet; run it again"


@dataclass(frozen=True, slots=True)
class Extent:
    """What is asked for beside the events and rights."""

    grants: Annotated[
        bool, typer.Option("--grants", help="Every role assignment that Lanyard made, too.")
    ] = False
    attachments: Annotated[
        bool, typer.Option("--attachments", help="Every identity that it attached, too.")
    ] = False


@dataclass
class Report:
    """What was found or taken back; `after` is what is left, None for a plan."""

    extent: Extent
    parts: list[Watched]
    before: Given
    after: Given | None = None
    failures: Failures = field(default_factory=Failures)

    @property
    def todo(self) -> bool:
        """Whether there is something to take back."""
        grants = self.extent.grants and self.before.grants
        attachments = self.extent.attachments and self.before.attachments
        return bool(grants or attachments) or any(each.changes for each in self.parts)

    @property
    def failed(self) -> bool:
        """Whether something that was asked for is still there, or could not be looked at."""
        left = any(self.error_of(each) for each in self.before.grants)
        left = left or any(self.error_of_attachment(each) for each in self.before.attachments)
        return left or self._unknown or any(each.failed for each in self.parts)

    @property
    def _unknown(self) -> bool:
        """Whether nobody knows of some of what was asked for whether it is there."""
        asked_for = self.extent.grants or self.extent.attachments
        return self.after is not None and asked_for and bool(self.after.damaged)

    def error_of(self, standing: Standing) -> str:
        """Why a grant was not removed; "" where it was, or was not asked for."""
        if self.after is None or not self.extent.grants:
            return ""
        name = standing.grant.name
        if name not in {each.grant.name for each in self.after.grants}:
            return ""
        return self.failures.grants.get(name, _STANDS)

    def error_of_attachment(self, attachment: Attachment) -> str:
        """The same of an attached identity."""
        if self.after is None or not self.extent.attachments:
            return ""
        if attachment not in self.after.attachments:
            return ""
        return self.failures.attachments.get(attachment, _STANDS)

    def remains(self) -> Iterator[str]:
        """What is there of Lanyard after it, in words."""
        given = self.before if self.after is None else self.after
        if given.grants and not self.extent.grants:
            yield f"{len(given.grants)} role assignments that Lanyard made (--grants)"
        if given.attachments and not self.extent.attachments:
            yield f"{len(given.attachments)} identities that Lanyard attached (--attachments)"
        yield from (f"{_named(each)}: a person had it put back" for each in given.kept)
        for adopted in given.adopted:
            what = _attached(adopted) if isinstance(adopted, Attachment) else _named(adopted)
            yield f"{what}: adopted; 'lanyard adopt --release' leaves it as it was"
        for listed in given.unrecorded:
            yield f"{listed.id}: it has Lanyard's stamp, and is not on its record"
        yield from (f"what this row is about: {each}" for each in given.damaged)
        yield from (f"identity {each}, made for one resource" for each in given.made)
        yield "identities that Lanyard made have the tag createdBy: lanyard"
        yield "the app, its storage and record: 'azd down'"


def as_json(report: Report, *, dry_run: bool) -> dict[str, Any]:
    """In the shape of the command's help."""
    return {
        "version": 1,
        "dryRun": dry_run,
        "subscriptions": [each.as_json() for each in report.parts],
        "grants": [_grant(each, report) for each in report.before.grants],
        "attachments": [_attachment(each, report) for each in report.before.attachments],
        "remains": [*report.remains()],
    }


def _grant(standing: Standing, report: Report) -> dict[str, Any]:
    grant, error = standing.grant, report.error_of(standing)
    return {
        "kind": grant.kind.value,
        "assignment": standing.assignment_id,
        "role": role_as_json(grant.role_id),
        "scope": grant.scope,
        "principalId": grant.principal_id,
        "resources": [str(each) for each in standing.claimants],
        "removed": report.after is not None and report.extent.grants and not error,
        "error": error,
    }


def _attachment(attachment: Attachment, report: Report) -> dict[str, Any]:
    error = report.error_of_attachment(attachment)
    return {
        "resource": str(attachment.resource),
        "identity": str(attachment.identity),
        "removed": report.after is not None and report.extent.attachments and not error,
        "error": error,
    }


def show_plan(report: Report, terminal: Terminal) -> None:
    """What would be taken back, and what would remain."""
    show_plans(report.parts, terminal)
    for what, _ in _asked_for(report):
        terminal.show(("- remove  ", "red"), what)
    _show_rest(report, terminal)


def show_done(report: Report, terminal: Terminal) -> None:
    """What was taken back beside the steps shown as they were done, and what remains."""
    for what, error in _asked_for(report):
        if error:
            terminal.error(f"{what}: {error}")
        else:
            terminal.show(("- removed ", "red"), what)
    _show_rest(report, terminal)


def _asked_for(report: Report) -> list[tuple[str, str]]:
    """Each grant and attachment that is to go, and why it did not."""
    extent, before = report.extent, report.before
    grants = [(_named(each), report.error_of(each)) for each in before.grants]
    attached = [(_attached(each), report.error_of_attachment(each)) for each in before.attachments]
    return [*(grants if extent.grants else ()), *(attached if extent.attachments else ())]


def _show_rest(report: Report, terminal: Terminal) -> None:
    planned = report.after is None
    terminal.show(("would remain" if planned else "remains", "bold"))
    show_notes(terminal, report.remains())
    asked = _asked_for(report)
    count = sum(not error for _, error in asked)
    given = f"; {count} of {len(asked)} given by Lanyard {'to take back' if planned else 'gone'}"
    in_words = summary(report.parts, planned=planned) + (given if asked else "")
    terminal.show((f"uninstall: {in_words}", "dim"))


def _named(standing: Standing) -> str:
    grant = standing.grant
    what = f"{role_name(grant.role_id)} at {short(grant.scope)} for {grant.principal_id}"
    return f"{what} ({counted(len(standing.claimants), 'resource')})"


def _attached(attachment: Attachment) -> str:
    return f"identity {attachment.identity.name} on {short(attachment.resource.text)}"
