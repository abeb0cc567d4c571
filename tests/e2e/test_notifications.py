"""The publisher as the deployed app has it: its own identity's token, over TLS, to a topic."""

import asyncio
import os
import sys
from pathlib import Path

from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import Addresses, serve
from simulator.state import Principal, Resource

PROJECT = Path(__file__).parents[2]
# In a process of its own: aiohttp reads which authorities to trust when it is imported.
PUBLISH = """
import asyncio
from datetime import UTC, datetime
from lanyard.azure.connection import connect
from lanyard.notices.model import Cause, Identity, IdentityAttached, Notice
from lanyard.settings import read_settings

data = IdentityAttached(
    decision_id="2026-11-02T1", action="attach identity id-app", rules=("r",), reason="",
    policy="1", cause=Cause(source="event", event_id="e", event_type="t", correlation_id="c"),
    identity=Identity(id="/i", principal_id="p"),
)
notifications = connect(read_settings()).notifications
asyncio.run(notifications.publish([Notice("/vm1", datetime(2026, 11, 2, tzinfo=UTC), data)]))
print(notifications.lost)
"""


async def publish(addresses: Addresses, app: Principal, header: str) -> str:
    """What the process prints: how many notices were lost."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PUBLISH),
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "AZURE_CLIENT_ID": app.client_id,
            "LANYARD_PRINCIPAL_ID": app.object_id,
            "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
            "AzureWebJobsStorage__accountName": "unused",
            "LANYARD_NOTICES_ENDPOINT": f"{addresses.arm}/eventgrid/news.westeurope-1/api/events",
            "IDENTITY_ENDPOINT": addresses.identity_endpoint,
            "IDENTITY_HEADER": header,
            "SSL_CERT_FILE": str(addresses.certificates.ca_file),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return out.decode().strip()


async def test_the_app_publishes_with_its_own_identity(tmp_path: Path) -> None:
    azure = Azure(seed=5)
    subscription = azure.state.add_subscription("one").id
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    topic = f"{group}/providers/Microsoft.EventGrid/topics/news"
    schema = {"inputSchema": "CloudEventSchemaV1_0"}
    azure.state.resources[topic.lower()] = Resource(
        topic, "Microsoft.EventGrid/topics", "news", "westeurope", {}, schema
    )
    app = azure.state.add_principal("app")
    azure.assign(app.object_id, "EventGrid Data Sender", topic)
    header = azure.services.identity_endpoints.header_for_principal(app)
    async with serve(azure, make_certificates(tmp_path)) as addresses:
        assert await publish(addresses, app, header) == "0"
    (received,) = azure.services.custom_topics.received
    assert (received.event["subject"], received.event["id"]) == ("/vm1", "2026-11-02T1")
