"""Compute resources through ARM's generic resource route, for every type alike."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from lanyard.azure.arm import listing, long_running
from lanyard.azure.arm.answers import Json, Unreadable, body_of, member, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import is_gone, translated, written
from lanyard.azure.arm.forbidden import forbidden
from lanyard.azure.arm.identity_block import (
    Block,
    IdentityChange,
    identity_blocks,
    is_written,
    lacking,
    takes_off,
    wanted,
)
from lanyard.azure.arm.one_at_a_time import OneAtATime, shared_parent
from lanyard.azure.arm.resource_body import is_flexible, location_of, put_body, read_resource
from lanyard.ports.cache import Cache
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import ComputeType, Verb, compute_type
from lanyard.values.errors import NotDone, Permanent, Refused, Temporary
from lanyard.values.resource_id import ResourceId, folded

# A VM takes 3 to 7 s. What takes longer is not waited for: it is read again later.
_OPERATION_SECONDS = 60
_VERIFY_DELAY = 15.0
# What somebody else changed meanwhile is planned anew.
_CHANGED_DELAY = 2.0
# `managedBy` of a group is given when it is made, and stays.
_GROUPS, _MANAGER_SECONDS = "2024-03-01", 300.0


class Compute:
    """Reads compute resources and changes their identity block, nothing else of them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._locations: Cache[ResourceId, str] = Cache()
        self._apart = OneAtATime()
        self._managers: Cache[str, str] = Cache(_MANAGER_SECONDS, clients.now)

    def writing(self, resource: ResourceId) -> AbstractContextManager[None]:
        """While work goes on that may write to it. Raises NotYet while writes in its subscription
        have to wait: nothing is begun then.
        """
        return self._clients.writing(resource.text)

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        """The resource as it is now, in one GET; None where ARM answers that it is not there.

        A missing resource group counts as gone too, a missing subscription does not. A type that
        has no location of its own (a Batch pool) takes its parent's, which is read once. Raises
        Temporary; Permanent also for a type that cannot be read.
        """
        kind = _readable(resource)
        with translated(f"read {resource}"):
            try:
                return await self._read(resource, kind)
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None

    async def update_identity(
        self,
        resource: ComputeResource,
        *,
        add: Iterable[ResourceId] = (),
        remove: Iterable[ResourceId] = (),
        enable_system: bool = False,
    ) -> ComputeResource:
        """Attach, detach and enable in one write; returns the resource read after it.

        More than 150 identities take several writes. Where the type holds one identity, the added
        one replaces it: whether that may be is the caller's to know. Raises Permanent before any
        call for what the type cannot take; Temporary where the resource changed since it was read
        (If-Match; without an ETag, where the type holds one identity, and before something is taken
        off, it is read again right before the write), where it is another one or gone after it, or
        where the operation takes long; NotDone where Azure took the write and does not show the
        change.
        """
        kind = _readable(resource.id)
        change = IdentityChange.of(add, remove, enable_system)
        goal = wanted(kind, resource.identity, change)
        blocks = identity_blocks(kind, resource.identity, change)
        taking = takes_off(resource.identity, goal)
        if blocks and (taking or kind.replaces or not kind.has_etag):
            resource = await self.unchanged(resource)
        after = resource
        for block in blocks:
            try:
                after = await self._write(after, kind, block)
            except Permanent as failure:
                # A removal that is refused stays what it is on record: one that failed.
                if not taking and (held := _in_the_way(resource.id, failure)):
                    raise held from failure
                raise
        if after is not resource and lacking(after.identity, goal, change):
            # The answer of a write may be of a moment before its end.
            after = await self._read_again(after, kind)
        if lost := lacking(after.identity, goal, change):
            what = ", ".join(lost)
            message = f"{after.id} does not show the change yet: {what}"
            raise NotDone(message, _VERIFY_DELAY, uncertain=True)
        return after

    async def unchanged(self, resource: ComputeResource) -> ComputeResource:
        """The resource as it is now; raises Temporary where anything that a plan hangs on is not
        what was read: a write that was planned on it would drop what somebody else attached since,
        or give what a tag excludes by now.

        An ETag alone does not say so: a machine's is a number that begins with "1" again when the
        machine is made again under its name.
        """
        try:
            now = await self.read(resource.id)
        except (Temporary, Permanent) as failure:
            failure.uncertain = False  # nothing was written yet
            raise
        if now is None or _planned_on(now) != _planned_on(resource):
            raise Temporary(f"{resource.id} changed since it was read", _CHANGED_DELAY)
        return now

    def alone(self, resource: ComputeResource) -> AbstractAsyncContextManager[None]:
        """While the context is open nothing is written whose write excludes this one's. Raises
        NotYet where that takes long.
        """
        return self._apart.alone(shared_parent(resource))

    async def upgrade_instances(self, resource: ComputeResource) -> None:
        """Bring every instance of a uniform scale set to its model, identities included.

        Returns when that has ended. Raises Temporary where it takes long, in which case it goes on
        by itself; Permanent for anything but a uniform scale set.
        """
        kind = _readable(resource.id)
        if not kind.instances or is_flexible(resource.raw):
            raise Permanent(
                f"{resource.id} is no uniform scale set: it has no instances to upgrade"
            )
        with written(f"upgrade the instances of {resource.id}"):
            async with asyncio.timeout(_OPERATION_SECONDS):
                url, every = f"{resource.id.text}/manualupgrade", {"instanceIds": ["*"]}
                await long_running.post(self._clients, url, every, kind.api_version)

    async def _read(self, resource: ResourceId, kind: ComputeType) -> ComputeResource:
        body = await self._get(resource, kind)
        if member(body, "location") is None and kind.nested:
            body = {**body, "location": await self._parent_location(resource)}
        found = read_resource(body, kind)
        if found.id != resource:
            raise Unreadable(f"it is of {found.id}")
        manager = found.managed_by or await self._manager(resource.resource_group_id)
        return replace(found, managed_by=manager)

    async def _manager(self, group: str) -> str:
        """What manages a resource group: of AKS' nodes, of Databricks' machines and of a managed
        application's resources only that shows whose they are. "" where the app may not read it.
        """
        return await self._managers.get(folded(group), partial(self._managed_by, group))

    async def _managed_by(self, group: str) -> str:
        try:
            with translated(f"read {group}"):
                body = await listing.get(self._clients, group, {"api-version": _GROUPS})
                return text(body, "managedBy")
        except Permanent:
            return ""

    async def _read_again(self, resource: ComputeResource, kind: ComputeType) -> ComputeResource:
        with written(f"read {resource.id}"):
            return _still(await self._read(resource.id, kind), resource)

    async def _parent_location(self, resource: ResourceId) -> str:
        parent = ResourceId.parse("/".join(resource.text.split("/")[:-2]))
        kind = compute_type(parent.type)
        if kind is None:
            return ""
        return await self._locations.get(parent, partial(self._location, parent, kind))

    async def _location(self, resource: ResourceId, kind: ComputeType) -> str:
        return location_of(await self._get(resource, kind))

    async def _get(self, resource: ResourceId, kind: ComputeType) -> Json:
        body: Json = await self._clients.resources.resources.get_by_id(
            resource.text, api_version=kind.api_version, cls=_body
        )
        return body

    async def _write(
        self, resource: ComputeResource, kind: ComputeType, block: Block
    ) -> ComputeResource:
        what, url = f"update the identity of {resource.id}", _request(resource, kind, block).url
        with written(what):
            async with asyncio.timeout(_OPERATION_SECONDS):
                accepted = await self._apart.past_locks(
                    shared_parent(resource),
                    lambda: long_running.begin(self._clients, _request(resource, kind, block)),
                    self._clients.sleep,
                )
        try:
            with written(what):
                return await self._ended(url, accepted, resource, kind)
        except (Temporary, Permanent) as failure:
            return await self._judged(failure, resource, kind, block)

    async def _ended(
        self, url: str, accepted: AsyncHttpResponse, resource: ComputeResource, kind: ComputeType
    ) -> ComputeResource:
        async with asyncio.timeout(_OPERATION_SECONDS):
            body = await long_running.end(self._clients, url, accepted)
        if folded(str(body.get("id", ""))) != resource.id.key:
            return _still(await self._read(resource.id, kind), resource)
        after = read_resource({"location": resource.location, **body}, kind)
        return _still(replace(after, managed_by=resource.managed_by), resource)

    async def _judged(
        self,
        failure: Temporary | Permanent,
        resource: ComputeResource,
        kind: ComputeType,
        block: Block,
    ) -> ComputeResource:
        """A write was accepted, and what followed it failed: the resource shows what came of it.
        Raises the failure where it does not show the change, is not there to be asked, or is still
        at work: most services show the ids as soon as they accept them (recorded).
        """
        failure.uncertain = True
        try:
            after = await self._read_again(resource, kind)
        except (Temporary, Permanent):
            raise failure from None
        written_so = is_written(kind, block, resource.identity, after.identity)
        if long_running.at_work(after.raw) or not written_so:
            raise failure
        return after


