"""Who gave a role assignment, as far as it shows that itself. Pure."""

from enum import StrEnum

from lanyard.values.grants import is_made_by, is_stamped, stamped_by
from lanyard.values.listed import ListedAssignment


class Giver(StrEnum):
    """Who gave it, as far as the assignment itself shows.

    `LANYARD`: the installation that is asked for, or any, where none is known; `ANOTHER`: another
    installation of Lanyard; `PUT_BACK`: Lanyard's once, and kept by a person since.
    """

    LANYARD = "lanyard"
    ANOTHER = "anotherLanyard"
    PUT_BACK = "putBack"
    OTHERS = "others"


def giver_of(assignment: ListedAssignment, installation: str) -> Giver:
    """Who gave it: by its stamp and its name."""
    maker = stamped_by(assignment.description)
    if maker and is_made_by(maker, assignment):
        return Giver.LANYARD if installation in ("", maker) else Giver.ANOTHER
    return Giver.PUT_BACK if is_stamped(assignment.description) and not maker else Giver.OTHERS
