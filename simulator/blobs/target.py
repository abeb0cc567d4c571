"""What one request to the blob service is about."""

from dataclasses import dataclass

from starlette.requests import Request

from simulator.state import Resource


@dataclass(frozen=True)
class Target:
    """What a request is about. Names of container and blob are "" where it names none."""

    account: Resource
    container: str
    blob: str
    request: Request
    content: bytes

    @property
    def scope(self) -> str:
        """Where rights are checked: the container's scope, or the account's."""
        if not self.container:
            return self.account.id
        return f"{self.account.id}/blobServices/default/containers/{self.container}"
