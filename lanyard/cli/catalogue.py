"""The commands by name. What the help of all shows of them is here, so that it imports none of
them; a command is imported when it is asked for.
"""

from dataclasses import dataclass
from importlib import import_module

from lanyard.cli.frame.options import Command


@dataclass(frozen=True, slots=True)
class Listed:
    """A command of `lanyard`: its name, and its line in the help of all.

    `place`: the name of its `Command`, and the module below `lanyard.cli` that has it.
    """

    name: str
    title: str
    place: str

    def command(self) -> Command:
        """The command itself; its module is imported, where it was not before."""
        module, _, attribute = self.place.partition(":")
        command = getattr(import_module(f"lanyard.cli.{module}"), attribute)
        assert isinstance(command, Command), self.place
        return command


@dataclass(frozen=True, slots=True)
class Group:
    """Commands for one thing that a person wants to do."""

    title: str
    commands: tuple[Listed, ...]


#: In the order of the help.
GROUPS = (
    Group(
        "See what there is",
        (
            Listed("scan", "the estate at a glance; nothing deployed", "scan.command:COMMAND"),
            Listed("access", "who has access to this", "access.command:COMMAND"),
        ),
    ),
    Group(
        "Write a policy, and try it",
        (
            Listed("init", "write a first policy", "init:COMMAND"),
            Listed("validate", "check policy files", "validate:COMMAND"),
            Listed("test", "test a policy, offline", "policy_test.command:COMMAND"),
            Listed("plan", "show what would be done, and change nothing", "plan.command:COMMAND"),
            Listed("diff", "what a change of the policy gives and takes", "diff.command:COMMAND"),
            Listed("schema", "the JSON Schema of the policy file, for editors", "schema:COMMAND"),
        ),
    ),
    Group(
        "Set it up, and take it out",
        (
            Listed("rights", "what the app's own identity must be allowed", "rights:COMMAND"),
            Listed("onboard", "watch subscriptions", "onboarding.onboard:ONBOARD"),
            Listed("offboard", "watch them no more", "onboarding.onboard:OFFBOARD"),
            Listed("uninstall", "take Lanyard out", "onboarding.uninstall:COMMAND"),
        ),
    ),
    Group(
        "See what a deployed app does",
        (
            Listed("status", "how a deployed app is doing", "status:COMMAND"),
            Listed("doctor", "is a deployed app well", "doctor:COMMAND"),
            Listed("history", "what was decided, and why", "history:COMMAND"),
            Listed("report", "a month: given, held, taken away", "report.command:COMMAND"),
            Listed("explain", "why something has access", "explain.command:COMMAND"),
            Listed("held", "what is not done, and why", "held:HELD"),
        ),
    ),
    Group(
        "Decide what it does",
        (
            Listed("release", "let something be done that is held", "held:RELEASE"),
            Listed("dismiss", "leave something undone that is held", "held:DISMISS"),
            Listed("pause", "stop removals, or everything", "pause:PAUSE"),
            Listed("resume", "go on after a pause", "pause:RESUME"),
            Listed("undo", "put back what was removed", "undo:COMMAND"),
            Listed("adopt", "take over what stands already", "adopt.command:COMMAND"),
        ),
    ),
    Group(
        "Have it work now",
        (
            Listed("apply", "have resources looked at now", "apply:COMMAND"),
            Listed("sweep", "look over the whole estate now", "sweep:COMMAND"),
            Listed("replay", "have what was given up done again", "replay:COMMAND"),
        ),
    ),
)
COMMANDS = tuple(each for group in GROUPS for each in group.commands)
