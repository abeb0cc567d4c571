"""What stops the host from starting."""


class StartError(Exception):
    """The app, its settings or host.json cannot be served; the text tells what to change."""
