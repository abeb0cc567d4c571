"""How the host starts, refuses to start, stops and comes back."""

import asyncio
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from simulator.functions_host.process import HostProcess, HostStartError
from tests.support.azurite.queues import DEADLINE, Queue, until
from tests.support.functions_host import APP, Storage

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPOSITORY = Path(__file__).parents[3]

type Open = Callable[[str], Queue]


async def said_on_stderr(host: HostProcess, text: str) -> None:
    await until(lambda: text in host.log_file.read_text())


async def test_the_ready_line_names_functions_and_keys(host: HostProcess) -> None:
    assert host.url.startswith("http://127.0.0.1:")
    assert {"name": "take_work", "type": "queueTrigger"} in host.functions
    assert sorted(host.keys) == ["eventgrid_extension", "function", "master"]
    assert len(set(host.keys.values())) == 3
    assert "printed at import" in host.log_file.read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AzureWebJobsStorage": "AccountName=a"}, "connection Storage: the setting AzureWeb"),
        ({"TICK": "61 * * * * *"}, "function tick: schedule: second '61'"),
        (
            {"AzureFunctionsJobHost__extensions__queues__batchSize": "33"},
            "extensions.queues.batchSize: Input should be less than or equal to 32",
        ),
    ],
    ids=["connection string", "schedule", "host.json"],
)
async def test_says_what_keeps_the_host_from_starting(
    storage: Storage, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    host = HostProcess(APP, {**storage.settings("work"), **settings}, tmp_path)
    with pytest.raises(HostStartError) as caught:
        await host.start()
    assert "ended, exit code 1" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("setting", ["REFUSE_TO_START", "WRONG_SETTING"])
async def test_an_app_that_cannot_be_imported_has_no_functions_and_no_reason(
    storage: Storage, tmp_path: Path, setting: str
) -> None:
    host = HostProcess(APP, {**storage.settings("work"), setting: "lanyard.yaml:3: no"}, tmp_path)
    with pytest.raises(HostStartError) as caught:
        await host.start()
    assert "Exceeded language worker restart retry count" in str(caught.value)
    assert "lanyard.yaml:3: no" not in str(caught.value)


async def test_says_which_setting_is_missing(storage: Storage, tmp_path: Path) -> None:
    settings = storage.settings("work")
    del settings["TICK"]
    with pytest.raises(HostStartError, match=r"function tick, .*: the app setting TICK is missing"):
        await HostProcess(APP, settings, tmp_path).start()


async def test_reads_local_settings_under_the_environment(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    root = shutil.copytree(APP, tmp_path / "app")
    values = {"WORK_QUEUE": "from-the-file", "TICK": "no schedule", "FUNCTIONS_X": "1"}
    (root / "local.settings.json").write_text(json.dumps({"Values": values}))
    settings = await storage.prepared("from-the-file")
    del settings["WORK_QUEUE"]
    async with HostProcess(root, settings, tmp_path):
        await queue("from-the-file").send("read")
        await queue("seen").wait_for_json(body="read")


async def test_a_queue_that_is_not_there_is_polled_until_someone_makes_it(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    async with HostProcess(APP, storage.settings("later"), tmp_path) as host:
        await said_on_stderr(host, "queue later cannot be read")
        await storage.service.create_queue("later")
        await queue("later").send("at last")
        await queue("seen").wait_for_json(body="at last")


async def test_what_its_worker_had_in_hand_comes_again_and_the_third_death_ends_the_host(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    """Whoever started it starts it again."""
    async with HostProcess(APP, await storage.prepared("deaths"), tmp_path) as host:
        before = host.pid
        await queue("deaths").send("die 2")
        assert (await queue("seen").wait_for_json(body="die 2"))["dequeue_count"] == 2
        await queue("deaths").send("die 99")
        await until(lambda: host.ended == 1 and host.pid != before, seconds=60)
        await queue("deaths").send("as before")
        await queue("seen").wait_for_json(body="as before")
    assert "Exceeded language worker restart retry count" in host.log_file.read_text()


async def test_a_call_beyond_the_function_timeout_takes_the_worker_with_it(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    timeout = {"AzureFunctionsJobHost__functionTimeout": "00:00:01"}
    settings = await storage.prepared("overlong") | timeout
    async with HostProcess(APP, settings, tmp_path) as host:
        await queue("overlong").send("wait 60")
        await said_on_stderr(host, "Timeout value of 1.0 s was exceeded")
        await said_on_stderr(host, "Language Worker Process exited")
        await queue("overlong").send("the next one")
        await queue("seen").wait_for_json(body="the next one")


async def test_sigterm_lets_a_running_invocation_end(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    async with HostProcess(APP, await storage.prepared("stopped"), tmp_path) as host:
        await queue("stopped").send("wait 0.5")
        await said_on_stderr(host, "Executing 'Functions.take_work'")
        assert await host.stop() == 0
    assert "Executed 'Functions.take_work' (Succeeded" in host.log_file.read_text()
    assert "still running" not in host.log_file.read_text()
    assert await queue("stopped").count() == 0
    await queue("seen").wait_for_json(body="wait 0.5")


async def test_what_a_setting_disables_is_started_by_nothing_but_the_admin_api(
    storage: Storage, tmp_path: Path
) -> None:
    """On stderr, each start of a function is a line."""
    off = {f"AzureWebJobs.{name}.Disabled": "true" for name in ("on_start", "take_work")}
    async with HostProcess(APP, await storage.prepared("disabled") | off, tmp_path / "off") as host:
        async with httpx.AsyncClient(trust_env=False) as http:
            for name in ("yearly", "on_start"):
                answer = await http.post(
                    f"{host.url}/admin/functions/{name}",
                    json={},
                    headers={"x-functions-key": host.keys["master"]},
                )
                assert answer.status_code == 202
        await said_on_stderr(host, "Executed 'Functions.on_start'")
        said = host.log_file.read_text()
    assert said.count("Executing 'Functions.on_start'") == 1
    async with HostProcess(APP, storage.settings("disabled"), tmp_path / "on") as host:
        await said_on_stderr(host, "Executing 'Functions.on_start'")


async def test_a_killed_host_leaves_its_message_and_comes_back_with_the_same_keys(
    storage: Storage, tmp_path: Path, queue: Open
) -> None:
    async with HostProcess(APP, await storage.prepared("killed"), tmp_path) as host:
        keys = host.keys
        await queue("killed").send("wait 60")
        await said_on_stderr(host, "Executing 'Functions.take_work'")
        assert await host.kill() < 0
        assert await queue("killed").count() == 1
        await host.restart()
        assert host.keys == keys
        assert stat.S_IMODE((tmp_path / "host-keys.json").stat().st_mode) == 0o600


async def test_a_start_that_is_given_up_leaves_a_host_that_can_be_killed(
    storage: Storage, tmp_path: Path
) -> None:
    host = HostProcess(APP, storage.settings("given-up"), tmp_path)
    starting = asyncio.create_task(host.start())
    await until(lambda: host.running)
    starting.cancel()
    await asyncio.wait([starting])
    assert await host.kill() < 0
    assert not host.running


async def test_stops_when_its_parent_is_gone(storage: Storage, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator.functions_host", "--stop-at-eof"]
    process = await asyncio.create_subprocess_exec(
        *(*command, "--script-root", str(APP)),
        cwd=REPOSITORY,
        env={**storage.settings("orphaned"), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["pid"] == process.pid
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    assert await process.stdout.read() == b""
