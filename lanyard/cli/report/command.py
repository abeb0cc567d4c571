"""`lanyard report`: a month of a deployed app, for those who must account for it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.files import apart, write
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.report.as_csv import as_csv
from lanyard.cli.report.as_json import SHAPE, report_as_json
from lanyard.cli.report.page import page
from lanyard.cli.report.text import show
from lanyard.desk.report.month import LAST, THIS, month_named
from lanyard.desk.report.report import Report, read_report

_ABOUT = f"""\
Report a month: what was given, held and taken away, by rule, what a sweep had to put right, what
people decided, which versions of the policy were in force, and what waits now; beside it the
figures of the month before. By the app's own record, in UTC.

{storage_rights("Storage Table Data Reader")}
"""
_AFTER = """\
examples:
  lanyard report --storage stlanyard                      this month so far
  lanyard report --month 2026-10 --html october.html --csv october.csv
  lanyard report --month last --json | jq .figures        on the first of a month, by a timer

A timer, say a pipeline's schedule "15 0 1 * *", needs nothing but the command, a sign-in with the
right above, and a place for the files.

exit codes:
  0  reported
  1  an error: no such month, no credentials, a missing right, a file that cannot be written
"""


def run(
    month: Annotated[str, typer.Option(metavar="MONTH", help=f"2026-10, {THIS} or {LAST}.")] = THIS,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write each line of the record.")
    ] = None,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Report; returns the exit code."""
    apart(html=html, csv=csv)
    terminal = Terminal(quiet=quiet)
    document = report_as_json(asyncio.run(_read(month, azure, where)))
    files = {html: page, csv: as_csv}
    for file, form in files.items():
        if file is not None:
            write(file, form(document))
    if json:
        terminal.json(document)
        return 0
    show(document, terminal)
    for file in filter(None, files):
        terminal.show(f"{file} written")
    return 0


async def _read(month: str, azure: AzureOptions, where: AppOptions) -> Report:
    async with connect.app(azure, where) as app:
        now = app.time()
        try:
            wanted = month_named(month, now)
        except ValueError as error:
            raise typer.BadParameter(f"--month: {error}") from None
        return await read_report(app, wanted, now)


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