def _request(resource: ComputeResource, kind: ComputeType, block: Block) -> HttpRequest:
    """The write of an identity block, and of nothing else."""
    method, body = "PATCH", {"identity": block}
    if kind.verb is Verb.PUT:
        method, body = "PUT", {**put_body(resource.raw, kind), **body}
    return HttpRequest(
        method,
        resource.id.text,
        params={"api-version": kind.api_version},
        headers=_if_match(resource, kind),
        json=body,
    )


def _in_the_way(resource: ResourceId, failure: Permanent) -> Refused | None:
    cause = failure.__cause__
    if not isinstance(cause, HttpResponseError):
        return None
    return forbidden(f"update the identity of {resource}", cause)


def _still(after: ComputeResource, before: ComputeResource) -> ComputeResource:
    """What is read after a write; raises Temporary where it was made again meanwhile."""
    if not _is_same(after, before):
        message = f"{after.id} was made again while it was written"
        raise Temporary(message, _CHANGED_DELAY, uncertain=True)
    return after


def _planned_on(resource: ComputeResource) -> ComputeResource:
    """All that a plan can hang on, without what changes with each look or write."""
    return replace(resource, etag=None, provisioning_state="", dated=0.0)


def _is_same(one: ComputeResource, other: ComputeResource) -> bool:
    return one.incarnation == other.incarnation


def _if_match(resource: ComputeResource, kind: ComputeType) -> dict[str, str]:
    return {"If-Match": resource.etag} if kind.has_etag and resource.etag else {}


def _readable(resource: ResourceId) -> ComputeType:
    kind = compute_type(resource.type)
    if kind is None:
        raise Permanent(f"{resource}: Lanyard does not know the type {resource.type!r}")
    if not kind.api_version:
        raise Permanent(f"{resource}: {kind.reason}")
    return kind


def _body(response: Any, _model: Any, _headers: Any) -> Json:
    """The SDK's hook for the plain JSON: the generic model knows fewer fields than we read."""
    return body_of(response.http_response)
