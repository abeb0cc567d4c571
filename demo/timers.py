"""Functions that the clock starts, started by the Functions host's admin API."""

import httpx

from simulator.clock import Clock
from simulator.functions_host.process import HostProcess


async def run_now(host: HostProcess, name: str, clock: Clock) -> bool:
    """Run a function to its end; whether that went well."""

    def runs(how: str) -> int:
        log = host.log_file.read_text(errors="replace")
        return log.count(f"Executed 'Functions.{name}' {how}")

    ended, succeeded = runs("("), runs("(Succeeded")
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{host.url}/admin/functions/{name}",
            json={},
            headers={"x-functions-key": host.keys["master"]},
        )
        answer.raise_for_status()
    while runs("(") == ended:
        await clock.sleep_until(clock.now() + 0.1)
    return runs("(Succeeded") > succeeded
