"""Which keys of a document its page names."""

from collections.abc import Iterator
from typing import Any

# Their keys are data: subscriptions, states.
FREE = {"nearLimit", "grants"}


def undocumented(document: Any, shape: Any, path: str = "") -> Iterator[str]:
    """The paths of a document that neither the shape nor the meaning of their parent names."""
    if isinstance(document, list):
        for each in document:
            yield from undocumented(each, shape, f"{path}[]")
        return
    if not isinstance(document, dict) or path in FREE:
        return
    for key, value in document.items():
        below = f"{path}.{key}".lstrip(".")
        known = below in shape or f"{below}[]" in shape or f"`{key}`" in shape.get(path, "")
        if not known:
            yield below
        elif below in shape or f"{below}[]" in shape:
            yield from undocumented(value, shape, below)
