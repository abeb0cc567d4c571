"""Who gave a role assignment, as far as it shows that itself. Pure."""

from enum import StrEnum

from lanyard.values.listed import ListedAssignment
from lanyard.values.stamps import Stamp, is_made_by, is_stamped


class Giver(StrEnum):
    """Who gave it, as far as the assignment itself shows.

    `LANYARD`: the installation that is asked for, or any, where none is known: it made or adopted
    it; `ANOTHER`: another installation of Lanyard; `PUT_BACK`: Lanyard's once, and kept by a person
    since.
    """

    LANYARD = "lanyard"
    ANOTHER = "anotherLanyard"
    PUT_BACK = "putBack"
    OTHERS = "others"


def giver_of(assignment: ListedAssignment, installation: str) -> Giver:
    """Who gave it: by its stamp and its name."""
    stamp = Stamp.of(assignment.description)
    if stamp is not None and is_made_by(stamp.installation, assignment):
        return Giver.LANYARD if installation in ("", stamp.installation) else Giver.ANOTHER
    kept = is_stamped(assignment.description) and (stamp is None or stamp.put_back)
    return Giver.PUT_BACK if kept else Giver.OTHERS
