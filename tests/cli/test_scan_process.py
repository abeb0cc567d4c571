"""`lanyard scan` as a person runs it: the installed command, the real azure-identity, TLS."""

import asyncio
import json
import os
import sys
from pathlib import Path

from lanyard.cli.scan.as_json import SHAPE
from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import Addresses, serve
from tests.support.documented import undocumented
from tests.support.scanned import NAMES, fill_estate

LANYARD = Path(sys.executable).parent / "lanyard"


async def lanyard(addresses: Addresses, folder: Path, *arguments: str) -> tuple[int, str, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANYARD_ARM_ENDPOINT": addresses.arm,
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "LANYARD_GRAPH_ENDPOINT": addresses.graph,
        "LANYARD_GRAPH_AUDIENCE": "https://graph.microsoft.com",
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
        "IDENTITY_ENDPOINT": addresses.identity_endpoint,
        "IDENTITY_HEADER": addresses.operator.identity_header,
    }
    process = await asyncio.create_subprocess_exec(
        LANYARD,
        *arguments,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_an_estate_of_three_subscriptions_over_tls(tmp_path: Path) -> None:
    azure = Azure()
    fill_estate(azure)
    async with serve(azure, make_certificates(tmp_path / "tls")) as addresses:
        code, out, err = await lanyard(addresses, tmp_path, "scan", "--json", "--html", "page.html")
        assert (code, err) == (2, "")
        document = json.loads(out)
        assert {each["name"] for each in document["subscriptions"]} >= set(NAMES)
        assert list(undocumented(document, SHAPE)) == []
        assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")

        code, out, err = await lanyard(addresses, tmp_path, "scan")
        assert (code, err) == (2, "")
        assert all(name in out for name in NAMES)
        assert "\n22 orphaned role assignments\n" in out
        assert document["summary"]["orphans"] == 22

        azure.services.directory.revoke_permissions(addresses.operator.principal.object_id)
        code, out, err = await lanyard(addresses, tmp_path, "scan")
        assert (code, err) == (2, "")
        assert "Orphaned assignments: not determined" in out

        await asyncio.to_thread((tmp_path / "broken.yaml").write_text, "version: 2\n")
        code, out, err = await lanyard(addresses, tmp_path, "scan", "--policy", "broken.yaml")
        assert (code, out) == (1, "")
        assert "broken.yaml:1" in err
