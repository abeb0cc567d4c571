"""How a scan names places and puts assignments in order, on the page and at the terminal."""

from collections.abc import Iterable
from typing import Any

from lanyard.cli.frame.names import short
from lanyard.desk.scan.report import Level, subscription_id_of

type Json = dict[str, Any]

_LEVELS = tuple(Level)


class Places:
    """Names of scopes and resources, with the display names of their subscriptions."""

    def __init__(self, document: Json) -> None:
        self._names = {each["id"]: each["name"] for each in document["subscriptions"]}

    def subscription(self, resource_id: str) -> str:
        """The name of the subscription that something is in, or its id; "" above subscriptions."""
        one = subscription_id_of(resource_id)
        return self._names.get(one) or one

    def within(self, resource_id: str) -> str:
        """What it is called there: `rg-shop/virtualMachines/vm1`; a subscription's own name."""
        if len(resource_id.strip("/").split("/")) == 2 and self.subscription(resource_id):
            return self.subscription(resource_id)
        return short(resource_id)

    def full(self, resource_id: str) -> str:
        """Both, as one text."""
        subscription, name = self.subscription(resource_id), self.within(resource_id)
        return name if name == subscription or not subscription else f"{subscription}/{name}"


def most_important_first(rows: Iterable[Json]) -> list[Json]:
    """Role assignments: the privileged ones, the widest of these first; then by age."""
    return sorted(rows, key=_importance)


def _importance(row: Json) -> tuple[int, int]:
    level = _LEVELS.index(row["level"]) if row["privileged"] else len(_LEVELS)
    return level, -(row["ageDays"] or 0)
