"""`make prove`: one machine's life on a real subscription, what Azure does with it, and a report.
Exit code 0 when every step was done and nothing of it stays.
"""

import argparse
import asyncio
import json
import os
import sys
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

from lanyard.desk.azure.connection import reading_over
from lanyard.desk.azure.sign_in import SignIn, claims_in, signed_in
from lanyard.values.clouds import CloudName, cloud_of
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded, is_guid
from prove.all_steps import STEPS
from prove.azure_cli import azure_cli
from prove.journal import Journal, State, alone
from prove.proof import Pace, Proof, Waiting
from prove.report import as_json, as_markdown
from prove.steps import carry_out
from prove.storage import AccountStorage

# `make clean` leaves it: while a proof goes on, the journal alone knows what it has made.
_FOLDER = Path(__file__).parents[1] / ".prove"
_LOOK = 2.0  # seconds
_COST = """\
Billed while it runs, about an hour: a virtual machine with its disk, twice for some minutes; an
app on Flex Consumption with one instance always ready; storage accounts, a Log Analytics workspace,
eight alert rules. You have to be Owner of the subscription, signed in by `az login`.
"""


def main() -> int:
    """0: all was done and nothing stays; 1: a step failed, something stays, or nobody agreed;
    130 after Ctrl-C, and the next run goes on.
    """
    arguments = _parser().parse_args()
    try:
        return asyncio.run(_prove(arguments))
    except LanyardError as error:
        sys.stderr.write(f"prove: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("prove: stopped; run it again to go on, or with --clean to take it back\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prove",
        description="Lanyard on a real subscription: one machine's life by each way of delivery, "
        "what Azure does that nobody has verified, and a report without ids, names or secrets.",
        epilog="examples:  make prove SUBSCRIPTION=…    make prove SUBSCRIPTION=… ARGS=--clean"
        "    exit code: 0 all done and nothing left, 1 otherwise",
    )
    parser.add_argument("subscription", metavar="SUBSCRIPTION", help="its id; nothing watches it")
    parser.add_argument("--location", default="westeurope", help="a region with Flex Consumption")
    parser.add_argument("--size", default="Standard_B1s", help="of the machine (Standard_B1s)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--clean", action="store_true", help="only take back what a run has made")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="of journal and report")
    for each in fields(Pace):
        parser.add_argument(
            f"--{each.name}", type=float, default=each.default, help=argparse.SUPPRESS
        )
    return parser


async def _prove(arguments: argparse.Namespace) -> int:
    journal = _journal(arguments)
    if not (arguments.yes or _agreed(journal)):
        raise LanyardError("nothing was done")
    await _wait_for_others(arguments.folder)
    journal = _journal(arguments)  # another run may have gone on with it
    journal.cleaning |= arguments.clean
    pace = Pace(**{each.name: getattr(arguments, each.name) for each in fields(Pace)})
    cloud = cloud_of(CloudName(os.environ.get("LANYARD_CLOUD", CloudName.PUBLIC)), os.environ)
    async with (
        signed_in(cloud, SignIn(subscription=journal.subscription)) as me,
        reading_over(me.credential, cloud.arm, cloud.graph, Waiting(pace.hurry)) as reading,
    ):
        token = await me.credential.get_token(f"{cloud.arm.audience}/.default")
        proof = Proof(
            journal=journal,
            clients=reading.clients,
            storage=AccountStorage(me.credential, os.environ.get("LANYARD_QUEUE_ENDPOINT", "")),
            az=azure_cli,
            person=str(claims_in(token.token).get("oid") or ""),
            arm_url=cloud.arm.url,
            arm_audience=cloud.arm.audience,
            size=arguments.size,
            show=_show,
            pace=pace,
        )
        clean = await carry_out(STEPS, proof)
    return _ended(journal, arguments.folder, clean=clean)


async def _wait_for_others(folder: Path) -> None:
    """Another run, or what a run that was killed has started and Azure may still be asked by."""
    said = False
    while alone(folder) is None:
        if not said:
            _show("another run, or an az of one that was killed, is still at work: waiting for it")
        said = True
        await asyncio.sleep(_LOOK)


def _cloud_name() -> str:
    """So that no report of a local Azure is taken for one of a real subscription."""
    if "LANYARD_ARM_ENDPOINT" in os.environ:
        return "a local Azure"
    return os.environ.get("LANYARD_CLOUD", CloudName.PUBLIC)


def _journal(arguments: argparse.Namespace) -> Journal:
    """That of the run to go on with, or a new one."""
    subscription = folded(arguments.subscription)
    if not is_guid(subscription):
        raise LanyardError(f"{arguments.subscription!r} is no id of a subscription")
    file = arguments.folder / "journal.json"
    found = Journal.load(file)
    if found is not None and found.subscription != subscription:
        raise LanyardError(f"{file} is of another subscription: end that proof first")
    return found or Journal(file=file, subscription=subscription, location=arguments.location)


def _agreed(journal: Journal) -> bool:
    """Show what will be done, and ask."""
    for step in STEPS:
        if not journal.is_over(step.name):
            back = f"; afterwards: {step.undone_by}" if step.undone_by else ""
            _show(f"  {step.name}: {step.does}{back}")
    _show(f"\n{_COST}")
    sys.stdout.write("Go on? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _ended(journal: Journal, folder: Path, *, clean: bool) -> int:
    """Write the report; the journal goes with what it was for."""
    folder.mkdir(parents=True, exist_ok=True)
    document = as_json(journal, STEPS, version("lanyard"), _cloud_name())
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "report.md").write_text(as_markdown(document))
    _show(f"report: {folder / 'report.md'}, report.json")
    if not clean:
        _show("prove: something stays; run it again to take it back")
        return 1
    journal.file.unlink(missing_ok=True)
    failed = [name for name, entry in journal.entries.items() if entry.state is not State.DONE]
    _show(f"prove: nothing stays; {f'not done: {", ".join(failed)}' if failed else 'all done'}")
    return 1 if failed else 0


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
