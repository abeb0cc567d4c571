"""`make demo` as a person runs it."""

import subprocess
import sys

from demo.hosts import PROJECT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_every_claim_holds_and_the_last_line_says_so() -> None:
    ran = run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip().splitlines()[-1] == "demo: ok, 22 checks"


def test_every_claim_holds_where_events_come_by_queue() -> None:
    """One act more: a machine arrives while the app is stopped."""
    ran = run("--delivery", "queue")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    *_, before, last = ran.stdout.strip().splitlines()
    assert before.endswith("in the project's own Functions host, events by queue")
    assert last == "demo: ok, 27 checks"


def test_a_way_that_there_is_not_is_an_error() -> None:
    assert run("--delivery", "pigeon").returncode != 0


def test_a_host_that_there_is_not_is_an_error() -> None:
    ran = run("--host", "somebody's")
    assert ran.returncode == 2
    assert "invalid choice" in ran.stderr


def test_the_help_has_examples() -> None:
    assert "make demo" in run("--help").stdout
