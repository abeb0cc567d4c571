"""`If-Match` and `If-None-Match`."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.tracked import errors


@dataclass(frozen=True)
class Conditions:
    """The two headers of a request, None where absent."""

    if_match: str | None = None
    if_none_match: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Conditions":
        """From headers with lower-case names."""
        return cls(headers.get("if-match"), headers.get("if-none-match"))

    def check(self, current: str | None) -> None:
        """`current`: the ETag, None where the resource is not there. Raises AzureError 412."""
        wanted, unwanted = self.if_match, self.if_none_match
        if wanted is not None and (current is None or wanted not in ("*", current)):
            raise errors.etag_mismatch(wanted, current)
        if current is not None and unwanted in ("*", current):
            raise errors.exists_already(unwanted or "", current)


UNCONDITIONAL = Conditions()
