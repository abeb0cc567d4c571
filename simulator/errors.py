"""Errors as Azure Resource Manager answers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class AzureError(Exception):
    """Becomes `{"error": {"code", "message"}}` with `status` and `headers`."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}
