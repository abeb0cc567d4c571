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
        timeout=110,
    )


def test_every_claim_holds_and_the_last_line_says_so() -> None:
    ran = run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip().splitlines()[-1] == "demo: ok, 22 checks"


def test_the_help_has_examples() -> None:
    assert "make demo" in run("--help").stdout
