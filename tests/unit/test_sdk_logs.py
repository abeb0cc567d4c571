"""What the SDKs say of themselves at work stays out of the app's log."""

import logging
from collections.abc import Iterator

import pytest

from lanyard.azure.connection import connect
from lanyard.settings import read_settings

CHATTY = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.identity.aio._credentials.managed_identity",
    "azure.monitor.opentelemetry.exporter.export._base",
)
ENVIRONMENT = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "x",
}


@pytest.fixture
def as_the_worker_sets_it() -> Iterator[None]:
    """The Functions worker hands over whatever any logger says at Information."""
    parts = ["", "azure.core", "azure.identity", "azure.monitor"]
    loggers = [logging.getLogger(name) for name in parts]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.mark.usefixtures("as_the_worker_sets_it")
async def test_requests_and_tokens_are_not_told_but_warnings_are() -> None:
    assert logging.getLogger(CHATTY[0]).isEnabledFor(logging.INFO)
    connect(read_settings(ENVIRONMENT))
    for name in CHATTY:
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
