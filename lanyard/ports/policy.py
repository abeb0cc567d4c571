"""A version of the policy as it is delivered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """A version of the policy's text, and its ETag."""

    text: str
    version: str
