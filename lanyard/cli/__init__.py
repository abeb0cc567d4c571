"""The `lanyard` command: what a person or a pipeline asks of a policy, without the deployed app."""

from lanyard.cli.command import main

__all__ = ["main"]
