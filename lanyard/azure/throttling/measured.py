"""Every call to Azure as a span and in the metrics."""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from lanyard.telemetry import calling


class Measured(AsyncHTTPPolicy[Any, Any]):
    """A policy of the SDKs' pipeline, after the one that waits: what it measures was really sent.

    `service` is "arm" or "graph".
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it and record the status of the answer."""
        asked = request.http_request
        with calling(self._service, asked.method, asked.url.partition("?")[0]) as answered:
            response = await self.next.send(request)
            answered(response.http_response.status_code)
        return response
