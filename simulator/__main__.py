"""`python -m simulator`: the local Azure until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
from pathlib import Path

from simulator.azure import Azure
from simulator.behaviour import Behaviour
from simulator.certificates import Certificates, make_certificates
from simulator.clock import Clock
from simulator.serve import serve


def main() -> int:
    """Run it; 0 after a signal, 1 when a port is taken."""
    arguments = _parser().parse_args()
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    if arguments.state_dir is not None:
        return asyncio.run(_run(arguments, arguments.state_dir))
    with tempfile.TemporaryDirectory(prefix="local-azure-") as directory:
        return asyncio.run(_run(arguments, Path(directory)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A local Azure on loopback. Prints one JSON line with every address, ready.",
    )
    add = parser.add_argument
    add("--seed", type=int, default=1, help="the same seed gives the same ids (default 1)")
    add("--subscriptions", type=int, default=1, help="how many there are (default 1)")
    add("--port", type=int, default=0, help="of ARM, Graph and blobs, TLS (default: a free one)")
    add("--metadata-port", type=int, default=0, help="of IMDS and control (default: a free one)")
    add("--azurite-blob-url", help="where dead letters go, with the account in the path")
    add(
        "--operation-seconds",
        type=float,
        default=5.0,
        help="how long a machine takes to be made, changed or deleted (default 5)",
    )
    add(
        "--state-dir",
        type=Path,
        help="for ca.pem, cert.pem and key.pem; those found there are used again",
    )
    add("--verbose", action="store_true", help="log requests to stderr")
    return parser


async def _run(arguments: argparse.Namespace, directory: Path) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    azure = _azure(arguments)
    try:
        async with serve(
            azure,
            _certificates(directory),
            port=arguments.port,
            metadata_port=arguments.metadata_port,
            azurite_blob_url=arguments.azurite_blob_url,
            verbose=arguments.verbose,
        ) as addresses:
            print(json.dumps(addresses.as_json()), flush=True)
            await stopped.wait()
    except OSError as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 1
    return 0


def _azure(arguments: argparse.Namespace) -> Azure:
    behaviour = Behaviour(operation_seconds=arguments.operation_seconds)
    azure = Azure(seed=arguments.seed, clock=Clock(running=True), behaviour=behaviour)
    for number in range(1, arguments.subscriptions + 1):
        azure.state.add_subscription(f"Subscription {number}")
    return azure


def _certificates(directory: Path) -> Certificates:
    files = Certificates(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    if files.ca_file.exists() and files.cert_file.exists() and files.key_file.exists():
        return files
    return make_certificates(directory)


if __name__ == "__main__":
    sys.exit(main())
