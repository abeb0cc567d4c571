"""What `lanyard adopt` found, and what became of it."""

from dataclasses import dataclass, field

from lanyard.cli.frame.names import counted
from lanyard.desk.adoption.candidates import Assigned, Attached, Candidate
from lanyard.record.rows import DamagedRow
from lanyard.values.grants import RoleAssignment
from lanyard.values.resource_id import ResourceId
from lanyard.values.stamps import Stamp


@dataclass(kw_only=True)
class Found:
    """What was found; `done` and `errors` by the keys of the items."""

    scope: ResourceId
    release: bool
    items: list[Candidate] = field(default_factory=list)
    #: What could not be looked at: the id of a resource or assignment, and why.
    unread: dict[str, str] = field(default_factory=dict)
    damaged: list[DamagedRow] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def due(self) -> list[Candidate]:
        """What may be adopted, or released."""
        return [item for item in self.items if not item.refused]

    @property
    def todo(self) -> bool:
        """Whether there is any."""
        return bool(self.due)

    @property
    def question(self) -> str:
        """What is to be confirmed."""
        verb = "release" if self.release else "make Lanyard's"
        return f"{verb} {counted(len(self.due), 'item')}"

    @property
    def failed(self) -> bool:
        """Whether something went wrong, or could not be looked at."""
        return bool(self.errors or self.unread or self.damaged)


def whose(what: Assigned | Attached) -> str:
    """Whose it is now, for people, as far as it shows: ARM shows nobody for an attachment."""
    return _of_assignment(what.assignment) if isinstance(what, Assigned) else ""


def _of_assignment(assignment: RoleAssignment) -> str:
    by_stamp = Stamp.of(assignment.description)
    if by_stamp is not None and by_stamp.adoption is not None:
        before = by_stamp.adoption.before
        return "Lanyard's; before: " + (f"'{before}'" if before is not None else "no description")
    if by_stamp is not None:
        return f"Lanyard's, installation {by_stamp.installation}"
    if assignment.description:
        return f"'{assignment.description}'"
    maker = assignment.text("createdBy")
    return f"made by {maker}" if maker else "not known"
