"""Errors as Azure Resource Manager answers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class AzureError(Exception):
    """Becomes `{"error": {"code", "message"[, "details"], …}}` with `status` and `headers`; `more`
    are further members of the error.
    """

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Sequence[Mapping[str, object]] = ()
    more: Mapping[str, object] = field(default_factory=dict)
    #: The whole body, of a service that words its errors in a way of its own.
    whole: Mapping[str, object] | None = None

    def body(self) -> dict[str, object]:
        """The JSON body of the answer."""
        if self.whole is not None:
            return dict(self.whole)
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        return {"error": {**error, **self.more}}


def gateway_error(status: int, code: str, message: str, **headers: str) -> AzureError:
    """An error of ARM itself rather than of a resource provider (`x-ms-failure-cause`)."""
    return AzureError(status, code, message, {"x-ms-failure-cause": "gateway", **headers})
