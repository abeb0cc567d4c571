"""Which operation a path means, and ARM's answers when it means none."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from simulator.arm.messages import Operation
from simulator.errors import AzureError, gateway_error

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")


@dataclass(frozen=True)
class Match:
    """An operation, and what its template's names stand for in this path."""

    operation: Operation
    params: Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    """`word`: a segment (lower case) that every path has which fits, "" where none is sure."""

    pattern: re.Pattern[str]
    word: str
    operation: Operation


class Routes:
    """The operations of all services. Paths are matched without regard to case."""

    def __init__(self) -> None:
        self._routes: list[_Route] = []

    def add(self, operations: Iterable[Operation]) -> None:
        """Serve these too, ahead of those before; in a batch the earlier one wins."""
        self._routes[:0] = [_Route(*_compile(each.template), each) for each in operations]

    def operations(self) -> list[Operation]:
        """All that is served."""
        return [route.operation for route in self._routes]

    def match(self, method: str, path: str, api_version: str) -> Match:
        """The operation for a normalised path. Raises AzureError."""
        words = {"", *path.lower().split("/")}
        likely = self._routes
        # Regular expressions pair some letters beyond ASCII that `lower` does not.
        if path.isascii():
            likely = [route for route in self._routes if route.word in words]
        found = [(m, r.operation) for r in likely if (m := r.pattern.fullmatch(path))]
        for match, operation in found:
            if operation.method == method:
                _check_version(operation, path, api_version)
                return Match(operation, match.groupdict())
        if found:
            raise gateway_error(
                405,
                "MethodNotAllowed",
                f"The requested resource does not support http method '{method}'.",
            )
        raise self._unknown(path, api_version)

    def _unknown(self, path: str, api_version: str) -> AzureError:
        parts = re.split("/providers/", path, flags=re.IGNORECASE)
        if len(parts) == 1:
            return gateway_error(404, "NotFound", f"The resource path '{path}' is not known.")
        namespace, _, rest = parts[-1].partition("/")
        if not any(f"/providers/{namespace}/".lower() in t for t in self._templates()):
            return gateway_error(
                404,
                "InvalidResourceNamespace",
                f"The resource namespace '{namespace}' is invalid.",
            )
        return gateway_error(
            404,
            "InvalidResourceType",
            f"The resource type could not be found in the namespace '{namespace}' for api version "
            f"'{api_version}' (asked for '{rest}').",
        )

    def _templates(self) -> list[str]:
        return [route.operation.template.lower() for route in self._routes]


@cache
def _compile(template: str) -> tuple[re.Pattern[str], str]:
    """Its pattern and the last of its segments that is no name to fill in."""
    plain = [each.lower() for each in template.split("/") if "{" not in each]
    pattern = re.sub(r"/\{(\w+):path\}", r"(?P<\1>.*)", template.replace(".", r"\."))
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return re.compile(pattern, re.IGNORECASE), plain[-1] if plain else ""


def _check_version(operation: Operation, path: str, api_version: str) -> None:
    if _API_VERSION.fullmatch(api_version.lower()) is None:
        raise _invalid_version(api_version, operation.versions)
    if not operation.versions or api_version.lower() in operation.versions:
        return
    if "/providers/" not in path.lower():
        raise _invalid_version(api_version, operation.versions)
    kind = re.split("/providers/", path, flags=re.IGNORECASE)[-1].split("/")[1]
    raise gateway_error(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for API version '{api_version}' for type '{kind}'. "
        f"The supported api-versions are '{', '.join(operation.versions)}'.",
    )


def _invalid_version(api_version: str, versions: tuple[str, ...]) -> AzureError:
    return gateway_error(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{api_version}' is invalid. The supported versions are "
        f"'{','.join(versions)}'.",
    )
