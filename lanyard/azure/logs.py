"""What the SDKs log of themselves, kept out of the app's log."""

import logging

# Each logs every request and every token at Information, which the Functions worker sends to
# Application Insights: lines that cost, and among which the decisions would be hard to find.
_CHATTY = ("azure.core", "azure.identity", "azure.monitor")


def quiet_sdks() -> None:
    """From now on they log warnings and worse."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
