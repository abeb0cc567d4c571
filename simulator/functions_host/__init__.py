"""A local Azure Functions host: it runs one app a process by Microsoft's own worker library.

    python -m simulator.functions_host --script-root DIR [--port N] [--keys FILE]

It serves what the app declares and host.json says: the Event Grid webhook, storage queue triggers
and outputs, timers, HTTP and the admin API. Connections are identity-based only.
"""
