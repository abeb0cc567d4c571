"""`make demo`: the main job end to end on the local Azure. Exit code 0 when every claim holds."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from demo.narration import Narration
from demo.stack import running
from demo.story import tell


def main() -> int:
    """Run the demo; 0 when every claim held, 1 when one did not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Lanyard's main job, end to end, on a local Azure. Needs no subscription.",
        epilog="examples:  make demo    python -m demo --json | jq .ok    "
        "exit code: 0 every claim held, 1 one did not",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the tale")
    narration = Narration(as_json=parser.parse_args().json)
    try:
        asyncio.run(_run(narration))
    except KeyboardInterrupt:
        return 130
    narration.end()
    return 0 if narration.ok else 1


async def _run(narration: Narration) -> None:
    narration.act("0  A local Azure starts, and Lanyard in it")
    with tempfile.TemporaryDirectory(prefix="lanyard-demo-") as directory:
        async with running(Path(directory), narration.step) as stack:
            await tell(stack, narration)


if __name__ == "__main__":
    sys.exit(main())
