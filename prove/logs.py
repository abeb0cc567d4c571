"""What came of the app's log lines to its workspace, asked as its alerts ask (infra/modules/
alerts.bicep). Source of the query's address: Microsoft's page "Azure Monitor Logs API, request
format".
"""

import json
from typing import Any

from lanyard.azure.arm.answers import Json
from lanyard.values.resource_id import ResourceId
from prove.proof import GROUPS, Proof
from prove.questions import HOST_LOGS, NOTHING_HEARD

_API = "https://api.loganalytics.io"
_WORKSPACES = "2023-09-01"
_HEARD = 'AppTraces | where Message startswith "event " | summarize heard = count()'
# As the alert's, over a time that nothing can be of.
NOTHING = (
    'AppTraces | where TimeGenerated > now(1d) | where Message startswith "event " '
    "| summarize heard = count() | where heard == 0"
)


async def ask(proof: Proof) -> None:
    """Wait until the app's lines are there (minutes after they were written), and ask."""
    group = ResourceId.parse(proof.journal.values["app"]["LANYARD_APP_ID"]).resource_group_id
    listed = await proof.resources.every(f"{group}/resources", GROUPS)
    workspaces = [each for each in listed if str(each["type"]).lower().endswith("/workspaces")]
    workspace = await proof.resources.read(str(workspaces[0]["id"]), _WORKSPACES) or {}
    seconds = await proof.until(
        "the app's lines are in the workspace", lambda: _heard(proof, workspace)
    )
    proof.answer(HOST_LOGS, f"yes, {seconds:.0f} s after they were looked for")
    rows = await _rows(proof, workspace, NOTHING)
    proof.answer(NOTHING_HEARD, "yes" if rows else "no: the alert never fires")


async def _heard(proof: Proof, workspace: Json) -> bool:
    rows = await _rows(proof, workspace, _HEARD)
    return bool(rows and rows[0][0])


async def _rows(proof: Proof, workspace: Json, query: str) -> list[list[Any]]:
    url = f"{_API}/v1/workspaces/{workspace['properties']['customerId']}/query"
    body = json.dumps({"query": query})
    printed = await proof.az(
        *("rest", "--method", "post", "--url", url, "--resource", _API, "--body", body)
    )
    rows: list[list[Any]] = json.loads(printed)["tables"][0]["rows"]
    return rows
