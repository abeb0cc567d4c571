"""The `lanyard` command: what a person or a pipeline asks of policies, of Azure and of an app."""

from lanyard.cli.command import main

__all__ = ["main"]
