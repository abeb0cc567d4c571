"""What Lanyard writes into the description of a role assignment: by it, it knows its own. Pure.

Managed by Lanyard, installation GUID          that installation made it
…, put back by undo                            a person had it put back: theirs
…, adopted MARK                                somebody else made it, and it was adopted
…, adopted MARK; before: "their description"   … and that is what they had written
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Self

from lanyard.values.grants import Described, Grant
from lanyard.values.resource_id import folded, is_guid, last_name

#: The longest description (UTF-16 code units) that is written. Azure documents no limit for role
#: assignments; that of custom roles is 2,048.
LONGEST = 1024
_BEGIN = "Managed by Lanyard, installation "
_PUT_BACK = ", put back by undo"
_MARK_LENGTH = 12
_STAMP = re.compile(
    rf"{_BEGIN}(?P<installation>[0-9a-f-]+)(?P<put_back>{_PUT_BACK})?"
    rf'(?:, adopted (?P<mark>[0-9a-f]{{{_MARK_LENGTH}}})(?:; before: "(?P<before>.*)")?)?',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Adoption:
    """Of an assignment that somebody else made. `mark`: see `mark_of`; `before`: the description
    that it had, None for none.
    """

    mark: str
    before: str | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the description says. `installation`: a GUID, lower case."""

    installation: str
    adoption: Adoption | None = None
    #: It is a person's, until they withdraw the undo.
    put_back: bool = False

    def __str__(self) -> str:
        text = f"{_BEGIN}{self.installation}{_PUT_BACK if self.put_back else ''}"
        if self.adoption is None:
            return text
        text += f", adopted {self.adoption.mark}"
        # Quoted, so that blanks at its end are within the text, whoever trims it.
        return text if self.adoption.before is None else f'{text}; before: "{self.adoption.before}"'

    @property
    def fits(self) -> bool:
        """Whether it can be written, and put back by an undo later."""
        longest = str(replace(self, put_back=True))
        return len(longest.encode("utf-16-le")) // 2 <= LONGEST

    @classmethod
    def of(cls, description: str) -> Self | None:
        """What a description is, to the letter; None for any other text."""
        found = _STAMP.fullmatch(description)
        if found is None or not is_guid(found["installation"]):
            return None
        mark = found["mark"]
        adoption = None if mark is None else Adoption(mark, found["before"])
        return cls(found["installation"], adoption, found["put_back"] is not None)


def stamp(installation: str) -> str:
    """In `description` of every assignment that an installation (GUID, lower case) makes: the proof
    that it may remove it.
    """
    return str(Stamp(installation))


def put_back_stamp(installation: str) -> str:
    """In `description` of what a person had put back: theirs until they withdraw it."""
    return str(Stamp(installation, put_back=True))


def adopted_stamp(installation: str, assignment: Described, before: str | None) -> Stamp:
    """In `description` of what somebody else made, and a person had adopted; `before`: what they
    had written there, None for nothing.
    """
    return Stamp(installation, Adoption(mark_of(assignment, before), before))


def mark_of(assignment: Described, before: str | None) -> str:
    """Ties the stamp of an adopted assignment to its own name and content, and to the description
    that it had `before`: a description is copied easily, and what it is copied to was not adopted;
    and what its owner writes into it since is not what it had.
    """
    scope, role_id, principal_id = assignment.content
    name = folded(last_name(assignment.id))
    meant = json.dumps((name, scope, role_id, folded(principal_id), before))
    return hashlib.sha256(meant.encode()).hexdigest()[:_MARK_LENGTH]


def is_stamped(description: str) -> bool:
    """Whether any installation of Lanyard made or adopted the assignment with this description, or
    somebody had one of its assignments put back. Whose it is says `is_made_by`.
    """
    return description.startswith(_BEGIN)


def is_made_by(installation: str, assignment: Described) -> bool:
    """Whether the assignment is an installation's (GUID, lower case): exactly its stamp, and the
    name that its content has, or the one that it was adopted under. One whose stamp somebody
    changed is theirs.
    """
    found = Stamp.of(assignment.description)
    if not installation or found is None or found.installation != installation or found.put_back:
        return False
    if found.adoption is not None:
        return found.adoption.mark == mark_of(assignment, found.adoption.before)
    return folded(assignment.id) == folded(Grant(*assignment.content).assignment_id)


def is_of_any(assignment: Described) -> bool:
    """The same of any installation."""
    found = Stamp.of(assignment.description)
    return found is not None and is_made_by(found.installation, assignment)
