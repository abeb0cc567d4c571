"""Azurite as a child: real storage, bearer tokens only, gone when its parent is."""

import asyncio
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from simulator.azurite import Azurite, AzuriteError
from simulator.certificates import Certificates, make_certificates
from tests.support.azurite.queues import Queue, open_queues, until
from tests.support.azurite.token_endpoint import mint_token

REPOSITORY = Path(__file__).parents[3]


STORAGE = "https://storage.azure.com"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "certificates")


async def test_serves_blobs_queues_and_tables_to_bearers_of_a_token_over_tls(
    certificates: Certificates,
) -> None:
    async with Azurite(certificates) as azurite, _client(certificates) as client:
        for address in _lists(azurite):
            answer = await client.get(address, headers=_bearer(mint_token(STORAGE, "someone")))
            assert answer.status_code == 200, answer.text


async def test_refuses_tokens_that_are_expired_or_for_another_resource(
    certificates: Certificates,
) -> None:
    expired = mint_token(STORAGE, "someone", lifetime=-60)
    foreign = mint_token("https://vault.azure.net", "someone")
    async with Azurite(certificates) as azurite, _client(certificates) as client:
        for address in _lists(azurite):
            for token in (expired, foreign):
                answer = await client.get(address, headers=_bearer(token))
                assert answer.status_code in (401, 403), answer.text


def _lists(azurite: Azurite) -> list[str]:
    listed = [f"{url}?comp=list" for url in (azurite.blob_url, azurite.queue_url)]
    return [*listed, f"{azurite.table_url}/Tables"]


def _bearer(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "x-ms-version": "2025-01-05",
        "Accept": "application/json",
    }


def _client(certificates: Certificates) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=certificates.ca_file)
    return httpx.AsyncClient(verify=context)


async def test_keeps_what_it_stores_in_a_location(
    certificates: Certificates, tmp_path: Path
) -> None:
    location = tmp_path / "storage"
    async with (
        Azurite(certificates, location=location) as azurite,
        open_queues(azurite.queue_url, certificates.ca_file) as service,
    ):
        await service.create_queue("work")
        await Queue(service, "work").send_raw("kept")
    async with (
        Azurite(certificates, location=location) as azurite,
        open_queues(azurite.queue_url, certificates.ca_file) as service,
    ):
        assert await Queue(service, "work").wait_for(lambda _: True) == "kept"


async def test_says_why_it_does_not_start(certificates: Certificates) -> None:
    certificates.key_file.write_text("no key")
    with pytest.raises(AzuriteError, match="ended, exit code 1"):
        await Azurite(certificates).start()


async def test_ends_with_a_parent_that_is_killed(certificates: Certificates) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from simulator.azurite import Azurite\n"
        "from simulator.certificates import Certificates\n"
        "async def main():\n"
        "    files = Certificates(*(Path(name) for name in sys.argv[1:]))\n"
        "    async with Azurite(files) as azurite:\n"
        "        print(azurite.queue_url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    files = (certificates.ca_file, certificates.cert_file, certificates.key_file)
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *map(str, files)), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    address = urlsplit((await parent.stdout.readline()).decode())
    assert listens(address.port)
    parent.kill()
    await parent.communicate()
    await until(lambda: not listens(address.port))


def listens(port: int | None) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
