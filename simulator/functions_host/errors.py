"""What stops the host from starting, and what ends it."""


class StartError(Exception):
    """The app, its settings or host.json cannot be served; the text tells what to change."""


class HostFailure(Exception):
    """The host ends, as the real one does; whoever started it starts it again."""
