"""Runs a command, and prints afterwards how long it took and what it cost of the processors."""

import resource
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Returns the command's own exit code."""
    began = time.monotonic()
    code = subprocess.run(command, check=False).returncode  # noqa: S603
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    sys.stdout.write(f"{seconds:.0f} s, {cpu:.0f} s of processor time\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
