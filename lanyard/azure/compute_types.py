"""The compute types that Lanyard gives identities to: adding a type is adding a row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ComputeType:
    """How ARM treats the identity of one resource type.

    `api_version` is what reads and writes use. `has_etag`: whether If-Match is honoured on PATCH.
    """

    name: str
    api_version: str
    has_etag: bool


_ROWS = (ComputeType("Microsoft.Compute/virtualMachines", "2024-11-01", has_etag=True),)

COMPUTE_TYPES = {row.name.lower(): row for row in _ROWS}


def compute_type(name: str) -> ComputeType | None:
    """The row of a type in any case, or None where it is not one that Lanyard attaches to."""
    return COMPUTE_TYPES.get(name.lower())
