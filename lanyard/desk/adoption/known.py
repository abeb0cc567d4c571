"""Which assignments of this installation were adopted: by the record where they have another name
than their grants, by the listing, and by ARM where that may be late. Nothing is changed.
"""

from collections.abc import Iterable, Iterator

from lanyard.values.grants import Described, Standing
from lanyard.values.resource_id import folded
from lanyard.values.stamps import Stamp


def says_adopted(assignment: Described) -> bool:
    """Whether the description says so; whose it is `is_ours` says."""
    by_stamp = Stamp.of(assignment.description)
    return by_stamp is not None and by_stamp.adoption is not None


def to_be_read(standing: Iterable[Standing], stamped: Iterable[Described]) -> Iterator[Standing]:
    """Ours under the name of its grant, and not among what is listed with our stamp: it may have
    been adopted under that name a moment ago (an earlier installation made it), or made.
    """
    shown = {folded(each.id) for each in stamped}
    for each in standing:
        if each.ours and not each.adopted and folded(each.assignment_id) not in shown:
            yield each
