"""Moves of resources from one group into another, as `moveResources` does them (recorded: azure-cli
test_resource_move.yaml): accepted with 202, done with 204.

A resource keeps all but its id: what names it, its system-assigned principal and the identities
that are attached to it. Role assignments on it stay at the old id. Both groups refuse every write
meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulator.errors import AzureError, gateway_error
from simulator.identity import UAMI_TYPE
from simulator.operations import LongRunning, Operations
from simulator.resource_ids import group_id, parse
from simulator.resources import group_being_moved, group_not_found, require
from simulator.state import Json, Resource, State


@dataclass(frozen=True)
class Moves:
    """Those of all subscriptions. `started`: the ids of their operations."""

    state: State
    operations: Operations
    started: set[str] = field(default_factory=set)

    def start(
        self, source: str, body: Json, ended: Callable[[list[tuple[str, str]]], None]
    ) -> LongRunning:
        """Begin a move out of the group with the id `source`. `ended` is given the old and new id
        of each resource. Raises AzureError 400, 404 or 409; nothing has changed then.
        """
        wanted, target = _wanted(body)
        resources = [self._movable(each, source) for each in wanted]
        if self.state.resources.get(target.lower()) is None:
            raise group_not_found(target.rpartition("/")[2])
        moves = [(each.id, _new_id(each, target)) for each in resources]
        if taken := next((new for _, new in moves if new.lower() in self.state.resources), None):
            raise _refused(409, "ResourceAlreadyExists", f"The resource '{taken}' exists already.")
        groups = {source.lower(), target.lower()}
        if groups & self.state.moving_groups:
            raise group_being_moved(source.rpartition("/")[2])
        self.state.moving_groups |= groups
        seconds = self.state.behaviour.operation_seconds
        work = self.operations.start(seconds, lambda: self._finish(groups, moves, ended))
        self.started.add(work.id)
        return work

    def _movable(self, resource_id: str, source: str) -> Resource:
        if not resource_id.lower().startswith(f"{source.lower()}/"):
            raise _refused(400, "ResourcesNotInSameResourceGroup", f"'{resource_id}' is elsewhere.")
        found = require(self.state, resource_id)
        if found.type.lower() == UAMI_TYPE or "/" in _name(found):
            raise _refused(
                400,
                "ResourceMoveNotSupported",
                f"Resource move is not supported for resource types '{found.type}'.",
            )
        if found.provisioning_state != "Succeeded":
            raise _refused(
                409,
                "MoveCannotProceedWithResourcesNotInSucceededState",
                f"The resource '{found.id}' is in state '{found.provisioning_state}'.",
            )
        return found

    def _finish(
        self,
        groups: set[str],
        moves: list[tuple[str, str]],
        ended: Callable[[list[tuple[str, str]]], None],
    ) -> None:
        self.state.moving_groups -= groups
        for old, new in moves:
            self._move(old, new)
        ended(moves)

    def _move(self, old: str, new: str) -> None:
        """The resource, and what is below it, under other ids."""
        resources = self.state.resources
        for key in [each for each in resources if f"{each}/".startswith(f"{old.lower()}/")]:
            resource = resources[key]
            there = new + resource.id[len(old) :]
            del resources[key]
            resources[there.lower()] = replace(resource, id=there, etag=resource.etag + 1)


def _wanted(body: Json) -> tuple[list[str], str]:
    resources, target = body.get("resources"), body.get("targetResourceGroup")
    if not isinstance(target, str) or not isinstance(resources, list) or not resources:
        raise _refused(400, "InvalidMoveResourcesRequest", "Resources and a target are needed.")
    return [str(each) for each in resources], "/" + target.strip("/")


def _new_id(resource: Resource, target: str) -> str:
    return target + resource.id[len(_group_of(resource)) :]


def _group_of(resource: Resource) -> str:
    parsed = parse(resource.id)
    assert parsed is not None, resource.id
    return group_id(parsed.subscription, parsed.group)


def _name(resource: Resource) -> str:
    parsed = parse(resource.id)
    return parsed.name if parsed else ""


def _refused(status: int, code: str, message: str) -> AzureError:
    return gateway_error(status, code, message)
