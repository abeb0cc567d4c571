"""`make prove` as a person runs it, against the local Azure: killed twice, and taken up again."""

import json
from asyncio.subprocess import Process
from pathlib import Path

from prove.local import LocalAzure, local_azure, proving
from prove.questions import QUESTIONS


async def lines_until(process: Process, begin: str) -> list[str]:
    """What it says until a line begins so, or until its end."""
    said: list[str] = []
    assert process.stdout is not None
    async for line in process.stdout:
        said.append(line.decode().rstrip())
        if begin and said[-1].startswith(begin):
            break
    return said


async def kill_at(local: LocalAzure, folder: Path, step: str) -> list[str]:
    process = await proving(local, folder)
    said = await lines_until(process, step)
    process.kill()
    await process.communicate()
    assert said[-1].startswith(step), said
    return said


async def test_killed_and_run_again_it_ends_with_its_report_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "proof"
    async with local_azure(tmp_path) as local:
        await kill_at(local, folder, "read-webhook: ")
        said = await kill_at(local, folder, "undo watch-webhook: ")
        assert said[0].startswith("read-webhook: ")  # what was done is not done again
        process = await proving(local, folder)
        said = await lines_until(process, "")
        assert await process.wait() == 0, said
        assert said[0].startswith("undo watch-webhook: ")
        assert said[-1] == "prove: nothing stays; all done"
        assert local.left() == []
    text = (folder / "report.json").read_text()
    report = json.loads(text)
    assert (report["nothingStays"], report["cloud"]) == (True, "a local Azure")
    assert {each["question"] for each in report["answers"] if each["answer"]} == set(QUESTIONS)
    names = (local.subscription, "stproof", "func-lanyard", "127.0.0.1")
    assert [name for name in names if name in text + (folder / "report.md").read_text()] == []
    assert not (folder / "journal.json").exists()
