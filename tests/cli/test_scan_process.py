"""`lanyard scan` as a person runs it: the installed command, the real azure-identity, TLS."""

import asyncio
import json
from pathlib import Path

from lanyard.cli.scan.as_json import SHAPE
from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import serve
from tests.support.documented import undocumented
from tests.support.installed_command import lanyard_of
from tests.support.scanned import NAMES, fill_estate


async def test_an_estate_of_three_subscriptions_over_tls(tmp_path: Path) -> None:
    azure = Azure()
    fill_estate(azure)
    async with serve(azure, make_certificates(tmp_path / "tls")) as addresses:
        code, out, err = await lanyard_of(
            addresses, tmp_path, "scan", "--json", "--html", "page.html"
        )
        assert (code, err) == (2, "")
        document = json.loads(out)
        assert {each["name"] for each in document["subscriptions"]} >= set(NAMES)
        assert list(undocumented(document, SHAPE)) == []
        assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")

        code, out, err = await lanyard_of(addresses, tmp_path, "scan")
        assert (code, err) == (2, "")
        assert all(name in out for name in NAMES)
        assert "\n22 orphaned role assignments\n" in out
        assert document["summary"]["orphans"] == 22

        azure.services.directory.revoke_permissions(addresses.operator.principal.object_id)
        code, out, err = await lanyard_of(addresses, tmp_path, "scan")
        assert (code, err) == (2, "")
        assert "Orphaned assignments: not determined" in out

        await asyncio.to_thread((tmp_path / "broken.yaml").write_text, "version: 2\n")
        code, out, err = await lanyard_of(addresses, tmp_path, "scan", "--policy", "broken.yaml")
        assert (code, out) == (1, "")
        assert "broken.yaml:1" in err
