"""A proof as a list of steps, carried out in order and taken back in the opposite one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lanyard.values.errors import LanyardError
from prove.journal import Journal
from prove.proof import Proof

type Act = Callable[[Proof], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Each may be run again after it was broken off at any point: what is there is left as it is.
    So may its `undo`, which is run where the step was begun, whatever became of it.
    """

    name: str
    does: str  # for people
    run: Act
    undone_by: str = ""  # for people; "" where it leaves nothing of its own
    undo: Act | None = None
    measures: str = ""  # for people
    asks: tuple[str, ...] = ()  # the names of questions (questions.py)
    needs: tuple[str, ...] = ()  # the names of steps without which it cannot be tried


async def carry_out(steps: Sequence[Step], proof: Proof) -> bool:
    """All of them, and all of them taken back; whether nothing of it stays. It goes on where the
    journal ends: a run that was taking back takes back, and begins nothing anew.
    """
    journal = proof.journal
    if not journal.cleaning:
        for step in steps:
            await _go(step, proof)
        journal.clean()
    for step in reversed(steps):
        await _take_back(step, proof)
    return not any(entry.stays for entry in journal.entries.values())


async def _go(step: Step, proof: Proof) -> None:
    journal = proof.journal
    if journal.is_over(step.name):
        return
    if missing := _missing(step, journal):
        journal.leave_out(step.name, f"it needs {missing}")
        proof.show(f"{step.name}: not tried, it needs {missing}")
        return
    journal.begin(step.name)
    proof.show(f"{step.name}: {step.does}")
    if failure := await _failure(step.run, proof):
        journal.fail(step.name, failure)
        proof.show(f"{step.name}: failed: {failure}")
    else:
        journal.done(step.name)


async def _take_back(step: Step, proof: Proof) -> None:
    journal = proof.journal
    if step.undo is None or not journal.is_to_undo(step.name):
        return
    proof.show(f"undo {step.name}: {step.undone_by}")
    if failure := await _failure(step.undo, proof):
        journal.stays(step.name, failure)
        proof.show(f"undo {step.name}: it stays: {failure}")
    else:
        journal.undone(step.name)


async def _failure(act: Act, proof: Proof) -> str:
    """Why it failed, "" where it did not. An answer of Azure that nobody foresaw is no reason to
    leave behind what all the other steps have made.
    """
    try:
        await act(proof)
    except LanyardError as error:
        return str(error) or type(error).__name__
    except Exception as error:
        return f"unforeseen: {type(error).__name__}: {error}"
    return ""


def _missing(step: Step, journal: Journal) -> str:
    return next((need for need in step.needs if not journal.succeeded(need)), "")
