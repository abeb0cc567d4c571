"""Principals that stand for those of identities which nobody made yet. Pure."""

import uuid

from lanyard.values.resource_id import folded

_NAME_SPACE = uuid.UUID("c2f5a0a6-6e0b-5c0e-8b7e-0f4d2a9b1c33")


def stand_in(what: str) -> str:
    """A principal (object id) for what has none: an id of a resource or an identity, in any case.
    The same one each time.
    """
    return str(uuid.uuid5(_NAME_SPACE, folded(what)))
