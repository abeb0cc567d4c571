"""What cannot be reached is known at once, and with what stands in the way."""

import socket
import ssl
from typing import Any

import aiohttp
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from lanyard.azure.arm.failures import translate
from lanyard.azure.arm.transport import Transport
from lanyard.desk.azure.app_storage import StorageAddress, deployed
from lanyard.desk.azure.connection import reading_over
from lanyard.desk.scan.reading import patiently
from lanyard.values.clouds import Endpoint
from lanyard.values.errors import LanyardError, Temporary, Unreachable


class Anybody:
    """A credential whose token nobody sees."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("token", 9_999_999_999)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aexit__(self, *_exception: object) -> None:
        """Nothing is open."""


class Impatient(Transport):
    """Whoever waits fails."""

    async def sleep(self, duration: float) -> None:
        raise AssertionError(f"waited {duration} s")


@pytest.fixture
def closed() -> str:
    """The address of a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{free.getsockname()[1]}"


async def never(_seconds: float) -> None:
    raise AssertionError("waited")


async def test_an_azure_that_refuses_the_connection_is_known_without_waiting(closed: str) -> None:
    arm = Endpoint(closed, "https://management.azure.com")
    async with reading_over(Anybody(), arm, arm, Impatient()) as reading:  # type: ignore[arg-type]
        index = reading.ports("").index
        with pytest.raises(Unreachable, match="Cannot connect to host 127"):
            await patiently(index.subscriptions, never)


async def test_a_storage_account_that_refuses_the_connection_is_known_without_waiting(
    closed: str,
) -> None:
    address = StorageAddress("stlanyard", closed, closed, closed)
    with pytest.raises(LanyardError, match="storage account stlanyard cannot be reached"):
        async with deployed(Anybody(), address, Impatient()):  # type: ignore[arg-type]
            pass


async def test_what_fails_for_now_is_still_tried_again() -> None:
    calls: list[float] = []

    async def call() -> str:
        if not calls:
            raise Temporary("busy", 5)
        return "answer"

    async def sleep(seconds: float) -> None:
        calls.append(seconds)

    assert (await patiently(call, sleep), calls) == ("answer", [5])


KEY = aiohttp.client_reqrep.ConnectionKey("host", 443, True, True, None, None, None, None)
UNTRUSTED = aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("unknown CA"))
NO_PROXY = aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused"))
REFUSED = aiohttp.ClientHttpProxyError(None, (), status=407, message="log in")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (ServiceRequestError("x", error=UNTRUSTED), "name a file with its CA in SSL_CERT_FILE"),
        (ServiceRequestError("x", error=NO_PROXY), "HTTPS_PROXY names cannot be reached"),
        (ServiceResponseError("x", error=REFUSED), "HTTPS_PROXY names refuses it (407)"),
    ],
    ids=["a certificate of a proxy", "a proxy that is away", "a proxy that refuses"],
)
def test_a_proxy_and_its_certificate_are_named(error: ServiceRequestError, named: str) -> None:
    assert named in str(translate("read it", error))


def test_what_is_down_itself_has_no_advice() -> None:
    down = ServiceRequestError("down", error=aiohttp.ClientConnectorError(KEY, OSError(111, "no")))
    assert str(translate("read it", down)) == "read it: down"
