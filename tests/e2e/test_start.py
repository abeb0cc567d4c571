"""What stops the start."""

from pathlib import Path

import pytest

from demo.hosts import PROJECT
from simulator.functions_host.process import HostProcess, HostStartError

SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "nowhere",
}


async def start_error(directory: Path, **settings: str) -> str:
    host = HostProcess(PROJECT, SETTINGS | settings, directory)
    with pytest.raises(HostStartError) as caught:
        await host.start()
    return str(caught.value)


async def test_with_a_missing_setting_there_is_nothing_to_serve(tmp_path: Path) -> None:
    said = await start_error(tmp_path, LANYARD_PRINCIPAL_ID="")
    assert "Exceeded language worker restart retry count" in said
