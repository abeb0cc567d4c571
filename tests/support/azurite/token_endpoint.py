"""A token endpoint as App Service has it: any identity gets a token for any resource.

For tests of the storage and the host alone; it runs in a thread, so any event loop may wait on it.
"""

import json
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt

TENANT = str(uuid.UUID(int=1))
_SIGNING_KEY = secrets.token_bytes(32)  # Azurite does not check signatures


def mint_token(resource: str, client_id: str, *, lifetime: int = 3600) -> str:
    """A token of the shape that Azurite checks. `lifetime` in seconds; negative: expired."""
    now = int(time.time())
    claims = {
        "iss": f"https://sts.windows.net/{TENANT}/",
        "aud": resource,
        "oid": str(uuid.uuid5(uuid.NAMESPACE_OID, client_id)),
        "appid": client_id,
        "tid": TENANT,
        "nbf": now - 3600,
        "iat": now - 3600,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, _SIGNING_KEY, algorithm="HS256")


@dataclass(frozen=True)
class TokenEndpoint:
    """`environment` makes azure-identity use it; `client_ids` lists who asked, in order."""

    url: str
    header: str
    client_ids: list[str]

    @property
    def environment(self) -> dict[str, str]:
        return {"IDENTITY_ENDPOINT": self.url, "IDENTITY_HEADER": self.header}


@contextmanager
def serve_tokens() -> Iterator[TokenEndpoint]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    url = f"http://127.0.0.1:{server.server_port}/msi/token"
    endpoint = TokenEndpoint(url, secrets.token_hex(16), [])
    server.RequestHandlerClass = _handler(endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(endpoint: TokenEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {
                name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()
            }
            known = self.headers.get("X-IDENTITY-HEADER") == endpoint.header
            if not known or query.get("api-version") != "2019-08-01":
                self._answer(400, {"error": "invalid_request"})
                return
            client_id = query.get("client_id", "system-assigned")
            endpoint.client_ids.append(client_id)
            self._answer(200, _token_answer(query["resource"], client_id))

        def _answer(self, status: int, content: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _token_answer(resource: str, client_id: str) -> dict[str, str]:
    return {
        "access_token": mint_token(resource, client_id),
        "expires_on": str(int(time.time()) + 3600),
        "resource": resource,
        "token_type": "Bearer",
    }
