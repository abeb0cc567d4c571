"""What marks an identity that was made for one resource alone.

The tags stay with the identity: they say whose it is where the tables are lost.
"""

from lanyard.values.resource_id import ResourceId

#: The id of the resource that it was made for, as ARM writes it.
RESOURCE_TAG = "lanyard-resource"
# Of a tag's value, in characters (Azure Resource Manager limits).
_LONGEST_TAG = 256


def creation_tags(owner: ResourceId | None) -> dict[str, str]:
    """The tags of an identity that Lanyard makes; `owner`: the one resource that it is for, if it
    is for one. An id that is too long for a tag is left off.
    """
    tags = {"createdBy": "lanyard"}
    if owner is not None and len(owner.text) <= _LONGEST_TAG:
        tags[RESOURCE_TAG] = owner.text
    return tags
