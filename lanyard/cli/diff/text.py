"""A difference for people: the sum, privileged changes, what is lost, what is gained, what is held,
and how the roll-out goes.
"""

from lanyard.cli.diff.groups import Json, headline, lines, rollout, source
from lanyard.cli.frame.lines import show_line
from lanyard.cli.frame.terminal import Terminal


def show(document: Json, terminal: Terminal, *, full: bool) -> None:
    """All of it. `full`: every resource by its whole id."""
    summary = document["summary"]
    loses = summary["lose"] or summary["identitiesLose"] or summary["deleted"]
    style = "red" if loses else "yellow" if summary["gain"] or summary["held"] else "green"
    old, new = document["old"]["name"], document["new"]["name"]
    terminal.show((f"diff {old} → {new}: {headline(document)}", style))
    for line in lines(document):
        show_line(line, terminal, full=full)
    for sentence in rollout(document):
        terminal.show((f"roll-out: {sentence}", "yellow"))
    terminal.show((source(document), "dim"))
